"""Who may do what: one table of actions, read by every door.

Operators stand outside merchants: they see the platform, never a merchant's customers.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

OWNER, MANAGER, CASHIER, ANALYST, DEVELOPER, SUPPORT, FINANCE = (
    "owner",
    "manager",
    "cashier",
    "analyst",
    "developer",
    "support",
    "finance",
)
OPERATOR = "operator"
MERCHANT_ROLES = (OWNER, MANAGER, CASHIER, ANALYST, DEVELOPER, SUPPORT, FINANCE)

# The roles as people say them.
NAMES: dict[str, Any] = {
    OWNER: _("Owner"),
    MANAGER: _("Manager"),
    CASHIER: _("Cashier"),
    ANALYST: _("Analyst"),
    DEVELOPER: _("Developer"),
    SUPPORT: _("Support"),
    FINANCE: _("Finance"),
}

# Action to the roles that may do it. The owner may do everything at the merchant.
ACTIONS: dict[str, frozenset[str]] = {
    "payment.view": frozenset({MANAGER, CASHIER, ANALYST, DEVELOPER, SUPPORT, FINANCE}),
    "payment.collect": frozenset({MANAGER, CASHIER}),
    "payment.refund": frozenset({MANAGER, SUPPORT, FINANCE}),
    # Sums of what was sold: volume, averages, shares. Who works at the counter sees payments, not the takings.
    "sales.view": frozenset({MANAGER, ANALYST, FINANCE}),
    # Whoever makes reports needs, for each kind, the action under which its numbers stand elsewhere too.
    "report.make": frozenset({MANAGER, ANALYST, FINANCE}),
    "payment.capture": frozenset({MANAGER, CASHIER, FINANCE}),
    "payment.cancel": frozenset({MANAGER, CASHIER, SUPPORT}),
    "payment.export": frozenset({MANAGER, ANALYST, FINANCE}),
    "note.write": frozenset({MANAGER, CASHIER, SUPPORT, FINANCE}),
    "stored_value.view": frozenset({MANAGER, CASHIER, SUPPORT, FINANCE}),
    # Issue, load, freeze: whoever loads a card by his word makes the merchant owe it.
    "stored_value.manage": frozenset({MANAGER, FINANCE}),
    "balance.view": frozenset({MANAGER, FINANCE}),
    "customer.view": frozenset({MANAGER, CASHIER, SUPPORT, DEVELOPER}),
    "customer.edit": frozenset({MANAGER, SUPPORT}),
    "member.view": frozenset({MANAGER, CASHIER, SUPPORT}),
    "member.enrol": frozenset({MANAGER, CASHIER, SUPPORT}),
    "member.edit": frozenset({MANAGER, SUPPORT}),
    "member.merge": frozenset({MANAGER, SUPPORT}),
    "member.import": frozenset({MANAGER}),
    "member.export": frozenset({MANAGER}),
    "programme.view": frozenset({MANAGER, ANALYST, SUPPORT, FINANCE}),
    "programme.edit": frozenset({MANAGER}),
    "points.adjust": frozenset({MANAGER, SUPPORT}),
    "catalog.view": frozenset({MANAGER, CASHIER, ANALYST, DEVELOPER, SUPPORT, FINANCE}),
    "catalog.edit": frozenset({MANAGER}),
    "offer.view": frozenset({MANAGER, CASHIER, ANALYST, SUPPORT, FINANCE}),
    "offer.edit": frozenset({MANAGER}),
    "key.manage": frozenset({DEVELOPER}),
    "event.view": frozenset({DEVELOPER, SUPPORT}),
    "staff.view": frozenset({MANAGER}),
    # Invite, change and remove whom the role may grant (GRANTS); the rest of staff is the owner's.
    "staff.invite": frozenset({MANAGER}),
    "request.view": frozenset({DEVELOPER, SUPPORT}),
    "webhook.view": frozenset({DEVELOPER, SUPPORT}),
    "webhook.manage": frozenset({DEVELOPER}),
    "clock.move": frozenset({DEVELOPER}),
    "staff.manage": frozenset(),
    "store.view": frozenset({MANAGER, CASHIER, ANALYST, DEVELOPER, SUPPORT, FINANCE}),
    "store.manage": frozenset({MANAGER}),
    "customer.export": frozenset({MANAGER}),
    "merchant.view": frozenset({MANAGER, DEVELOPER, FINANCE}),
    "merchant.edit": frozenset(),
    "approval.view": frozenset({MANAGER, SUPPORT, FINANCE}),
    "approval.decide": frozenset({MANAGER, FINANCE}),
    "audit.view": frozenset(),
    "flag.manage": frozenset({OPERATOR}),
    "suppression.lift": frozenset({OPERATOR}),
    "merchant.found": frozenset({OPERATOR}),
    "books.prove": frozenset({OPERATOR, FINANCE}),
}
# Which roles a role may give and take; the owner gives all. Nobody gives a role to himself.
GRANTS: dict[str, frozenset[str]] = {
    OWNER: frozenset(MERCHANT_ROLES),
    MANAGER: frozenset({CASHIER, SUPPORT}),
}
_OPERATORS_ALONE = frozenset({"flag.manage", "merchant.found", "suppression.lift"})


class UnknownAction(LookupError):
    """The table has no such action: a door asks for something that nobody decided."""


def may(role: str, action: str) -> bool:
    """Whether a role may do an action. Raises UnknownAction."""
    try:
        roles = ACTIONS[action]
    except KeyError as error:
        raise UnknownAction(action) from error
    return role in roles or (role == OWNER and action not in _OPERATORS_ALONE)


def may_grant(role: str, granted: str) -> bool:
    """Whether somebody with a role may give or take another one."""
    return granted in GRANTS.get(role, frozenset())
