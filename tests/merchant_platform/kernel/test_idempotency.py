import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connections

from merchant_platform.kernel import clock, idempotency, tenancy
from merchant_platform.kernel.idempotency import (
    Answer,
    Asked,
    IdempotencyKey,
    KeyInUse,
    KeyReused,
    LockTimeout,
    Request,
)
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.wire import dump
from payments.customers.models import Customer
from tests.architecture.asking import as_owner
from tests.cast import Api, race, wait_until, waiting_for_locks

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "platform"]),
    pytest.mark.requirement("A12"),
]


def request(key: str = "key", **parameters) -> Request:
    return Request(
        key=key,
        fingerprint=idempotency.fingerprint("POST", "/v1/customers", parameters),
        request_id="req_1",
    )


class Work:
    """An operation that counts how often it ran."""

    def __init__(self, *, status: int = 200, moved_money: bool = False) -> None:
        self.runs = 0
        self.status, self.moved_money = status, moved_money

    def __call__(self) -> Answer:
        self.runs += 1
        return Answer(status=self.status, body=f'{{"run":{self.runs}}}', moved_money=self.moved_money)


def stored(book) -> list[tuple]:
    with tenancy.within(book.pk):
        return [*IdempotencyKey.objects.order_by("key").values_list("key", "status", "body", "moved_money")]


class TestFingerprint:
    def test_is_the_same_whatever_the_order(self):
        one = idempotency.fingerprint("POST", "/v1/a", {"a": "1", "b": {"c": "2", "d": ["3"]}})
        other = idempotency.fingerprint("POST", "/v1/a", {"b": {"d": ["3"], "c": "2"}, "a": "1"})

        assert one == other
        assert len(one) == 32

    def test_differs_by_method_path_and_every_parameter(self):
        requests: list[tuple[str, str, dict]] = [
            ("POST", "/v1/a", {"a": "1"}),
            ("DELETE", "/v1/a", {"a": "1"}),
            ("POST", "/v1/b", {"a": "1"}),
            ("POST", "/v1/a", {"a": "2"}),
            ("POST", "/v1/a", {"b": "1"}),
            ("POST", "/v1/a", {"a": "1", "b": ""}),
            ("POST", "/v1/a", {"a": ["1"]}),
            ("POST", "/v1/a", {}),
        ]

        prints = [idempotency.fingerprint(*parts) for parts in requests]

        assert len(set(prints)) == len(prints)


