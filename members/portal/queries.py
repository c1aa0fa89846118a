"""What a consumer sees of themselves, gathered from the rooms that settings name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from members.portal.port import KINDS, Card, Holding, Place, Viewer
from payments.wallets import queries as wallets
from payments.wallets.models import Consumer
from security.merchants import queries as merchants


@dataclass(frozen=True, slots=True)
class Total:
    """All holdings of one unit together."""

    unit: str
    name: str
    amount: int
    is_money: bool


def viewer(consumer: Consumer) -> Viewer:
    """A consumer with their wallets and the merchants that know them."""
    links = [link for link in wallets.links(consumer.pk) if not merchants.is_platforms(link.book_id)]
    books = merchants.books([link.book_id for link in links])
    places = [Place(books[link.book_id], link) for link in links]
    return Viewer(consumer, wallets.wallets_of(consumer), places)


def cards(viewer_: Viewer, *, now: datetime) -> list[Card]:
    """What a consumer has with merchants, merchant by merchant, their kinds in one order."""
    found = [card for ask in _rooms("WALLET_CARDS") for card in ask(viewer_, now)]
    order = {kind: position for position, kind in enumerate(KINDS)}
    return sorted(found, key=lambda card: (card.book.merchant.name, order.get(card.kind, len(order))))


def holdings(viewer_: Viewer, *, now: datetime) -> list[Holding]:
    """What a consumer owns here, room by room."""
    return [holding for ask in _rooms("HOLDINGS") for holding in ask(viewer_, now)]


def totals(owned: Sequence[Holding]) -> list[Total]:
    """Holdings by unit: nothing is ever added to what is of another unit. Pure."""
    sums: dict[str, Total] = {}
    for holding in owned:
        before = sums[holding.unit].amount if holding.unit in sums else 0
        # Points are of one programme each: whose they are tells one from another.
        name = " · ".join(filter(None, (holding.name, holding.merchant)))
        sums[holding.unit] = Total(holding.unit, name, before + holding.amount, holding.is_money)
    return list(sums.values())


def _rooms(setting: str) -> list[Any]:
    return [import_string(name) for name in getattr(settings, setting)]
