"""The addresses of the pages that anybody may read."""

from django.urls import path
from django.views.i18n import set_language

from merchant_platform.docs import api, quick_start, views
from merchant_platform.kernel.web import theme
from security.web.desk import dashboard_path

urlpatterns = [
    path("", views.home, name="home"),
    path("docs", views.read_guide, name="guide"),
    path("docs/api", api.index, name="api"),
    path("docs/api/<slug:name>", api.resource, name="api_resource"),
    path("docs/errors", views.list_errors, name="errors"),
    path("docs/errors/<code>", views.explain_error, name="error"),
    *dashboard_path("developers/quick-start", quick_start.show, name="quick_start"),
    path("language", set_language, name="set_language"),
    path("theme", theme.choose, name="choose_theme"),
]
