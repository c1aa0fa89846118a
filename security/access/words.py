"""The table of actions in the words of people: what each of them lets somebody do, in the order of the pillars.

The page of roles is made of it; a test holds it against the table.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

# What a role is for, in one sentence.
ROLES: dict[str, Any] = {
    "owner": _("Owns the business: everything here, and who else may do what."),
    "manager": _("Runs the business day by day: payments, customers, products, stores, cashiers."),
    "cashier": _("Takes payments at the till. Sees no balance."),
    "analyst": _("Reads payments and numbers, changes nothing."),
    "developer": _("Connects programs: keys, events, webhooks."),
    "support": _("Helps customers: finds their payments, refunds them, mends their data."),
    "finance": _("Looks after the money: balance, payouts, refunds."),
}

GROUPS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (
        _("Payments"),
        {
            "payment.view": _("See payments"),
            "payment.collect": _("Take payments"),
            "payment.refund": _("Refund payments"),
            "payment.capture": _("Capture held payments"),
            "payment.cancel": _("Cancel payments"),
            "payment.export": _("Export payments and refunds"),
            "note.write": _("Write notes on payments"),
            "stored_value.view": _("See gift cards and stored-value cards"),
            "stored_value.manage": _("Issue, load and freeze gift cards and stored-value cards"),
            "sales.view": _("See sums of what was sold"),
            "report.make": _("Make reports and have them sent by e-mail"),
            "balance.view": _("See the balance and payouts"),
            "books.prove": _("Have the books proved"),
        },
    ),
    (
        _("Customers and products"),
        {
            "customer.view": _("See customers"),
            "customer.edit": _("Add, change and delete customers"),
            "customer.export": _("Export customers"),
            "catalog.view": _("See products and prices"),
            "catalog.edit": _("Add and change products and prices"),
        },
    ),
    (
        _("Members"),
        {
            "member.view": _("See members and what they bought"),
            "member.enrol": _("Add members, print codes to join by"),
            "member.edit": _("Change members and see their contacts"),
            "member.merge": _("Merge members, and undo it"),
            "member.import": _("Import members from a sheet"),
            "member.export": _("Export members"),
            "offer.view": _("See offers and their codes"),
            "offer.edit": _("Make, change and end offers, make codes"),
            "programme.view": _("See points, tiers and what they cost"),
            "programme.edit": _("Change points and tiers, set the budget"),
            "points.adjust": _("Adjust members' points"),
        },
    ),
    (
        _("Developers"),
        {
            "key.manage": _("Make and revoke API keys"),
            "event.view": _("See events and deliveries"),
            "webhook.view": _("See webhook endpoints"),
            "webhook.manage": _("Add, change and try webhook endpoints"),
            "request.view": _("See the request log"),
            "clock.move": _("Move the test clock"),
        },
    ),
    (
        _("Settings"),
        {
            "store.view": _("See stores and devices"),
            "store.manage": _("Open and close stores, add and revoke devices"),
            "staff.view": _("See who works here"),
            "staff.invite": _("Invite, change and remove cashiers and support"),
            "staff.manage": _("Invite, change and remove everybody, hand the business over"),
            "merchant.view": _("See the settings of the business"),
            "merchant.edit": _("Change the settings of the business"),
        },
    ),
    (
        _("Security"),
        {
            "approval.view": _("See what waits for a second person"),
            "approval.decide": _("Decide as the second person"),
            "audit.view": _("See who did what, and take it away as a file"),
        },
    ),
    (
        _("The platform"),
        {
            "flag.manage": _("Switch features on and off"),
            "merchant.found": _("Found merchants"),
            "suppression.lift": _("Send again to addresses that messages are not sent to"),
        },
    ),
)
