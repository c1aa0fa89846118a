"""Create, update, confirm, cancel: each works, refuses, repeats, stands a race, and leaves books that agree."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import psycopg2
import pytest
from django.conf import settings
from django.db import connections

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from payments.intents.models import Attempt, PaymentIntent
from payments.ledger.models import Entry, Transfer
from payments.orders.models import Order, OrderLine
from payments.wallets import operations as wallets
from tests.cast import NOW, balance_of, fees_of, move_clock, owed_to, race, shown
from tests.payments import books
from tests.payments.acts import ask_for, confirm, pay

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def method(customer, wallet_method):
    """The customer's wallet with ¥100.00."""
    return wallet_method(customer, 10_000)


@pytest.fixture(params=["at once", "step by step"])
def take(request, api):
    """Takes money on either road: `take(method, 1_000, description="Tea")`."""

    def at_once(method, amount=1_000, *, key=None, **more):
        return pay(api, method, amount, key=key, **more)

    def step_by_step(method, amount=1_000, *, key=None, **more):
        return confirm(api, ask_for(api, amount, **more), method, key=key)

    return at_once if request.param == "at once" else step_by_step


def row(model, text):
    """The row behind an id of the API, whoever's it is."""
    identifier = ids.parse(model.id_prefix, text)
    (book_id,) = books.run(f"SELECT book_id FROM {model._meta.db_table} WHERE id = %s", str(identifier))[0]
    with tenancy.within(UUID(str(book_id))):
        return model.objects.get(pk=identifier)


def events_of(book):
    """What was told, in order: types and objects."""
    with tenancy.within(book.pk):
        return [(event.type, load(event.data)) for event in Event.objects.order_by("pk")]


class TestCreate:
    def test_writes_the_intent_its_order_and_one_event(self, api, book, customer):
        before = books.counts()

        created = api.post(
            "payment_intents",
            {"amount": 1_200, "currency": "cny", "customer": shown("cus", customer), "description": "Two coffees"},
        )

        assert (created.status, created.json["status"]) == (200, "requires_payment_method")
        assert books.added(before) == {
            "kernel_event": 1,
            "payments_order": 1,
            "payments_orderline": 1,
            "payments_paymentintent": 1,
        }
        order = row(Order, created.json["order"])
        assert (order.status, order.is_implicit, order.total_minor, order.paid_minor) == ("open", True, 1_200, 0)
        with tenancy.within(book.pk):
            line = OrderLine.objects.get(order=order)
        assert (line.description, line.quantity, line.amount_minor) == ("Two coffees", 1, 1_200)
        assert events_of(book)[-1] == ("payment_intent.created", created.json)

    def test_waits_for_a_confirmation_where_it_has_a_method(self, api, method):
        created = ask_for(api, payment_method=shown("pm", method))

        assert created["status"] == "requires_confirmation"
        assert created["customer"] == shown("cus", method.customer_id)

    def test_happens_once_a_key(self, api):
        first = api.post("payment_intents", {"amount": 5, "currency": "cny"}, idempotency_key="table 7")

        with books.unchanged():
            second = api.post("payment_intents", {"amount": 5, "currency": "cny"}, idempotency_key="table 7")

        assert second.json == first.json
        assert second.headers["Idempotent-Replayed"] == "true"

    def test_happens_once_of_two_at_once_with_a_key(self, api, book):
        def create():
            return api.post("payment_intents", {"amount": 5, "currency": "cny"}, idempotency_key="table 7")

        first, second = race(create, create)

        assert (first.status, second.status) == (200, 200)
        assert first.json == second.json
        with tenancy.within(book.pk):
            assert PaymentIntent.objects.count() == 1

    def test_refuses_a_method_of_another_customer(self, api, book, make_customer, method):
        someone_else = make_customer(book)

        with books.unchanged():
            refused = api.post(
                "payment_intents",
                {
                    "amount": 5,
                    "currency": "cny",
                    "customer": shown("cus", someone_else),
                    "payment_method": shown("pm", method),
                },
            )

        assert (refused.status, refused.error["code"]) == (400, "payment_method_unexpected_state")

    def test_refuses_a_detached_method_and_a_deleted_customer(self, api, method):
        api.post(f"payment_methods/{shown('pm', method)}/detach")
        api.delete(f"customers/{shown('cus', method.customer_id)}")

        with books.unchanged():
            detached = api.post(
                "payment_intents", {"amount": 5, "currency": "cny", "payment_method": shown("pm", method)}
            )
            deleted = api.post(
                "payment_intents", {"amount": 5, "currency": "cny", "customer": shown("cus", method.customer_id)}
            )

        assert (detached.status, detached.error["code"]) == (400, "payment_method_unexpected_state")
        assert (deleted.status, deleted.error["code"], deleted.error["param"]) == (400, "resource_missing", "customer")


