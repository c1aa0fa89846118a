"""The addresses of the dashboard that belong to no pillar, and the way in."""

from django.urls import path

from security.web import approvals, audit, entrance, finding, invitations, rights, settings, staff, stores
from security.web import entrance, finding, keys, requests, test_clock
from security.web.desk import dashboard_path

urlpatterns = [
    path("dashboard", entrance.enter, name="dashboard"),
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
    path("invitations/<str:secret>", invitations.accept, name="invitation"),
    *dashboard_path("stores", stores.index, name="stores"),
    *dashboard_path("stores/new", stores.new, name="store_new"),
    *dashboard_path("stores/<str:store>", stores.detail, name="store"),
    *dashboard_path("stores/<str:store>/edit", stores.edit, name="store_edit"),
    *dashboard_path("stores/<str:store>/close", stores.close, name="store_close"),
    *dashboard_path("stores/<str:store>/reopen", stores.reopen, name="store_reopen"),
    *dashboard_path("stores/<str:store>/devices", stores.device_new, name="device_new"),
    *dashboard_path("stores/<str:store>/devices/<str:device>", stores.device_revoke, name="device_revoke"),
    *dashboard_path("staff", staff.index, name="staff"),
    *dashboard_path("staff/invite", staff.invite, name="staff_invite"),
    *dashboard_path("staff/leave", staff.leave, name="staff_leave"),
    *dashboard_path("staff/invitations/<str:invitation>/again", staff.invitation_again, name="invitation_again"),
    *dashboard_path("staff/invitations/<str:invitation>/revoke", staff.invitation_revoke, name="invitation_revoke"),
    *dashboard_path("staff/<str:staff>", staff.detail, name="staff_member"),
    *dashboard_path("staff/<str:staff>/change", staff.change, name="staff_change"),
    *dashboard_path("staff/<str:staff>/hand-over", staff.hand_over, name="staff_hand_over"),
    *dashboard_path("staff/<str:staff>/remove", staff.remove, name="staff_remove"),
    *dashboard_path("roles", rights.matrix, name="roles"),
    *dashboard_path("settings", settings.show, name="settings"),
    *dashboard_path("developers/keys", keys.index, name="keys"),
    *dashboard_path("developers/keys/new", keys.create, name="key_new"),
    *dashboard_path("developers/keys/<str:key>", keys.show, name="key"),
    *dashboard_path("developers/keys/<str:key>/replace", keys.rotate, name="key_rotate"),
    *dashboard_path("developers/keys/<str:key>/revoke", keys.revoke, name="key_revoke"),
    *dashboard_path("developers/requests", requests.index, name="requests"),
    *dashboard_path("developers/requests/<str:request_id>", requests.show, name="request"),
    *dashboard_path("developers/test-clock", test_clock.show, name="test_clock"),
]
