"""The relay: at least once, the effect and its mark together, and nobody stops it."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.events import outbox, relay, router
from merchant_platform.kernel.events.models import Delivery, Event
from payments.customers.models import Customer
from tests.architecture.asking import as_owner, ask
from tests.cast import NOW, race

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

HERE = __name__


class Handled:
    """What the handlers below were told, and what they are to do."""

    events: list[str] = []
    parties: list[list[str]] = []
    behave = staticmethod(lambda event: None)


def handle(event: Event) -> None:
    """A handler whose effect is a row, so that a test sees whether it was kept."""
    Handled.events.append(event.data)
    Customer.objects.create(id=ids.new(NOW), book_id=event.book_id, name=event.data, created_at=NOW)
    Handled.behave(event)


def handle_too(event: Event) -> None:
    """A second handler of the same event."""
    Handled.events.append(f"too: {event.data}")


@router.together
def handle_many(events: Sequence[Event]) -> None:
    """A handler that takes many, and has one statement for them."""
    Handled.parties.append([event.data for event in events])
    Customer.objects.bulk_create(
        Customer(id=ids.new(NOW), book_id=event.book_id, name=event.data, created_at=NOW) for event in events
    )
    for event in events:
        Handled.behave(event)


def fail(event: Event) -> None:
    raise ValueError("the mail server is away")


@pytest.fixture(autouse=True)
def handled(reactions):
    reactions["order.paid"] = (f"{HERE}.handle",)
    reactions["order.told_twice"] = (f"{HERE}.handle", f"{HERE}.handle_too")
    reactions["order.followed"] = (f"{HERE}.handle_many",)
    reactions["order.orphaned"] = ("merchant_platform.gone.handler",)
    Handled.events, Handled.parties, Handled.behave = [], [], staticmethod(lambda event: None)
    return Handled


@pytest.fixture
def now():
    """Deliveries fall due in the world's time, a moment ago."""
    return clock.wall() + timedelta(seconds=1)


def publish(book, *names: str, event_type: str = "order.paid") -> None:
    with tenancy.within(book.pk):
        outbox.publish(*(outbox.row(event_type, f'"{name}"', now=NOW) for name in names))


def deliveries(book) -> list[Delivery]:
    with tenancy.within(book.pk):
        return [*Delivery.objects.order_by("pk")]


def effects(book) -> list[str]:
    with tenancy.within(book.pk):
        return sorted(str(name) for name in Customer.objects.values_list("name", flat=True))


class TestRunOnce:
    def test_hands_over_what_is_owed(self, book, handled, now):
        publish(book, "first", "second")

        assert relay.run_once(now=now) == 2

        assert sorted(handled.events) == effects(book) == ['"first"', '"second"']
        assert [(d.done_at, d.dead_at, d.claimed_until, d.attempts_count) for d in deliveries(book)] == [
            (now, None, None, 1),
            (now, None, None, 1),
        ]

    def test_hands_over_nothing_a_second_time(self, book, handled, now):
        publish(book, "first")
        relay.run_once(now=now)

        assert relay.run_once(now=now + timedelta(days=30)) == 0
        assert handled.events == ['"first"']

    def test_tells_every_handler_of_an_event(self, book, handled, now):
        publish(book, "first", event_type="order.told_twice")

        assert relay.run_once(now=now) == 2

        assert sorted(handled.events) == ['"first"', 'too: "first"']

    def test_goes_through_all_books_in_the_name_of_each(self, book, other_book, handled, now):
        publish(book, "ours")
        publish(other_book, "theirs")

        assert relay.run_once(now=now) == 2

        assert (effects(book), effects(other_book)) == (['"ours"'], ['"theirs"'])

    def test_works_as_the_app_role(self, book, handled, now):
        roles = []
        handled.behave = lambda event: roles.extend(ask("default", "SELECT current_user = 'merchant_app'"))
        publish(book, "first")

        relay.run_once(now=now)

        assert roles == [(True,)]

    def test_leaves_what_is_not_due(self, book, handled, now):
        publish(book, "first")
        due_at = deliveries(book)[0].due_at

        assert relay.run_once(now=due_at - timedelta(microseconds=1)) == 0
        assert relay.run_once(now=due_at) == 1

    def test_takes_no_more_than_a_batch_the_longest_due_first(self, book, handled, now):
        for name in ("first", "second", "third"):
            publish(book, name)

        batches = [relay.run_once(now=now, limit=2) for _ in range(3)]

        assert batches == [2, 1, 0]
        assert sorted(handled.events[:2]) == ['"first"', '"second"']

    def test_has_nothing_to_do_where_nothing_is_owed(self, now):
        assert relay.run_once(now=now) == 0