@pytest.mark.requirement("A1")
class TestConfirm:
    def test_takes_the_money(self, take, book, method):
        paid = take(method, 1_200)

        assert (paid.status, paid.json["status"], paid.json["amount_received"]) == (200, "succeeded", 1_200)
        assert balance_of(method).posted_minor == 8_800
        assert (owed_to(book), fees_of(book)) == (1_195, 5)
        books.assert_agree()

    def test_writes_the_charge_its_entry_and_the_order(self, take, book, method):
        paid = take(method, 1_200, metadata={"table": "7"})

        attempt, order = row(Attempt, paid.json["latest_charge"]), row(Order, paid.json["order"])
        with tenancy.within(book.pk):
            entry = Entry.objects.get(pk=attempt.entry_id)
            transfers = list(Transfer.objects.filter(entry=entry).order_by("-amount_minor"))
            assert Attempt.objects.count() == 1
        assert (attempt.status, attempt.amount_minor, attempt.captured_minor) == ("captured", 1_200, 1_200)
        assert (attempt.fee_rate_ppm, attempt.fee_minor, attempt.metadata) == (3_800, 5, {"table": "7"})
        assert entry.reference == f"capture:{paid.json['latest_charge']}"
        assert (entry.kind, entry.source_id, entry.amount_minor, entry.fee_minor) == ("charge", attempt.pk, 1_200, 5)
        assert [transfer.amount_minor for transfer in transfers] == [1_200, 5]
        assert (order.status, order.paid_minor) == ("paid", 1_200)

    def test_tells_of_the_charge_and_of_the_intent(self, take, api, book, method):
        paid = take(method, 1_200)

        told = events_of(book)[-3:]
        assert [kind for kind, _ in told] == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
        charge = api.get(f"charges/{paid.json['latest_charge']}").json
        assert told[1][1] == charge | {"strong_authentication": None}
        assert told[2][1] == paid.json

    def test_happens_once_a_key(self, api, method):
        intent = ask_for(api, 1_200)
        first = confirm(api, intent, method, key="table 7"), pay(api, method, 1_200, key="table 8")

        with books.unchanged():
            again = confirm(api, intent, method, key="table 7"), pay(api, method, 1_200, key="table 8")

        assert [reply.json for reply in again] == [reply.json for reply in first]
        assert [reply.headers["Idempotent-Replayed"] for reply in again] == ["true", "true"]
        assert balance_of(method).posted_minor == 7_600
        books.assert_agree()

    def test_happens_once_of_two_at_once(self, api, book, method):
        intent = ask_for(api, 1_200)

        outcomes = race(*[lambda: confirm(api, intent, method)] * 2)

        assert sorted(reply.status for reply in outcomes) == [200, 400]
        refused = next(reply for reply in outcomes if reply.status == 400)
        assert refused.error["code"] == "payment_intent_unexpected_state"
        assert balance_of(method).posted_minor == 8_800
        books.assert_agree()

    def test_refuses_what_is_paid(self, api, method):
        intent = ask_for(api, 1_200)
        paid = confirm(api, intent, method)

        with books.unchanged():
            refused = confirm(api, intent, method)

        assert (refused.status, refused.error["code"]) == (400, "payment_intent_unexpected_state")
        assert refused.error["payment_intent"] == paid.json

    def test_refuses_to_pay_with_nothing(self, api):
        intent = ask_for(api)

        with books.unchanged():
            step_by_step = api.post(f"payment_intents/{intent['id']}/confirm")
            at_once = api.post("payment_intents", {"amount": 5, "currency": "cny", "confirm": True})

        for refused in (step_by_step, at_once):
            assert (refused.status, refused.error["code"]) == (400, "parameter_missing")
            assert refused.error["param"] == "payment_method"

    def test_refuses_a_method_that_was_detached(self, take, api, method):
        api.post(f"payment_methods/{shown('pm', method)}/detach")
        before = balance_of(method)

        refused = take(method)

        assert (refused.status, refused.error["code"]) == (400, "payment_method_unexpected_state")
        assert balance_of(method) == before

    def test_takes_the_customer_from_the_method(self, api, method):
        paid = api.post(
            "payment_intents",
            {"amount": 5, "currency": "cny", "payment_method": shown("pm", method), "confirm": True},
        )

        assert paid.json["customer"] == shown("cus", method.customer_id)

    def test_says_who_must_wait_where_the_wallet_is_held_for_too_long(
        self, take, book, method, wallet_method, customer
    ):
        assert take(wallet_method(customer, 1_000)).status == 200  # from here on the accounts are open
        with connections["default"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")
        holder = psycopg2.connect(settings.OWNER_URL)
        holder.cursor().execute("SELECT 1 FROM payments_accountbalance FOR UPDATE")
        try:
            refused = take(method)
        finally:
            holder.close()
            connections["default"].close()

        assert (refused.status, refused.error["code"]) == (409, "lock_timeout")
        assert "Stripe-Should-Retry" not in refused.headers
        assert balance_of(method).posted_minor == 10_000
        assert take(method).status == 200
        books.assert_agree()


class TestDecline:
    def test_is_an_outcome_that_is_written(self, take, book, method):
        before = books.counts()

        declined = take(method, 10_001)

        assert declined.status == 402
        error, intent = declined.error, declined.error["payment_intent"]
        assert (error["type"], error["code"]) == ("card_error", "card_declined")
        assert error["decline_code"] == "insufficient_funds"
        assert error["message"] == "The wallet has insufficient funds to complete the payment."
        assert error["payment_method"]["id"] == shown("pm", method)
        assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
        assert intent["last_payment_error"] == {name: error[name] for name in error if name != "payment_intent"}
        assert intent["latest_charge"] == error["charge"]
        attempt = row(Attempt, error["charge"])
        assert (attempt.status, attempt.decline_code, attempt.entry_id) == ("declined", "insufficient_funds", None)
        assert books.added(before) == {
            "kernel_decision": 1,
            "kernel_event": 3,
            "payments_attempt": 1,
            "payments_order": 1,
            "payments_orderline": 1,
            "payments_paymentintent": 1,
        }
        books.assert_agree()

    def test_is_told(self, take, api, book, method):
        declined = take(method, 10_001)

        told = events_of(book)[-3:]
        assert [kind for kind, _ in told] == [
            "payment_intent.created",
            "charge.failed",
            "payment_intent.payment_failed",
        ]
        assert told[1][1] == api.get(f"charges/{declined.error['charge']}").json
        assert told[2][1] == declined.error["payment_intent"]

    def test_keeps_a_decision_that_replays(self, take, book, method):
        declined = take(method, 10_001)

        with tenancy.within(book.pk):
            decision = Decision.objects.get()
        assert (decision.rule, decision.rule_version, decision.verdict) == ("wallet_payment", 1, "declined")
        assert decision.subject_id == ids.parse("ch", declined.error["charge"])
        assert [reason["code"] for reason in decision.reasons] == ["insufficient_funds"]
        assert rules.replay(decision) is True
        decision.inputs["has_funds"] = True
        assert rules.replay(decision) is False

    def test_never_tells_a_merchant_what_the_wallet_holds(self, take, book, method):
        declined = take(method, 10_001)

        with tenancy.within(book.pk):
            decision = Decision.objects.get()
        for text in (str(declined.json), str(decision.inputs), str(decision.reasons), str(decision.near_miss)):
            assert "10000" not in text

    def test_of_an_expired_mandate(self, take, book, customer, wallet_method):
        expires_at = NOW + timedelta(hours=1)
        method = wallet_method(customer, 10_000, expires_at=expires_at)

        move_clock(book, expires_at - timedelta(seconds=1))
        in_time = take(method)
        move_clock(book, expires_at)
        too_late = take(method)

        assert in_time.status == 200
        assert (too_late.status, too_late.error["decline_code"]) == (402, "mandate_expired")
        assert balance_of(method).posted_minor == 9_000
        books.assert_agree()

    def test_of_a_revoked_mandate(self, take, book, method):
        with tenancy.within(book.pk):
            wallets.revoke_mandate(mandate_id=method.mandate_id, now=NOW)

        declined = take(method)

        assert (declined.status, declined.error["decline_code"]) == (402, "mandate_revoked")
        assert balance_of(method).posted_minor == 10_000

    def test_of_more_than_the_mandates_limit(self, take, book, customer, wallet_method):
        method = wallet_method(customer, 10_000, limit_minor=1_000)

        within, over = take(method, 1_000), take(method, 1_001)

        assert within.status == 200
        assert (over.status, over.error["decline_code"]) == (402, "mandate_limit_exceeded")
        with tenancy.within(book.pk):
            decision = Decision.objects.get()
        assert (decision.near_miss, decision.remedy) == ({"over_by_minor": 1}, "raise_limit")
        assert balance_of(method).posted_minor == 9_000

    def test_of_another_currency_than_the_wallets(self, take, customer, wallet_method):
        method = wallet_method(customer, 10_000, currency="USD")

        declined = take(method)

        assert (declined.status, declined.error["decline_code"]) == (402, "currency_mismatch")
        assert balance_of(method).posted_minor == 10_000

    def test_is_answered_again_to_the_same_key(self, api, method):
        first = pay(api, method, 10_001, key="table 7")

        with books.unchanged():
            second = pay(api, method, 10_001, key="table 7")

        assert (second.status, second.json) == (402, first.json)
        assert second.headers["Idempotent-Replayed"] == "true"
        assert second.headers["Stripe-Should-Retry"] == "false"

    def test_leaves_the_intent_open_for_another_try(self, api, book, customer, method, wallet_method):
        intent = ask_for(api, 10_001)
        confirm(api, intent, method)

        paid = confirm(api, intent, wallet_method(customer, 20_000))

        assert (paid.status, paid.json["status"], paid.json["last_payment_error"]) == (200, "succeeded", None)
        listed = api.get("charges", {"payment_intent": intent["id"]}).json["data"]
        assert [charge["status"] for charge in listed] == ["succeeded", "failed"]
        books.assert_agree()


class TestUpdate:
    def test_of_the_amount_resizes_the_order_behind_it(self, api, book):
        intent = ask_for(api, 1_000)

        changed = api.post(f"payment_intents/{intent['id']}", {"amount": 1_500, "currency": "usd"})

        assert (changed.status, changed.json["amount"], changed.json["currency"]) == (200, 1_500, "usd")
        order = row(Order, intent["order"])
        assert (order.total_minor, order.currency, order.status) == (1_500, "USD", "open")
        with tenancy.within(book.pk):
            line = OrderLine.objects.get(order=order)
        assert (line.unit_price_minor, line.amount_minor) == (1_500, 1_500)
        books.assert_agree()

    def test_makes_it_ready_for_confirmation(self, api, method):
        intent = ask_for(api)

        changed = api.post(f"payment_intents/{intent['id']}", {"payment_method": shown("pm", method)})

        assert changed.json["status"] == "requires_confirmation"
        assert changed.json["customer"] == shown("cus", method.customer_id)
        paid = api.post(f"payment_intents/{intent['id']}/confirm")
        assert (paid.status, paid.json["status"]) == (200, "succeeded")

    def test_happens_once_a_key(self, api):
        intent = ask_for(api)
        first = api.post(f"payment_intents/{intent['id']}", {"amount": 7}, idempotency_key="resize")
        api.post(f"payment_intents/{intent['id']}", {"amount": 9})

        with books.unchanged():
            again = api.post(f"payment_intents/{intent['id']}", {"amount": 7}, idempotency_key="resize")

        assert again.json == first.json
        assert api.get(f"payment_intents/{intent['id']}").json["amount"] == 9

    def test_of_what_is_paid_or_canceled_is_refused(self, api, method):
        paid = confirm(api, ask_for(api), method).json
        canceled = api.post(f"payment_intents/{ask_for(api)['id']}/cancel").json

        with books.unchanged():
            for intent in (paid, canceled):
                for params in ({"amount": 7}, {"currency": "usd"}, {"payment_method": shown("pm", method)}):
                    refused = api.post(f"payment_intents/{intent['id']}", params)
                    assert (refused.status, refused.error["code"]) == (400, "payment_intent_unexpected_state")

    def test_of_words_is_open_after_it_is_paid(self, api, method):
        paid = confirm(api, ask_for(api), method).json

        changed = api.post(f"payment_intents/{paid['id']}", {"description": "Tea", "metadata": {"table": "7"}})

        assert (changed.json["description"], changed.json["metadata"]) == ("Tea", {"table": "7"})
        assert changed.json["status"] == "succeeded"

    def test_does_not_change_whose_it_is(self, api, book, customer, make_customer):
        intent, someone_else = ask_for(api, customer=shown("cus", customer)), make_customer(book)

        with books.unchanged():
            refused = api.post(f"payment_intents/{intent['id']}", {"customer": shown("cus", someone_else)})

        assert (refused.status, refused.error["param"]) == (400, "customer")

    def test_and_confirm_at_once_take_one_amount_or_the_other(self, api, book, method):
        for _ in range(6):
            intent = ask_for(api, 100)

            changed, paid = race(
                partial(api.post, f"payment_intents/{intent['id']}", {"amount": 300}),
                partial(confirm, api, intent, method),
            )

            assert paid.status == 200
            assert (changed.status, paid.json["amount_received"]) in {(200, 300), (400, 100)}
        books.assert_agree()


class TestCancel:
    def test_gives_the_intent_and_its_order_up(self, api, book, method):
        intent = ask_for(api)

        canceled = api.post(f"payment_intents/{intent['id']}/cancel", {"cancellation_reason": "abandoned"})

        assert (canceled.status, canceled.json["status"]) == (200, "canceled")
        assert (canceled.json["cancellation_reason"], canceled.json["canceled_at"]) == (
            "abandoned",
            int(NOW.timestamp()),
        )
        assert row(Order, intent["order"]).status == "canceled"
        assert events_of(book)[-1] == ("payment_intent.canceled", canceled.json)
        assert confirm(api, intent, method).error["code"] == "payment_intent_unexpected_state"
        assert balance_of(method).posted_minor == 10_000
        books.assert_agree()

    def test_happens_once_a_key(self, api):
        intent = ask_for(api)
        first = api.post(f"payment_intents/{intent['id']}/cancel", idempotency_key="stop")

        with books.unchanged():
            again = api.post(f"payment_intents/{intent['id']}/cancel", idempotency_key="stop")

        assert (again.status, again.json) == (200, first.json)

    def test_of_what_is_final_is_refused(self, api, method):
        paid = confirm(api, ask_for(api), method).json
        canceled = api.post(f"payment_intents/{ask_for(api)['id']}/cancel").json

        with books.unchanged():
            for intent in (paid, canceled):
                refused = api.post(f"payment_intents/{intent['id']}/cancel")
                assert (refused.status, refused.error["code"]) == (400, "payment_intent_unexpected_state")
                assert refused.error["payment_intent"] == intent

    def test_and_confirm_at_once_leave_exactly_one(self, api, book, method):
        for _ in range(6):
            intent = ask_for(api, 100)

            canceled, paid = race(
                partial(api.post, f"payment_intents/{intent['id']}/cancel"), partial(confirm, api, intent, method)
            )

            assert sorted((canceled.status, paid.status)) == [200, 400]
        taken = 10_000 - balance_of(method).posted_minor
        with tenancy.within(book.pk):
            assert taken == 100 * PaymentIntent.objects.filter(status="succeeded").count()
        books.assert_agree()


@pytest.fixture
def order(api):
    """An order of ¥80.00 that the merchant calls table 7."""
    created = api.post(
        "orders",
        {"currency": "cny", "reference": "table 7", "line_items": [{"description": "Dinner", "unit_amount": 8_000}]},
    )
    assert created.status == 200
    return created.json


def of_order(reference):
    return {"payment_details": {"order_reference": reference}}


class TestOrderReference:
    def test_makes_an_order_that_is_found_by_it(self, api, method):
        paid = pay(api, method, 1_000, **of_order("table 7")).json

        assert paid["payment_details"]["order_reference"] == "table 7"
        found = api.get("orders", {"reference": "table 7"}).json["data"]
        assert [(order["id"], order["status"]) for order in found] == [(paid["order"], "paid")]
        books.assert_agree()

    @pytest.mark.parametrize("is_paid", [True, False])
    def test_stops_a_client_that_lost_its_key(self, api, method, is_paid):
        if is_paid:
            pay(api, method, 1_000, key="lost", **of_order("table 7"))
        else:
            ask_for(api, 1_000, **of_order("table 7"))

        with books.unchanged():
            again = pay(api, method, 1_000, key="made anew", **of_order("table 7"))

        assert (again.status, again.error["code"], again.error["param"]) == (400, "order_amount_exceeded", "amount")

    def test_stops_it_after_a_decline_too(self, api, method):
        pay(api, method, 10_001, **of_order("table 7"))

        with books.unchanged():
            again = pay(api, method, 10_001, **of_order("table 7"))

        assert (again.status, again.error["code"]) == (400, "order_amount_exceeded")

    @pytest.mark.requirement("A12")
    def test_lets_one_of_many_at_once_pay(self, api, book, method):
        outcomes = race(*[lambda: pay(api, method, 1_000, **of_order("table 7"))] * 6)

        assert sorted(reply.status for reply in outcomes) == [200] + [400] * 5
        codes = {reply.error["code"] for reply in outcomes if reply.status == 400}
        assert codes <= {"order_amount_exceeded", "resource_already_exists"}
        assert balance_of(method).posted_minor == 9_000
        with tenancy.within(book.pk):
            assert (Order.objects.count(), PaymentIntent.objects.count()) == (1, 1)
        books.assert_agree()

    def test_is_each_merchants_own(self, api, other_api, other_customer, wallet_method, method):
        assert pay(api, method, 1_000, **of_order("table 7")).status == 200
        assert pay(other_api, wallet_method(other_customer), 1_000, **of_order("table 7")).status == 200

    def test_of_an_unknown_order_is_refused(self, api, order, other_api, other_customer, wallet_method):
        stranger = wallet_method(other_customer)

        with books.unchanged():
            refused = pay(other_api, stranger, 1_000, **of_order(order["id"]))

        assert (refused.status, refused.error["code"]) == (400, "resource_missing")
        assert refused.error["param"] == "payment_details[order_reference]"


class TestSplit:
    @pytest.mark.parametrize("name", ["id", "reference"])
    def test_pays_one_order_by_two_intents(self, api, method, order, name):
        first = pay(api, method, 5_000, **of_order(order[name]))
        half = api.get(f"orders/{order['id']}").json
        second = pay(api, method, 3_000, **of_order(order[name]))
        whole = api.get(f"orders/{order['id']}").json

        assert (first.status, second.status) == (200, 200)
        assert (half["status"], half["amount_paid"], half["amount_due"]) == ("open", 5_000, 3_000)
        assert (whole["status"], whole["amount_paid"], whole["amount_due"]) == ("paid", 8_000, 0)
        books.assert_agree()

    def test_refuses_more_than_is_still_owed(self, api, method, order):
        pay(api, method, 5_000, **of_order("table 7"))
        ask_for(api, 2_000, **of_order("table 7"))

        with books.unchanged():
            refused = pay(api, method, 1_001, **of_order("table 7"))

        assert (refused.status, refused.error["code"]) == (400, "order_amount_exceeded")
        assert pay(api, method, 1_000, **of_order("table 7")).status == 200
        books.assert_agree()

    def test_frees_what_is_canceled(self, api, method, order):
        given_up = ask_for(api, 8_000, **of_order("table 7"))
        api.post(f"payment_intents/{given_up['id']}/cancel")

        paid = pay(api, method, 8_000, **of_order("table 7"))

        assert paid.status == 200
        assert api.get(f"orders/{order['id']}").json["status"] == "paid"
        books.assert_agree()

    def test_refuses_another_currency(self, api, method, order):
        with books.unchanged():
            refused = api.post("payment_intents", {"amount": 100, "currency": "usd", **of_order("table 7")})

        assert (refused.status, refused.error["param"]) == (400, "currency")

    def test_lets_an_intent_grow_into_what_is_left(self, api, order):
        first = ask_for(api, 5_000, **of_order("table 7"))
        ask_for(api, 1_000, **of_order("table 7"))

        grown = api.post(f"payment_intents/{first['id']}", {"amount": 7_000})
        with books.unchanged():
            refused = api.post(f"payment_intents/{first['id']}", {"amount": 7_001})

        assert (grown.status, grown.json["amount"]) == (200, 7_000)
        assert (refused.status, refused.error["code"]) == (400, "order_amount_exceeded")
        assert api.get(f"orders/{order['id']}").json["amount_total"] == 8_000

    def test_of_two_at_once_that_want_the_same_part_leaves_one(self, api, method, order):
        outcomes = race(*[lambda: pay(api, method, 5_000, **of_order("table 7"))] * 2)

        assert sorted(reply.status for reply in outcomes) == [200, 400]
        assert api.get(f"orders/{order['id']}").json["amount_paid"] == 5_000
        books.assert_agree()
