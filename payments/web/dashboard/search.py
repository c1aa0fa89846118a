"""What the dashboard's search finds among payments: by id, last four digits, order number and amount."""

import re
from collections.abc import Sequence
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from payments.intents.models import Attempt, PaymentIntent, Refund
from payments.listing import payments as listing
from payments.web.dashboard import amounts, payments
from security.web.desk import Desk
from security.web.search import Hit

SHOWN_MAX = 8


def find(desk: Desk, text: str) -> list[Hit]:
    """Payments for a text: two statements a way of looking, and only those ways that the text can mean."""
    if not desk.may("payment.view"):
        return []
    with tenancy.within(desk.book.pk):
        named = _named(text)
        if named is not None:
            return _hits(desk, listing.selected([named]), is_exact=True)
        found: dict[UUID, PaymentIntent] = {}
        for filters in _meanings(desk, text):
            found |= {row.pk: row for row in listing.page(filters, limit=SHOWN_MAX).rows}
        newest = sorted(found.values(), key=lambda row: row.pk, reverse=True)
        return _hits(desk, newest[:SHOWN_MAX], is_exact=False)


def _named(text: str) -> UUID | None:
    """The payment that an id names: its own, its charge's, or its refund's."""
    try:
        match text.partition("_")[0]:
            case "pi":
                return ids.parse("pi", text)
            case "ch":
                return Attempt.objects.filter(pk=ids.parse("ch", text)).values_list("intent_id", flat=True).first()
            case "re":
                return Refund.objects.filter(pk=ids.parse("re", text)).values_list("intent_id", flat=True).first()
    except ids.MalformedId:
        return None
    return None


def _meanings(desk: Desk, text: str) -> list[listing.Filters]:
    """What a text can mean: an order number, four digits, an amount."""
    meanings = [listing.Filters(order=text)] if "\x00" not in text else []
    if re.fullmatch(r"[0-9]{4}", text):
        meanings.append(listing.Filters(last4=text))
    try:
        amount = amounts.read(re.sub(r"^[^0-9]{0,4}", "", text), desk.merchant.default_currency)
    except ValidationError:
        return meanings
    return [*meanings, listing.Filters(amount_min=amount, amount_max=amount)]


def _hits(desk: Desk, found: Sequence[PaymentIntent], *, is_exact: bool) -> list[Hit]:
    hits = []
    for line in listing.lines(list(found)):
        row, intent = payments.shown(line, desk), line.intent
        told = [str(row["word"]), row["method"], row["customer"], row["order"] or row["about"]]
        hits.append(
            Hit(
                kind=_("Payment"),
                title=Money(intent.amount_minor, intent.currency).text(locale()),
                detail=" · ".join(each for each in told if each),
                url=desk.url("payment", payment=row["id"]),
                is_exact=is_exact,
            )
        )
    return hits