class TestFailure:
    def test_keeps_neither_effect_nor_mark(self, book, handled, now):
        handled.behave = fail
        publish(book, "first")

        relay.run_once(now=now)

        (delivery,) = deliveries(book)
        assert handled.events == ['"first"']
        assert effects(book) == []
        assert (delivery.done_at, delivery.dead_at, delivery.claimed_until) == (None, None, None)
        assert delivery.last_error == "ValueError: the mail server is away"

    def test_is_tried_again_later_and_later_and_dies_in_the_end(self, book, handled, now):
        handled.behave = fail
        publish(book, "first")

        waits = []
        for _ in relay.RETRY_AFTER:
            assert relay.run_once(now=now) == 1
            due_at = deliveries(book)[0].due_at
            assert relay.run_once(now=due_at - timedelta(microseconds=1)) == 0
            waits.append((due_at - now).total_seconds())
            now = due_at
        relay.run_once(now=now)

        (delivery,) = deliveries(book)
        assert waits == [5, 30, 120, 600, 3_600, 21_600, 86_400]
        assert len(handled.events) == 8
        assert (delivery.dead_at, delivery.done_at, delivery.attempts_count) == (now, None, 8)
        assert relay.run_once(now=now + timedelta(days=365)) == 0

    def test_heals(self, book, handled, now):
        handled.behave = fail
        publish(book, "first")
        relay.run_once(now=now)
        handled.behave = lambda event: None

        relay.run_once(now=now + timedelta(seconds=5))

        (delivery,) = deliveries(book)
        assert effects(book) == ['"first"']
        assert (delivery.done_at, delivery.last_error, delivery.attempts_count) == (now + timedelta(seconds=5), "", 2)

    def test_of_one_handler_leaves_the_others_alone(self, book, handled, now):
        handled.behave = fail
        publish(book, "first", event_type="order.told_twice")
        publish(book, "second", event_type="order.told_twice")

        relay.run_once(now=now)

        assert sorted(handled.events) == ['"first"', '"second"', 'too: "first"', 'too: "second"']
        assert [d.done_at for d in deliveries(book) if d.target.endswith("handle_too")] == [now, now]

    def test_of_the_database_is_a_failure_like_any_other(self, book, handled, now):
        handled.behave = lambda event: ask("default", "SELECT 1/0")
        publish(book, "first", "second")

        assert relay.run_once(now=now) == 2

        assert [d.last_error.partition(":")[0] for d in deliveries(book)] == ["DataError", "DataError"]
        assert effects(book) == []

    def test_that_a_handler_hides_from_itself_is_seen(self, book, handled, now):
        """It caught the database's error, but the transaction is lost all the same."""

        def swallow(event):
            try:
                ask("default", "SELECT 1/0")
            except Exception:
                return

        handled.behave = swallow
        publish(book, "first")

        relay.run_once(now=now)

        (delivery,) = deliveries(book)
        assert (delivery.done_at, effects(book)) == (None, [])
        assert delivery.last_error != ""

    def test_to_find_the_handler_is_a_failure_too(self, book, now):
        publish(book, "first", event_type="order.orphaned")

        assert relay.run_once(now=now) == 1

        assert deliveries(book)[0].last_error.startswith("ModuleNotFoundError")

    def test_keeps_a_bounded_part_of_what_it_said(self, book, handled, now):
        def shout(event):
            raise ValueError("x" * 10_000)

        handled.behave = shout
        publish(book, "first")

        relay.run_once(now=now)

        assert len(deliveries(book)[0].last_error) == relay.ERROR_LENGTH

    def test_is_logged_by_ids_alone(self, book, handled, now, caplog):
        handled.behave = fail
        publish(book, "a person's name")

        relay.run_once(now=now)

        (record,) = (each for each in caplog.records if each.name == relay.logger.name)
        assert record.getMessage() == "an event handler failed"
        assert (record.delivery, record.target) == (str(deliveries(book)[0].pk), f"{HERE}.handle")


