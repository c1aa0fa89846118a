import pytest
from django.db import transaction

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.events import outbox, router
from merchant_platform.kernel.events.models import Delivery, Event
from merchant_platform.kernel.wire import load
from tests.cast import NOW

HERE = __name__


def mail(event) -> None:
    """A handler; what it does is the relay's affair."""


def count(event) -> None:
    """Another."""


@pytest.fixture
def told(reactions):
    reactions["order.paid"] = (f"{HERE}.mail", f"{HERE}.count")
    reactions["order.lost"] = (f"{HERE}.mail",)


class TestRow:
    def test_is_the_finished_event(self, told):
        row = outbox.row(
            "order.paid",
            {"id": "ord_1", "amount": 1_200},
            now=NOW,
            previous={"status": "open"},
            request_id="req_1",
            idempotency_key="one",
        )

        assert ids.made_at(row.id) == NOW
        assert (row.type, row.created_at, row.is_public) == ("order.paid", NOW, True)
        assert (row.data, row.previous_attributes) == ('{"id":"ord_1","amount":1200}', '{"status":"open"}')
        assert (row.request_id, row.idempotency_key) == ("req_1", "one")
        assert row.targets == (f"{HERE}.mail", f"{HERE}.count")

    def test_takes_json_that_exists_already_as_it_is(self):
        assert outbox.row("order.paid", '{"id": "ord_1"}', now=NOW).data == '{"id": "ord_1"}'

    def test_tells_nothing_before_from_nothing_changed(self):
        assert outbox.row("order.paid", {}, now=NOW).previous_attributes is None
        assert outbox.row("order.paid", {}, now=NOW, previous={}).previous_attributes == "{}"

    def test_is_owed_to_nobody_where_nobody_reacts(self, told):
        assert outbox.row("order.seen", {}, now=NOW).targets == ()


class TestChanged:
    def test_is_what_was_there_before(self):
        before = {"name": "Lin", "email": "a@b.c", "metadata": {}}

        assert outbox.changed(before, {"name": "Wang", "email": "a@b.c", "metadata": {"a": "1"}}) == {
            "name": "Lin",
            "metadata": {},
        }
        assert outbox.changed(before, dict(before)) == {}


@pytest.mark.django_db(transaction=True)
class TestPublish:
    def test_writes_events_and_what_is_owed(self, told, book):
        paid = outbox.row("order.paid", {"id": "ord_1"}, now=NOW, previous={"status": "open"}, request_id="req_1")
        seen = outbox.row("order.seen", {"id": "ord_2"}, now=NOW, is_public=False)

        with tenancy.within(book.pk):
            outbox.publish(paid, seen)

        with tenancy.within(book.pk):
            events = {event.pk: event for event in Event.objects.all()}
            owed = sorted(Delivery.objects.values_list("event_id", "target", "attempts_count", "done_at", "dead_at"))
        assert set(events) == {paid.id, seen.id}
        assert (events[paid.id].type, load(events[paid.id].data), events[paid.id].created_at) == (
            "order.paid",
            {"id": "ord_1"},
            NOW,
        )
        assert (events[paid.id].request_id, events[paid.id].idempotency_key) == ("req_1", None)
        assert (events[paid.id].is_public, events[seen.id].is_public) == (True, False)
        assert owed == [(paid.id, f"{HERE}.count", 0, None, None), (paid.id, f"{HERE}.mail", 0, None, None)]

    def test_is_due_at_once_in_the_worlds_time_whatever_the_books(self, told, book):
        before = clock.wall()

        with tenancy.within(book.pk):
            outbox.publish(outbox.row("order.lost", {}, now=NOW))
            due_at = Delivery.objects.get().due_at

        assert abs((due_at - before).total_seconds()) < 60

    def test_is_refused_outside_a_transaction(self, book):
        with pytest.raises(outbox.OutsideTransaction):
            outbox.publish(outbox.row("order.paid", {}, now=NOW))

    def test_is_refused_where_no_book_is_open(self):
        with pytest.raises(tenancy.NoBook), transaction.atomic():
            outbox.publish(outbox.row("order.paid", {}, now=NOW))

    def test_is_taken_back_with_its_cause(self, told, book):
        def fail() -> None:
            outbox.publish(outbox.row("order.paid", {}, now=NOW))
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), tenancy.within(book.pk):
            fail()

        with tenancy.within(book.pk):
            assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)

    def test_takes_one_statement_for_any_number(self, told, book, django_assert_num_queries):
        rows = [outbox.row("order.paid", {"n": number}, now=NOW) for number in range(200)]

        with tenancy.within(book.pk), django_assert_num_queries(1):
            outbox.publish(*rows)

        with tenancy.within(book.pk):
            assert (Event.objects.count(), Delivery.objects.count()) == (200, 400)

    def test_writes_nothing_of_nothing(self, book):
        with tenancy.within(book.pk):
            outbox.publish()

            assert Event.objects.count() == 0

    def test_keeps_the_order_of_what_happened(self, book):
        with tenancy.within(book.pk):
            for number in range(20):
                outbox.publish(outbox.row(f"step.{number}", {}, now=NOW))

            types = [*Event.objects.order_by("pk").values_list("type", flat=True)]

        assert types == [f"step.{number}" for number in range(20)]


class TestRouter:
    def test_knows_who_reacts_by_the_one_page(self, told):
        assert router.targets("order.lost") == (f"{HERE}.mail",)
        assert router.targets("order.unheard") == ()

    def test_finds_the_function_behind_a_name(self, told):
        assert router.handler(f"{HERE}.mail") is mail

    def test_refuses_a_name_that_is_gone(self):
        with pytest.raises(ImportError):
            router.handler("merchant_platform.alarms.gone")

    def test_reads_the_page_of_the_roof_when_no_test_brings_its_own(self):
        router.reset()

        assert router.targets("ledger.difference_found") == ("merchant_platform.alarms.mail_operators",)
        assert router.handler(router.targets("ledger.difference_found")[0]).__name__ == "mail_operators"
