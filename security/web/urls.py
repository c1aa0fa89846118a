"""The addresses of the dashboard that belong to no pillar, and the way in."""

from django.urls import path

from security.web import approvals, audit, entrance, finding
from security.web.desk import dashboard_path

urlpatterns = [
    path("dashboard", entrance.enter, name="dashboard"),
    *dashboard_path("", entrance.home, name="home"),
    *dashboard_path("approvals", approvals.index, name="approvals"),
    *dashboard_path("approvals/<str:approval>", approvals.show, name="approval"),
    *dashboard_path("approvals/<str:approval>/approve", approvals.approve, name="approve"),
    *dashboard_path("approvals/<str:approval>/refuse", approvals.refuse, name="refuse"),
    *dashboard_path("audit", audit.index, name="audit"),
    *dashboard_path("audit/export", audit.export, name="audit_export"),
    *dashboard_path("search", finding.search, name="search"),
    *dashboard_path("palette", finding.palette, name="palette"),
    *dashboard_path("notifications", finding.notifications, name="notifications"),
    *dashboard_path("notifications/count", finding.notification_count, name="notification_count"),
]
