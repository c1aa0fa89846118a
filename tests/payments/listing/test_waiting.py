"""What waits for a person is counted: late answers, holds that end, refunds and endpoints that failed."""

from datetime import timedelta

import pytest

from merchant_platform.kernel import ids, tenancy
from payments.intents import parking
from payments.listing.waiting import Waiting, waiting
from payments.webhooks.models import DISABLED, FAILING, WebhookEndpoint
from tests.analytics.trade import attempted, card, paid
from tests.cast import NOW

pytestmark = pytest.mark.django_db


def asked(book):
    with tenancy.within(book.pk):
        return waiting(now=NOW, failed_since=NOW - timedelta(days=30))


def endpoint(book, **columns):
    with tenancy.within(book.pk):
        WebhookEndpoint.objects.create(
            id=ids.new(NOW),
            book_id=book.pk,
            url="https://example.com",
            enabled_events=["*"],
            created_at=NOW,
            **columns,
        )


class TestWaiting:
    def test_is_nothing_in_a_quiet_book(self, book, django_assert_num_queries):
        with tenancy.within(book.pk), django_assert_num_queries(1):
            assert waiting(now=NOW, failed_since=NOW) == Waiting(0, 0, 0, 0, 0)

    def test_counts_an_unknown_outcome_once_the_answer_is_late(self, book):
        visa = card(book, "visa", at=NOW)
        for minutes in (5, 15):
            made = paid(book, NOW - timedelta(minutes=minutes), status="processing", method=visa)
            attempted(made, status="unknown")

        assert asked(book).unknown_payments == 1

    def test_counts_holds_that_end_while_somebody_can_still_capture_them(self, book):
        visa = card(book, "visa", at=NOW)
        for hours in (-1, 1, 47, 49):
            made = paid(book, NOW - timedelta(days=5), status="requires_capture", method=visa)
            attempted(made, status="authorized", is_manual=True, expires_at=NOW + timedelta(hours=hours))

        assert asked(book).expiring_holds == 2

    def test_counts_endpoints_that_fail_or_were_switched_off_for_it(self, book):
        endpoint(book)
        endpoint(book, failing_since=NOW)
        endpoint(book, status=DISABLED, disabled_reason=FAILING)
        endpoint(book, status=DISABLED, disabled_reason="merchant")
        endpoint(book, failing_since=NOW, deleted_at=NOW)

        assert asked(book).failing_endpoints == 2

    def test_counts_reports_that_nobody_has_looked_at(self, book):
        with tenancy.within(book.pk):
            parking.park(key="ch_1", reason="another_amount", report={}, now=NOW)
            parking.park(key="ch_1", reason="another_amount", report={}, now=NOW)

        assert asked(book).parked_reports == 1

    def test_sees_nothing_of_another_book(self, book, other_book):
        endpoint(other_book, failing_since=NOW)

        assert asked(book) == Waiting(0, 0, 0, 0, 0)
