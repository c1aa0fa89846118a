"""Notices kept once, told of by an event in the same transaction, applied or parked."""

import json

import pytest

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from payments.providers.notices import operations as notices
from payments.providers.notices.models import Notice
from tests.cast import NOW, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A40")]


def receive(book, notice_id="ntc_1", body="{}"):
    with tenancy.within(book.pk):
        return notices.receive(provider="sandbox", notice_id=notice_id, body=body, received_at=NOW, now=NOW)


class TestReceive:
    def test_keeps_it_as_it_came_and_tells_of_it(self, book):
        notice = receive(book, body='{"as": "it came"}')

        with tenancy.within(book.pk):
            kept, event = Notice.objects.get(), Event.objects.get()
        assert (kept.pk, kept.provider, kept.notice_id, kept.body) == (
            notice.pk,
            "sandbox",
            "ntc_1",
            '{"as": "it came"}',
        )
        assert (kept.received_at, kept.applied_at, kept.parked_reason) == (NOW, None, None)
        assert (event.type, event.is_public) == ("provider.notice_received", False)
        assert json.loads(event.data) == {"notice": ids.show("ntc", notice.pk), "provider": "sandbox"}

    def test_keeps_it_once_a_book(self, book, other_book):
        assert receive(book) is not None
        assert receive(book) is None
        assert receive(other_book) is not None

        with tenancy.within(book.pk):
            assert (Notice.objects.count(), Event.objects.count()) == (1, 1)

    def test_keeps_one_of_two_that_come_at_once(self, book):
        kept = race(*[lambda: receive(book)] * 4)

        assert sum(each is not None for each in kept) == 1
        with tenancy.within(book.pk):
            assert (Notice.objects.count(), Event.objects.count()) == (1, 1)


class TestMarkApplied:
    def test_writes_when_and_once(self, book):
        notice = receive(book)

        with tenancy.within(book.pk):
            notices.park(notice_id=notice.pk, reason="amount_differs")
            notices.mark_applied(notice_id=notice.pk, now=NOW)
            applied = Notice.objects.get()
            with pytest.raises(notices.AlreadyApplied):
                notices.mark_applied(notice_id=notice.pk, now=NOW)
            with pytest.raises(notices.AlreadyApplied):
                notices.park(notice_id=notice.pk, reason="amount_differs")

        assert (applied.applied_at, applied.parked_reason) == (NOW, None)

    def test_reaches_no_notice_of_another_book(self, book, other_book):
        notice = receive(book)

        with tenancy.within(other_book.pk), pytest.raises(notices.AlreadyApplied):
            notices.mark_applied(notice_id=notice.pk, now=NOW)

        with tenancy.within(book.pk):
            assert Notice.objects.get().applied_at is None


class TestPark:
    def test_sets_it_aside_with_a_reason(self, book):
        notice = receive(book)

        with tenancy.within(book.pk):
            notices.park(notice_id=notice.pk, reason="amount_differs")
            assert Notice.objects.get().parked_reason == "amount_differs"
