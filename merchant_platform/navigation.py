"""The navigation of the dashboard: every page that stands in it, by pillar, on one page.

A page's route is made by `dashboard_path(…, name=…)`; its action is one of
security/access/roles.py, so that nobody is shown a door that is closed to them.
"""

from django.utils.translation import gettext_lazy as _

from security.web.navigation import Group, Item

NAVIGATION = (
    Group("", (Item("home", _("Home"), icon="layout-dashboard", keys="g h"),)),
    Group(
        _("Security"),
        (
            Item("approvals", _("Approvals"), icon="checks", action="approval.view", keys="g a"),
            Item("audit", _("Audit log"), icon="clipboard-list", action="audit.view", keys="g u"),
        ),
    ),
)
