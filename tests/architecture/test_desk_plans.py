"""The dashboard's lists read no more of a long history than of a short one, whatever they are filtered by."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import tenancy
from payments.intents.models import PaymentIntent
from payments.listing import payments, refunds, transactions, windows
from payments.listing.windows import Span
from payments.story import queries as story
from security.merchants import operations as merchants
from tests import database
from tests.architecture import plans
from tests.architecture.asking import as_owner
from tests.architecture.history import BEGAN, History
from tests.architecture.test_plans import LARGE, SMALL
from tests.cast import NOW, name_cluster, shown

pytestmark = pytest.mark.django_db(databases=["default", "platform"])

# What a page may look through where no index serves its filters, and how far its tabs count: small, so that it shows.
WINDOW, COUNT_MAX = 100, 50
# A page of rows with all that each row shows; a window for the filters, and one for the counts.
ROWS_MAX = 1_300

Filters = payments.Filters
ASKED: dict[str, Callable[[History], Any]] = {
    "all payments": lambda h: _list(Filters()),
    "a tab with many": lambda h: _list(Filters(tab="succeeded")),
    "a tab with none": lambda h: _list(Filters(tab="canceled")),
    "failed payments": lambda h: _list(Filters(tab="failed")),
    "refunded payments": lambda h: _list(Filters(tab="refunded")),
    "by last four digits that nobody has": lambda h: _list(Filters(last4="4242")),
    "by an amount that all have": lambda h: _list(Filters(amount_min=100, amount_max=100)),
    "by an amount that none has": lambda h: _list(Filters(amount_min=7, amount_max=7)),
    "by a range that none is in": lambda h: _list(Filters(amount_min=7_000)),
    "by a currency that none has": lambda h: _list(Filters(currency="USD")),
    "by a method that none has": lambda h: _list(Filters(method="card")),
    "of a customer": lambda h: _list(Filters(customer=shown("cus", h.id("customer", 3)))),
    "of an order that is not there": lambda h: _list(Filters(order="A-1")),
    "by a rare metadata": lambda h: _list(Filters(metadata=("receipt", "R77"))),
    "by a common metadata": lambda h: _list(Filters(metadata=("channel", "till"))),
    "by a common metadata, and a currency none has": lambda h: _list(
        Filters(metadata=("channel", "till"), currency="USD")
    ),
    "of a day": lambda h: _list(Filters(span=Span(BEGAN, BEGAN + timedelta(days=1)))),
    "before a day": lambda h: _list(Filters(span=Span(None, BEGAN - timedelta(days=9)))),
    "after a cursor": lambda h: payments.page(Filters(), after=h.id("intent", 900)),
    "before a cursor": lambda h: payments.page(Filters(), before=h.id("intent", 900)),
    "how many are new": lambda h: payments.new_since(Filters(), h.id("intent", 900)),
    "one payment": lambda h: story.tell(h.id("intent", 70)),
    "all refunds": lambda h: (refunds.lines(refunds.page(refunds.Filters()).rows), refunds.counts(refunds.Filters())),
    "pending refunds": lambda h: refunds.page(refunds.Filters(tab="pending")),
    "refunds for a reason that none has": lambda h: refunds.page(refunds.Filters(reason="duplicate")),
    "all transactions": lambda h: transactions.lines(transactions.page(transactions.Filters()).rows),
    "transactions of a type that none is": lambda h: transactions.page(transactions.Filters(type="payment_refund")),
}


def _list(filters: Filters) -> None:
    payments.lines(payments.page(filters).rows)
    payments.counts(filters)


@pytest.fixture(scope="module")
def measured(django_db_setup, django_db_blocker):
    """How many rows each question reads, at both sizes."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "WINDOW", WINDOW)
        patch.setattr(windows, "COUNT_MAX", COUNT_MAX)
        name_cluster()
        merchants.found_platform(now=NOW)
        cafe = History("cafe", 1)
        History("bakery", 2).grow_to(SMALL)
        try:
            yield [_measure(size, cafe) for size in (SMALL, LARGE)]
        finally:
            database.empty()


def _measure(size: int, cafe: History) -> dict[str, int]:
    cafe.grow_to(size)
    as_owner("ANALYZE")
    found = {}
    for name, ask in ASKED.items():
        with tenancy.within(cafe.book.pk):
            with CaptureQueriesContext(connections["default"]) as captured:
                ask(cafe)
            found[name] = plans.rows_read("default", [each["sql"] for each in captured])
    with tenancy.within(cafe.book.pk):
        assert PaymentIntent.objects.count() == size
    return found


class TestQuestion:
    @pytest.mark.parametrize("question", ASKED)
    def test_reads_no_more_of_a_long_history(self, question, measured):
        assert max(rows[question] for rows in measured) <= ROWS_MAX