class TestRunOnce:
    def test_runs_the_first_request_and_replays_it_to_the_second(self, book):
        work = Work(status=402, moved_money=True)

        first = idempotency.run_once(book.pk, request(amount="1"), work)
        second = idempotency.run_once(book.pk, request(amount="1"), work)

        assert first == Answer(status=402, body='{"run":1}', moved_money=True)
        assert second == Answer(status=402, body='{"run":1}', is_replay=True, request_id="req_1")
        assert work.runs == 1
        assert stored(book) == [("key", 402, '{"run":1}', True)]

    def test_refuses_another_request_with_the_same_key(self, book):
        work = Work()
        idempotency.run_once(book.pk, request(amount="1"), work)

        with pytest.raises(KeyReused, match="'key'"):
            idempotency.run_once(book.pk, request(amount="2"), work)

        assert work.runs == 1
        assert stored(book) == [("key", 200, '{"run":1}', False)]

    def test_takes_the_same_key_in_another_book(self, book, other_book):
        work = Work()

        for each in (book, other_book):
            idempotency.run_once(each.pk, request(), work)

        assert work.runs == 2
        assert (len(stored(book)), len(stored(other_book))) == (1, 1)

    def test_runs_every_request_without_a_key(self, book):
        work = Work()

        for _ in range(2):
            idempotency.run_once(book.pk, None, work)

        assert work.runs == 2
        assert stored(book) == []

    def test_forgets_the_key_with_what_failed(self, book):
        def fail() -> Answer:
            Customer.objects.create(id=book.pk, book_id=book.pk, created_at=book.now)
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            idempotency.run_once(book.pk, request(), fail)

        assert stored(book) == []
        with tenancy.within(book.pk):
            assert Customer.objects.count() == 0
        assert idempotency.run_once(book.pk, request(), Work()).is_replay is False

    def test_takes_the_effect_back_where_the_answer_cannot_be_kept(self, book):
        def work() -> Answer:
            Customer.objects.create(id=book.pk, book_id=book.pk, created_at=book.now)
            return Answer(status=100_000, body="{}")

        with pytest.raises(Exception, match="out of range"):
            idempotency.run_once(book.pk, request(), work)

        with tenancy.within(book.pk):
            assert (Customer.objects.count(), IdempotencyKey.objects.count()) == (0, 0)

    def test_makes_a_second_request_wait_and_then_replays_the_first(self, book):
        begun, may_end = threading.Event(), threading.Event()

        def slow() -> Answer:
            begun.set()
            assert may_end.wait(60)
            return Answer(status=200, body='"first"')

        def second() -> Answer:
            assert begun.wait(60)
            return idempotency.run_once(book.pk, request(), lambda: Answer(status=200, body='"second"'))

        def release() -> int:
            assert begun.wait(60)
            waiting = wait_until(waiting_for_locks)
            may_end.set()
            return waiting

        first, replay, waiting = race(lambda: idempotency.run_once(book.pk, request(), slow), second, release)

        assert waiting == 1
        assert (first.body, first.is_replay) == ('"first"', False)
        assert (replay.body, replay.is_replay) == ('"first"', True)
        assert stored(book) == [("key", 200, '"first"', False)]

    def test_lets_the_second_request_run_where_the_first_fails(self, book):
        begun, may_end = threading.Event(), threading.Event()

        def failing() -> Answer:
            begun.set()
            assert may_end.wait(60)
            raise ZeroDivisionError

        def second() -> Answer:
            assert begun.wait(60)
            return idempotency.run_once(book.pk, request(), lambda: Answer(status=200, body='"second"'))

        def release() -> None:
            assert begun.wait(60)
            wait_until(waiting_for_locks)
            may_end.set()

        first, ran, _ = race(lambda: idempotency.run_once(book.pk, request(), failing), second, release)

        assert isinstance(first, ZeroDivisionError)
        assert (ran.body, ran.is_replay) == ('"second"', False)

    def test_gives_up_where_the_first_takes_longer_than_the_server_waits(self, book):
        begun, may_end = threading.Event(), threading.Event()

        def slow() -> Answer:
            begun.set()
            assert may_end.wait(60)
            return Answer(status=200, body='"first"')

        def impatient() -> Answer:
            assert begun.wait(60)
            try:
                wait_less()
                return idempotency.run_once(book.pk, request(), Work())
            finally:
                may_end.set()

        first, second = race(lambda: idempotency.run_once(book.pk, request(), slow), impatient)

        assert first.body == '"first"'
        assert isinstance(second, LockTimeout)
        assert second.code == "lock_timeout"

    def test_tells_of_a_deadlock_as_of_a_wait_that_was_too_long(self, book):
        """Two requests that lock two rows in opposite order: the server ends one, whose client may try again."""
        held = [threading.Event(), threading.Event()]
        with tenancy.within(book.pk):
            rows = [
                Customer.objects.create(id=each, book_id=book.pk, created_at=book.now)
                for each in (book.pk, book.merchant_id)
            ]

        def lock_both(mine: int) -> Answer:
            def work() -> Answer:
                Customer.objects.select_for_update().get(pk=rows[mine].pk)
                held[mine].set()
                assert held[1 - mine].wait(60)
                Customer.objects.select_for_update().get(pk=rows[1 - mine].pk)
                return Answer(status=200, body="{}")

            return idempotency.run_once(book.pk, request(key=str(mine)), work)

        outcomes = race(lambda: lock_both(0), lambda: lock_both(1))

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Answer", "LockTimeout"]

    def test_lets_other_errors_of_the_database_be_what_they_are(self, book):
        def twice() -> Answer:
            for _ in range(2):
                Customer.objects.create(id=book.pk, book_id=book.pk, created_at=book.now)
            raise AssertionError

        with pytest.raises(IntegrityError):
            idempotency.run_once(book.pk, request(), twice)


