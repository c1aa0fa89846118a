"""From a request to its row: what is kept, what never is, and that no request waits for it."""

import logging
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.request_log import buffer, lines, operations, queries
from merchant_platform.kernel.request_log.models import LoggedRequest
from security.credentials import authentication
from tests.cast import shown

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
NUMBER, CODE = "4242424242424242", "737"


@pytest.fixture(autouse=True)
def log():
    """The buffer of this process, empty before and after."""
    buffer.log.reset()
    yield buffer.log
    buffer.log.reset()


def rows(book):
    with tenancy.within(book.pk):
        return list(LoggedRequest.objects.order_by("pk"))


class TestARequest:
    def test_is_kept_with_what_it_was_about(self, api, book, customer, wallet_method, log):
        method = wallet_method(customer, 5_000)
        reply = api.post(
            "payment_intents",
            {"amount": 1_200, "currency": "cny", "payment_method": shown("pm", method), "confirm": True},
            idempotency_key="order-7",
            headers={"User-Agent": "shop/1.0"},
        )

        assert log.flush() == 1

        (row,) = rows(book)
        assert ids.show("req", row.pk) == reply.headers["Request-Id"]
        assert (row.method, row.path, row.status, row.status_class) == ("POST", "/v1/payment_intents", 200, 2)
        assert row.object_id == reply.json["id"]
        assert (row.error_code, row.error_param, row.original_request_id) == ("", "", "")
        assert row.key_id == authentication.authenticate(api.key).key_id
        assert (row.key_kind, row.user_agent, row.ip) == ("secret", "shop/1.0", "127.0.0.1")
        assert row.idempotency_key_hash == lines.hash_of("order-7")
        assert row.duration_us > 0
        with tenancy.within(book.pk):
            told = set(Event.objects.filter(pk__in=row.event_ids).values_list("type", flat=True))
        assert told == {"payment_intent.created", "payment_intent.succeeded", "charge.succeeded"}

    def test_that_was_refused_says_why_and_where(self, api, book, log):
        api.post("payment_intents", {"amount": 0, "currency": "cny"})
        api.get("customers/cus_0000000000000000000000")
        log.flush()

        wrong, missing = rows(book)
        assert (wrong.status, wrong.error_code, wrong.error_param) == (400, "parameter_invalid_integer", "amount")
        assert (missing.status, missing.status_class, missing.path) == (404, 4, "/v1/customers/{id}")
        assert (missing.object_id, missing.error_code) == ("cus_0000000000000000000000", "resource_missing")

    def test_that_is_repeated_names_the_first(self, api, book, log):
        first = api.post("customers", {"name": "Lin Mei"}, idempotency_key="once")
        api.post("customers", {"name": "Lin Mei"}, idempotency_key="once")
        log.flush()

        _, second = rows(book)
        assert second.original_request_id == first.headers["Request-Id"]
        assert second.event_ids == []

    def test_without_a_key_is_nobodys(self, api, log):
        assert api.with_key(None).get("customers").status == 401
        assert api.with_key("sk_test_wrong").get("customers").status == 401

        assert log.flush() == 0

    def test_makes_no_round_trip_for_it(self, api, customer):
        api.get("customers")
        with (
            CaptureQueriesContext(connections["default"]) as ours,
            CaptureQueriesContext(connections["platform"]) as platforms,
        ):
            api.get("customers")

        assert not [query for query in (*ours, *platforms) if "loggedrequest" in query["sql"]]

    @pytest.mark.requirement("B30")
    def test_keeps_no_secret_wherever_a_client_puts_it(self, api, book, log):
        """Seeded everywhere that a client can write; then every column of every row is searched."""
        secret = api.key.removeprefix("sk_test_")
        card = {"number": NUMBER, "exp_month": 12, "exp_year": 2030, "cvc": CODE}
        api.post("payment_methods", {"type": "card", "card": card}, idempotency_key=f"{NUMBER}-{CODE}")
        api.post("customers", {NUMBER: "x"}, idempotency_key=secret)
        api.post("customers", {f"card_{NUMBER}": "x", "metadata": {NUMBER: "x" * 600}})
        api.post("customers", {"metadata": {f"k{NUMBER}": "x" * 600}})
        api.get(f"payment_intents/{NUMBER}")
        api.get(f"payment_intents/{api.key}")
        api.get("customers", {"email": NUMBER, "starting_after": NUMBER})
        api.post("customers", {"email": f"{NUMBER}@example.com"}, headers={"User-Agent": f"pay {NUMBER} {api.key}"})
        api.post("customers", {}, headers={"User-Agent": "4242 4242 4242 4242 cvc=737"})

        assert log.flush() == 9

        kept = " ".join(str(value) for row in values_of(book) for value in row)
        for word in (NUMBER, "4242 4242", CODE + "}", "cvc", secret, "lin.mei", "example.com"):
            assert word not in kept

    def test_is_its_own_books(self, api, other_api, book, other_book, log):
        api.get("customers")
        other_api.get("customers")
        log.flush()

        assert (len(rows(book)), len(rows(other_book))) == (1, 1)


