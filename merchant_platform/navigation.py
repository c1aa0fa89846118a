"""The navigation of the dashboard: every page that stands in it, by pillar, on one page.

A page's route is made by `dashboard_path(…, name=…)`; its action is one of
security/access/roles.py, so that nobody is shown a door that is closed to them.
"""

from django.utils.translation import gettext_lazy as _

from security.web.navigation import Group, Item

NAVIGATION = (
    Group("", (Item("home", _("Home"), icon="layout-dashboard", keys="g h"),)),
    Group(
        _("Developers"),
        (
            Item("quick_start", _("Quick start"), icon="rocket", action="request.view", keys="g q"),
            Item("keys", _("API keys"), icon="key", action="key.manage", keys="g k"),
            Item("webhooks", _("Webhooks"), icon="webhook", action="webhook.view", keys="g w"),
            Item("requests", _("Request log"), icon="list", action="request.view", keys="g l"),
            Item("events", _("Events"), icon="bolt", action="event.view", keys="g e"),
            Item("test_clock", _("Test clock"), icon="clock", action="clock.move", keys="g t"),
        ),
    ),
)