class TestRunAround:
    """Two transactions with a question between them; `request()` is the same request each time."""

    def run(self, book, *, first=None, ask=None, second=None):
        return idempotency.run_around(
            book.pk,
            request(),
            first=first or (lambda writes: Asked("cus_1", "question")),
            ask=ask or (lambda question: f"answer to {question}"),
            second=second or (lambda question, heard, writes: Answer(status=200, body=dump(heard))),
        )

    def test_answers_with_what_was_heard_and_replays_it(self, book):
        first, second = self.run(book), self.run(book)

        assert (first.body, first.is_replay) == ('"answer to question"', False)
        assert (second.body, second.is_replay) == ('"answer to question"', True)

    def test_asks_nobody_where_the_first_transaction_answers(self, book):
        answered = self.run(book, first=lambda writes: Answer(status=200, body='"at once"'), ask=lambda _: 1 / 0)

        assert answered.body == '"at once"'
        assert self.run(book).is_replay

    def test_sends_what_either_transaction_left_to_be_written(self, book):
        def write(writes) -> None:
            writes.insert(unsaved(Customer, id=uuid4(), book_id=book.pk, created_at=book.now))

        def first(writes):
            write(writes)
            return Asked("cus_1", "question")

        def second(question, heard, writes):
            assert Customer.objects.count() == 1
            write(writes)
            return Answer(status=200, body="{}")

        self.run(book, first=first, second=second)

        with tenancy.within(book.pk):
            assert Customer.objects.count() == 2

    def test_refuses_a_repetition_while_it_asks(self, book):
        refused = []

        def ask(question):
            with pytest.raises(KeyInUse) as caught:
                self.run(book)
            refused.append(caught.value.code)

        self.run(book, ask=ask)

        assert refused == ["idempotency_key_in_use"]

    def test_keeps_the_sweeps_answer_where_that_was_faster(self, book):
        def ask(question):
            [flying] = idempotency.in_flight(now=clock.wall() + timedelta(minutes=2))
            with tenancy.within(book.pk):
                assert idempotency.settle(flying, Answer(status=200, body='"the sweep"'))

        assert self.run(book, ask=ask).body == '"the sweep"'

    def test_begins_anew_once_a_key_was_released(self, book):
        with pytest.raises(ZeroDivisionError):
            self.run(book, ask=lambda _: 1 / 0)
        [flying] = idempotency.in_flight(now=clock.wall() + timedelta(minutes=2))

        with tenancy.within(book.pk):
            assert (idempotency.release(flying), idempotency.release(flying)) == (True, False)

        assert self.run(book).is_replay is False


class TestPurge:
    @pytest.mark.parametrize(
        ("moved_money", "age", "is_kept"),
        [
            (False, timedelta(hours=23), True),
            (False, timedelta(hours=25), False),
            (True, timedelta(hours=25), True),
            (True, timedelta(days=6, hours=23), True),
            (True, timedelta(days=7, hours=1), False),
        ],
    )
    def test_keeps_a_day_and_a_week_where_money_moved(self, book, moved_money, age, is_kept):
        now = clock.wall()
        idempotency.run_once(book.pk, request(), Work(moved_money=moved_money))
        as_owner("UPDATE kernel_idempotencykey SET created_at = %s", [now - age])

        gone = idempotency.purge(now=now)

        assert (gone, len(stored(book))) == (0, 1) if is_kept else (1, 0)

    def test_goes_through_all_books(self, book, other_book):
        for each in (book, other_book):
            idempotency.run_once(each.pk, request(), Work())

        assert idempotency.purge(now=clock.wall() + timedelta(days=2)) == 2
        assert stored(book) == stored(other_book) == []


