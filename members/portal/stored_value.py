"""A consumer's gift and stored-value cards in the wallet, merchant by merchant."""

from datetime import datetime

from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

from members.portal.port import STORED_VALUE, Card, Holding, Viewer
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.money import Money
from payments.stored_value import queries, states
from payments.stored_value.models import GIFT, StoredValueCard
from security.merchants.models import Book

CARDS_MAX = 20


def cards(viewer: Viewer, now: datetime) -> list[Card]:
    """Each card that can be spent, with what is on it."""
    return [
        Card(
            book=book,
            kind=STORED_VALUE,
            title=_title(card),
            lines=[_("Balance: {amount}").format(amount=_text(card, balance))],
        )
        for book, card, balance in _of(viewer, now)
    ]


def holdings(viewer: Viewer, now: datetime) -> list[Holding]:
    """The value on each card, its bonus included, with what is reserved of it at this moment."""
    return [
        Holding(
            name=_title(card),
            amount=balance.posted_minor,
            unit=card.currency,
            kind=STORED_VALUE,
            merchant=book.merchant.name,
        )
        for book, card, balance in _of(viewer, now)
    ]


def _of(viewer: Viewer, now: datetime) -> list[tuple[Book, StoredValueCard, queries.Balance]]:
    """The consumer's cards at all merchants: two statements a merchant."""
    found = []
    for place in viewer.places:
        with tenancy.within(place.book.pk):
            held = queries.of_consumer(viewer.consumer.pk).filter(status__in=[states.ACTIVE, states.FROZEN])
            rows = [card for card in held.order_by("pk")[:CARDS_MAX] if not card.expires_at or card.expires_at > now]
            found += [(place.book, card, balance) for card, balance in zip(rows, queries.balances(rows), strict=True)]
    return found


def _title(card: StoredValueCard) -> str:
    words = _("Gift card") if card.kind == GIFT else _("Stored-value card")
    return f"{words} •••• {card.last4}"


def _text(card: StoredValueCard, balance: queries.Balance) -> str:
    return Money(balance.posted_minor, card.currency).text(to_locale(get_language() or "en"))