class TestTogether:
    def test_go_the_events_of_one_book_in_the_order_they_were_made(self, book, other_book, handled, now):
        publish(book, "first", "second", "third", event_type="order.followed")
        publish(other_book, "theirs", event_type="order.followed")

        assert relay.run_once(now=now) == 4

        assert sorted(handled.parties) == [['"first"', '"second"', '"third"'], ['"theirs"']]
        assert effects(book) == ['"first"', '"second"', '"third"']
        assert [delivery.done_at for delivery in deliveries(book)] == [now] * 3

    def test_takes_as_many_statements_for_many_as_for_one(self, book, handled, now):
        counts = []
        for number in (1, 40):
            publish(book, *(f"{number}.{each}" for each in range(number)), event_type="order.followed")
            with CaptureQueriesContext(connections["default"]) as asked:
                assert relay.run_once(now=now) == number
            counts.append(len(asked))

        assert counts[0] == counts[1]

    def test_go_no_more_than_others_can_wait_for(self, book, handled, now, monkeypatch):
        monkeypatch.setattr(relay, "TOGETHER_MAX", 2)
        publish(book, "first", "second", "third", event_type="order.followed")

        relay.run_once(now=now)

        assert sorted(len(party) for party in handled.parties) == [1, 2]

    def test_goes_each_alone_where_one_fails(self, book, handled, now):
        handled.behave = lambda event: fail(event) if event.data == '"second"' else None
        publish(book, "first", "second", "third", event_type="order.followed")

        relay.run_once(now=now)

        assert effects(book) == ['"first"', '"third"']
        assert [(bool(d.done_at), d.attempts_count) for d in deliveries(book)] == [(True, 1), (False, 1), (True, 1)]

    @pytest.mark.parametrize("event_type", ["order.paid", "order.followed"])
    def test_without_its_event_is_a_failure_and_no_other_suffers(self, book, handled, now, event_type, monkeypatch):
        publish(book, "first", "second", event_type=event_type)
        # A foreign key holds it: only a restore in part, or a role that may not see it, looks so.
        monkeypatch.setattr(relay, "Event", SimpleNamespace(objects=Event.objects.exclude(data='"first"')))

        relay.run_once(now=now)

        assert effects(book) == ['"second"']
        gone = "EventMissing: an event that is owed is not there"
        assert [(bool(d.done_at), d.last_error) for d in deliveries(book)] == [(False, gone), (True, "")]

    def test_goes_alone_who_came_before(self, book, handled, now):
        handled.behave = fail
        publish(book, "first", "second", event_type="order.followed")
        relay.run_once(now=now)
        handled.parties.clear()

        relay.run_once(now=now + timedelta(minutes=1))

        assert sorted(handled.parties) == [['"first"'], ['"second"']]


class TestCrash:
    def test_between_claim_and_mark_repeats_the_handler_when_the_lease_ends(self, book, handled, now):
        publish(book, "first")

        def crash(event):
            raise KeyboardInterrupt

        handled.behave = crash
        with pytest.raises(KeyboardInterrupt):
            relay.run_once(now=now)
        handled.behave = lambda event: None
        meanwhile = relay.run_once(now=now + relay.LEASE)
        afterwards = relay.run_once(now=now + relay.LEASE + timedelta(microseconds=1))

        assert (meanwhile, afterwards) == (0, 1)
        assert handled.events == ['"first"', '"first"']
        assert effects(book) == ['"first"']
        assert deliveries(book)[0].attempts_count == 2


class TestTwoRelays:
    def test_share_the_work_and_hand_over_each_event_once(self, book, handled, now):
        names = [f"event {number:02}" for number in range(40)]
        publish(book, *names)

        claimed = race(*[lambda: relay.run_once(now=now, limit=5)] * 8)

        assert claimed == [5] * 8
        assert effects(book) == [f'"{name}"' for name in names]
        assert sorted(handled.events) == effects(book)

    def test_leave_what_one_has_in_hand_though_its_lease_ran_out(self, book, handled, now):
        begun, may_end = threading.Event(), threading.Event()

        def linger(event):
            begun.set()
            assert may_end.wait(60)

        handled.behave = linger
        publish(book, "first")

        def second() -> int:
            assert begun.wait(60)
            try:
                return relay.run_once(now=now + relay.LEASE * 2)
            finally:
                may_end.set()

        claimed = race(lambda: relay.run_once(now=now), second)

        assert claimed == [1, 0]
        assert handled.events == effects(book) == ['"first"']

    def test_do_not_repeat_what_both_had_claimed(self, book, handled, now):
        """The first was so slow with the rest of its batch that the second claimed this one too, and began with it."""
        publish(book, "first")
        (early,), (late,) = (relay._claim(now=at, limit=1) for at in (now, now + relay.LEASE * 2))
        begun, may_end = threading.Event(), threading.Event()

        def linger(event):
            begun.set()
            assert may_end.wait(60)

        handled.behave = linger

        def first() -> None:
            assert begun.wait(60)
            try:
                relay._hand_over([early], now=now)
            finally:
                may_end.set()

        race(first, lambda: relay._hand_over([late], now=now))

        assert early.id == late.id
        assert handled.events == effects(book) == ['"first"']

    def test_skip_what_another_holds_instead_of_waiting(self, book, handled, now):
        publish(book, "held", "free")
        held = deliveries(book)[0].pk
        locked, may_end = threading.Event(), threading.Event()

        def hold() -> None:
            with tenancy.within(book.pk):
                Delivery.objects.select_for_update().get(pk=held)
                locked.set()
                assert may_end.wait(60)

        def relay_on() -> int:
            assert locked.wait(60)
            try:
                return relay.run_once(now=now)
            finally:
                may_end.set()

        _, claimed = race(hold, relay_on)

        assert claimed == 1
        assert len(handled.events) == 1


class TestQueue:
    def test_is_owed_once_a_handler_and_event(self, book):
        publish(book, "first")

        with pytest.raises(Exception, match="kernel_delivery_is_owed_once"):
            as_owner(
                "INSERT INTO kernel_delivery (id, book_id, event_id, target, attempts_count, last_error)"
                " SELECT gen_random_uuid(), book_id, event_id, target, 0, '' FROM kernel_delivery"
            )
