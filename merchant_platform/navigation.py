"""The navigation of the dashboard: every page that stands in it, by pillar, on one page.

A page's route is made by `dashboard_path(…, name=…)`; its action is one of
security/access/roles.py, so that nobody is shown a door that is closed to them.
"""

from django.utils.translation import gettext_lazy as _

from security.web.navigation import Group, Item

NAVIGATION = (
    Group("", (Item("home", _("Home"), icon="layout-dashboard", keys="g h"),)),
    Group(
        _("Payments"),
        (
            Item("payments", _("Payments"), icon="credit-card", action="payment.view", keys="g p"),
            Item("refunds", _("Refunds"), icon="receipt-refund", action="payment.view", keys="g r"),
            Item("balance", _("Balance"), icon="coins", action="balance.view", keys="g b"),
            Item("stored_value", _("Gift cards"), icon="gift", action="stored_value.view", keys="g v"),
            Item("customers", _("Customers"), icon="users", action="customer.view", keys="g c"),
            Item("products", _("Products"), icon="package", action="catalog.view", keys="g o"),
        ),
        actions=(
            Item("customer_new", _("Add a customer"), icon="user-plus", action="customer.edit"),
            Item("product_new", _("Add a product"), icon="circle-plus", action="catalog.edit"),
        ),
    ),
    Group(
        _("Members"),
        (
            Item("members", _("Members"), icon="heart", action="member.view", keys="g m"),
            Item("programme", _("Programme"), icon="star", action="programme.view", keys="g n"),
            Item("offers", _("Offers"), icon="tag", action="offer.view", keys="g f"),
        ),
        actions=(
            Item("member_new", _("Add a member"), icon="user-plus", action="member.enrol"),
            Item("offer_kinds", _("Make an offer"), icon="circle-plus", action="offer.edit"),
        ),
    ),
    Group(
        _("Data"),
        (
            Item("sales", _("Sales"), icon="chart-bar", action="sales.view", keys="g i"),
            Item("reports", _("Reports"), icon="file-text", action="report.make", keys="g d"),
        ),
        actions=(Item("report_new", _("Make a report"), icon="file-export", action="report.make"),),
    ),
    Group(
        _("Security"),
        (
            Item("approvals", _("Approvals"), icon="checks", action="approval.view", keys="g a"),
            Item("audit", _("Audit log"), icon="clipboard-list", action="audit.view", keys="g u"),
        ),
    ),
    Group(
        _("Developers"),
        (
            Item("quick_start", _("Quick start"), icon="rocket", action="request.view", keys="g q"),
            Item("keys", _("API keys"), icon="key", action="key.manage", keys="g k"),
            Item("webhooks", _("Webhooks"), icon="webhook", action="webhook.view", keys="g w"),
            Item("requests", _("Request log"), icon="list", action="request.view", keys="g l"),
            Item("events", _("Events"), icon="bolt", action="event.view", keys="g e"),
            Item("test_clock", _("Test clock"), icon="clock", action="clock.move", keys="g x"),
        ),
        actions=(
            Item("key_new", _("Create a key"), icon="plus", action="key.manage"),
            Item("webhook_new", _("Add an endpoint"), icon="plus", action="webhook.manage"),
        ),
    ),
    Group(
        _("Settings"),
        (
            Item("stores", _("Stores"), icon="building-store", action="store.view", keys="g s"),
            Item("staff", _("Staff"), icon="users-group", action="staff.view", keys="g t"),
            Item("roles", _("Roles"), icon="shield-check"),
            Item("settings", _("Business"), icon="settings", action="merchant.view", keys="g ,"),
        ),
        actions=(
            Item("store_new", _("Open a store"), icon="circle-plus", action="store.manage"),
            Item("staff_invite", _("Invite somebody"), icon="user-plus", action="staff.invite"),
        ),
    ),
)
