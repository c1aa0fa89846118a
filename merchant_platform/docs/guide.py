"""What the guide says besides its sentences: its sections, and figures taken from where the code keeps them."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from analytics.reports import links, working
from analytics.reports import operations as reports
from merchant_platform.kernel import idempotency, metadata
from merchant_platform.kernel.api import bodies, params
from merchant_platform.kernel.api.doors import API_VERSION
from merchant_platform.kernel.api.openapi import endpoints
from merchant_platform.kernel.events import router
from payments.api import events, refunds
from payments.search import queries as search
from payments.webhooks import operations as webhooks
from payments.webhooks import retries, sending
from security.credentials import certificates, keys, signatures

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Text


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the guide: its address on the page, its title, and the template that tells it."""

    name: str
    title: "Text"

    @property
    def template(self) -> str:
        return f"docs/guide/{self.name.replace('-', '_')}.html"


SECTIONS = (
    Section("first-payment", _("Make a first payment")),
    Section("declines", _("See a payment declined")),
    Section("keys", _("Keys and modes")),
    Section("requests", _("Requests and amounts")),
    Section("idempotency", _("Idempotency")),
    Section("errors", _("Errors")),
    Section("test-wallets", _("Test wallets")),
    Section("orders", _("Orders")),
    Section("checkout", _("Checkout page")),
    Section("refunds", _("Refunds")),
    Section("lists", _("Lists and pages")),
    Section("expand", _("Expand")),
    Section("search", _("Search")),
    Section("events", _("Events")),
    Section("webhooks", _("Webhooks")),
    Section("reports", _("Reports")),
    Section("cards", _("Cards")),
    Section("encryption", _("Certificates, signatures, encryption")),
)

# What can be expanded: a test holds it against the code.
EXPANDABLE = {
    "checkout.session": ("customer", "order", "payment_intent"),
    "discount": ("customer", "promotion_code"),
    "item": ("price",),
    "member": ("customer",),
    "member_duplicate": ("member", "other"),
    "payment_intent": ("customer", "latest_charge", "order", "payment_method"),
    "charge": ("balance_transaction", "customer", "payment_intent"),
    "refund": ("balance_transaction", "charge", "failure_balance_transaction", "payment_intent", "payment_method"),
    "setup_intent": ("customer", "payment_method"),
    "balance_transaction": ("source",),
    "order": ("customer",),
    "payment_method": ("customer",),
    "price": ("product",),
    "product": ("default_price",),
    "promotion_code": ("customer", "promotion"),
    # Parts of objects: of a code's promotion, a session's discounts, a discount's source.
    "promotion, discounts, source": ("coupon", "promotion_code"),
}
STATUSES = (
    (400, _("A parameter is missing, unknown or wrong, or the object’s state does not allow it")),
    (401, _("The key is missing or unknown")),
    (402, _("The payment was declined")),
    (403, _("The key may not do this")),
    (404, _("No such object, or no such address")),
    (409, _("Another request is at work on the same object: send it again")),
    (429, _("Too many requests: wait, then send it again")),
    (500, _("Something went wrong on our side: send it again with the same idempotency key")),
    (503, _("The platform cannot do it just now: send it again later")),
)


def figures() -> dict[str, Any]:
    """The numbers and names that the guide's sentences need, each from the one place that decides it."""
    return {
        "address": settings.PUBLIC_URL,
        "api_version": API_VERSION,
        "amount_max": params.AMOUNT_MAX,
        "body_kib_max": settings.API_BODY_MAX // 1024,
        "certificates_max": certificates.CERTIFICATES_MAX,
        "clauses_max": search.CLAUSES_MAX,
        "depth_max": params.EXPAND_DEPTH,
        "event_days": events.LISTED.days,
        "event_types_max": events.TYPES_MAX,
        "expand_max": params.EXPAND_MAX,
        "fields_max": bodies.FIELDS_MAX,
        "key_length_max": idempotency.KEY_LENGTH_MAX,
        "kept_hours": int(idempotency.KEPT.total_seconds() // 3600),
        "kept_days": idempotency.KEPT_WHERE_MONEY_MOVED.days,
        "limit_default": params.LIMIT_DEFAULT,
        "limit_max": params.LIMIT_MAX,
        "metadata_keys_max": metadata.KEYS_MAX,
        "metadata_key_length": metadata.KEY_LENGTH,
        "metadata_value_length": metadata.VALUE_LENGTH,
        "overlap_days": keys.OVERLAP_MAX.days,
        "permissions": permissions(),
        "refund_lines_max": refunds.LINES_MAX,
        "report_file_days": working.KEPT.days,
        "report_link_minutes": int(links.SHORT.total_seconds() // 60),
        "report_row_days": working.ROWS_KEPT.days,
        "reports_waiting_max": reports.UNFINISHED_MAX,
        "signature_minutes": int(signatures.WINDOW.total_seconds() // 60),
        "webhook_attempts_max": retries.ATTEMPTS_MAX,
        "webhook_backfill_max": webhooks.BACKFILL_MAX,
        "webhook_endpoints_max": webhooks.ENDPOINTS_MAX,
        "webhook_kept_days": webhooks.KEPT.days,
        "webhook_off_days": retries.SWITCHED_OFF_AFTER.days,
        "webhook_overlap_days": webhooks.OVERLAP_MAX.days,
        "webhook_schedule": [spoken(delay) for delay in retries.DELAYS],
        "webhook_seconds_max": int(sending.SECONDS_MAX),
        "search_fields": {kind: (*fields, "metadata") for kind, fields in search.FIELDS.items()},
    }


def spoken(delay: timedelta) -> str:
    """A round delay in its largest unit, with the symbol of it: 5 s, 30 min, 2 h."""
    seconds = int(delay.total_seconds())
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def event_types() -> dict[str, list[str]]:
    """What is told, by the object that it is told of."""
    found: dict[str, list[str]] = {}
    for name in router.public_types():
        found.setdefault(name.rpartition(".")[0], []).append(name.rpartition(".")[2])
    return found


@cache
def permissions() -> tuple[str, ...]:
    """The resources that a restricted key can be given."""
    return tuple(sorted({each.tag for *rest, each in endpoints()}))
