"""The addresses of the pages that anybody may read."""

from django.urls import path
from django.views.i18n import set_language

from merchant_platform.docs import views
from merchant_platform.kernel.web import theme

urlpatterns = [
    path("", views.home, name="home"),
    path("docs", views.read_guide, name="guide"),
    path("docs/errors", views.list_errors, name="errors"),
    path("docs/errors/<code>", views.explain_error, name="error"),
    path("language", set_language, name="set_language"),
    path("theme", theme.choose, name="choose_theme"),
]