class TestOverTheApi:
    """What a client sees of all this."""

    def test_replays_with_the_headers_that_say_so(self, api, book):
        first = api.post("customers", {"name": "Lin"}, idempotency_key="one")
        again = api.post("customers", {"name": "Lin"}, idempotency_key="one")

        assert (again.status, again.json) == (200, first.json)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Original-Request"] == first.headers["Request-Id"]
        assert again.headers["Request-Id"] != first.headers["Request-Id"]
        assert again.headers["Stripe-Should-Retry"] == "false"
        with tenancy.within(book.pk):
            assert Customer.objects.count() == 1

    def test_takes_the_same_parameters_in_another_order_or_as_json_text_for_the_same(self, api):
        first = api.post("customers", {"name": "Lin", "phone": "1"}, idempotency_key="one")

        reordered = api.post("customers", {"phone": "1", "name": "Lin"}, idempotency_key="one")
        as_json = api.post("customers", json={"phone": "1", "name": "Lin"}, idempotency_key="one")

        assert first.json == reordered.json == as_json.json

    @pytest.mark.parametrize(
        ("path", "params"), [("customers", {"name": "Wang"}), ("customers", {}), ("products", {"name": "Lin"})]
    )
    def test_refuses_the_key_for_anything_else(self, api, path, params):
        api.post("customers", {"name": "Lin"}, idempotency_key="one")

        reply = api.post(path, params, idempotency_key="one")

        assert (reply.status, reply.error["type"], reply.error["code"]) == (
            400,
            "idempotency_error",
            "idempotency_error",
        )
        assert "Idempotent-Replayed" not in reply.headers

    def test_belongs_to_the_book_and_not_to_the_key_it_was_sent_with(self, api, make_key, book, other_api):
        first = api.post("customers", {"name": "Lin"}, idempotency_key="one")

        colleague = Api(make_key(book)).post("customers", {"name": "Lin"}, idempotency_key="one")
        stranger = other_api.post("customers", {"name": "Wang"}, idempotency_key="one")

        assert colleague.json == first.json
        assert (stranger.status, stranger.json["name"]) == (200, "Wang")

    def test_stores_no_refusal_of_what_was_sent(self, api):
        refused = api.post("customers", {"colour": "red"}, idempotency_key="one")
        mended = api.post("customers", {"name": "Lin"}, idempotency_key="one")

        assert (refused.status, mended.status) == (400, 200)

    @pytest.mark.parametrize(("sent", "status"), [("x" * 255, 200), ("x" * 256, 400), ("", 200), ("a b", 200)])
    def test_takes_keys_of_up_to_255_characters(self, api, sent, status):
        reply = api.post("customers", {}, idempotency_key=sent)

        assert reply.status == status
        if status == 400:
            assert reply.error["code"] == "idempotency_key_invalid"

    def test_answers_409_where_the_first_takes_too_long(self, api, book):
        begun, may_end = threading.Event(), threading.Event()

        def first() -> None:
            """The row of a first request that has not committed yet."""
            with tenancy.within(book.pk):
                IdempotencyKey.objects.create(book_id=book.pk, key="one", fingerprint=b"", request_id="req_0")
                begun.set()
                assert may_end.wait(60)

        def second():
            assert begun.wait(60)
            try:
                wait_less()
                return api.post("customers", {"name": "Lin"}, idempotency_key="one")
            finally:
                may_end.set()

        _, reply = race(first, second)

        assert (reply.status, reply.error["type"], reply.error["code"]) == (
            409,
            "invalid_request_error",
            "lock_timeout",
        )
        assert "Stripe-Should-Retry" not in reply.headers

    def test_makes_one_object_for_a_crowd_with_one_key(self, api, book):
        replies = race(*[lambda: api.post("customers", {"name": "Lin"}, idempotency_key="one")] * 8)

        assert {reply.status for reply in replies} == {200}
        assert len({reply.json["id"] for reply in replies}) == 1
        assert sum("Idempotent-Replayed" not in reply.headers for reply in replies) == 1
        with tenancy.within(book.pk):
            assert Customer.objects.count() == 1


def wait_less() -> None:
    """Make this thread's connection wait a tenth of a second for a lock; it ends with the thread."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