def values_of(book):
    with tenancy.within(book.pk):
        return list(LoggedRequest.objects.values_list())


class TestFlush:
    def test_writes_many_in_one_statement(self, api, log):
        for _ in range(5):
            api.get("customers")

        with CaptureQueriesContext(connections["platform"]) as captured:
            log.flush()

        assert len(captured) == 1

    def test_keeps_what_the_database_did_not_take(self, api, book, log, monkeypatch):
        api.get("customers")
        api.get("orders")

        def refuse(_):
            raise buffer.Error("away")

        with monkeypatch.context() as patch:
            patch.setattr(operations, "write", refuse)
            with pytest.raises(buffer.Error):
                log.flush()
        log.flush()

        assert [row.path for row in rows(book)] == ["/v1/customers", "/v1/orders"]

    def test_writes_nothing_twice(self, api, book, log):
        api.get("customers")
        noted = list(log.lines)
        log.flush()
        log.lines.extend(noted)
        log.flush()

        assert len(rows(book)) == 1

    def test_drops_what_does_not_fit_and_says_so(self, api, book, log, monkeypatch, caplog):
        monkeypatch.setattr(buffer, "LINES_MAX", 2)
        for _ in range(5):
            api.get("customers")

        with caplog.at_level(logging.WARNING):
            log.flush()

        assert len(rows(book)) == 2
        assert [record.count for record in caplog.records] == [3]


class TestWriter:
    def test_writes_by_itself(self, api, book, log, settings):
        settings.REQUEST_LOG_FLUSH_SECONDS = 0.01

        def once():  # the thread's own loop ends with its process
            log.flush()
            connections.close_all()

        log._write = once
        api.get("customers")
        log._writer.join()

        assert len(rows(book)) == 1

    def test_of_a_child_is_its_own(self, api, log):
        api.get("customers")

        log.reset()

        assert (len(log.lines), log._writer) == (0, None)


class TestPurge:
    def test_forgets_what_is_old(self, api, book, log, monkeypatch):
        api.get("customers")
        api.get("orders")
        log.flush()
        monkeypatch.setattr(operations, "PURGE_BATCH", 1)

        assert operations.purge(before=clock.wall() - timedelta(days=90)) == 0
        assert operations.purge(before=clock.wall() + timedelta(minutes=1)) == 2
        assert rows(book) == []


class TestLastUsed:
    def test_is_the_last_request_of_a_key(self, api, book, log):
        key_id = authentication.authenticate(api.key).key_id
        with tenancy.within(book.pk):
            assert queries.last_used([key_id]) == {}
        before = clock.wall() - timedelta(seconds=1)
        api.get("customers")
        log.flush()

        with tenancy.within(book.pk):
            used = queries.last_used([key_id])

        assert before < used[key_id] <= clock.wall()
