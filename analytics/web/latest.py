"""The payments that came in last, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from payments.listing import payments as listing
from payments.listing.payments import Line
from payments.web.dashboard import words
from security.web.desk import Desk

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A payment, its state and how it was paid in words, and its page; no address for who may not open it."""

    line: Line
    kind: str
    state: Any
    paid_by: str
    url: str


def read(desk: Desk, *, has_page: bool) -> Sequence[Row]:
    """The newest payments of the open book: two statements."""
    page = listing.page(listing.Filters(), limit=SHOWN)
    return [
        Row(
            line,
            *words.PAYMENT_STATES[line.state],
            words.method(line.method, line.brand, line.last4),
            desk.url("payment", payment=line.shown_id) if has_page else "",
        )
        for line in listing.lines(page.rows, with_things=False)
    ]
