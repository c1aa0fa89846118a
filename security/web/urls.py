"""The addresses of the dashboard that belong to no pillar, and the way in."""

from django.urls import path

from security.web import entrance, finding, keys, requests, test_clock
from security.web.desk import dashboard_path

urlpatterns = [
    path("dashboard", entrance.enter, name="dashboard"),
    *dashboard_path("", entrance.home, name="home"),
    *dashboard_path("search", finding.search, name="search"),
    *dashboard_path("palette", finding.palette, name="palette"),
    *dashboard_path("notifications", finding.notifications, name="notifications"),
    *dashboard_path("notifications/count", finding.notification_count, name="notification_count"),
    *dashboard_path("developers/keys", keys.index, name="keys"),
    *dashboard_path("developers/keys/new", keys.create, name="key_new"),
    *dashboard_path("developers/keys/<str:key>", keys.show, name="key"),
    *dashboard_path("developers/keys/<str:key>/replace", keys.rotate, name="key_rotate"),
    *dashboard_path("developers/keys/<str:key>/revoke", keys.revoke, name="key_revoke"),
    *dashboard_path("developers/requests", requests.index, name="requests"),
    *dashboard_path("developers/requests/<str:request_id>", requests.show, name="request"),
    *dashboard_path("developers/test-clock", test_clock.show, name="test_clock"),
]
