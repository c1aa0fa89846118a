"""Refunds: never more than was captured, back the way it came, the fee pro rata, lines that agree with the charge."""

from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from payments.intents import refunds, wallet_road
from payments.intents.models import Refund
from payments.ledger.models import Entry
from payments.orders.models import OrderLine
from payments.pricing import fees
from payments.wallets import operations as wallets
from tests.cast import NOW, balance_of, fees_of, origin_of, owed_to, race, shown
from tests.payments import books
from tests.payments.acts import ask_for, pay, refund
from tests.payments.cases import SEED, cases

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def method(customer, wallet_method):
    """The customer's wallet with ¥1,000.00."""
    return wallet_method(customer, 100_000)


@pytest.fixture
def paid(api, method):
    """A payment of ¥100.00, of which the platform kept ¥0.38."""
    return pay(api, method, 10_000).json


def charge_of(api, paid):
    return api.get(f"charges/{paid['latest_charge']}").json


def fees_returned(book):
    with tenancy.within(book.pk):
        return list(Refund.objects.order_by("pk").values_list("fee_returned_minor", flat=True))


class TestRefund:
    def test_gives_back_all_of_it(self, api, book, method, paid):
        given_back = refund(api, paid)

        assert (given_back.status, given_back.json["amount"], given_back.json["status"]) == (200, 10_000, "succeeded")
        assert balance_of(method).posted_minor == 100_000
        assert (owed_to(book), fees_of(book)) == (0, 0)
        charge = charge_of(api, paid)
        assert (charge["refunded"], charge["amount_refunded"], charge["amount_captured"]) == (True, 10_000, 10_000)
        assert api.get(f"payment_intents/{paid['id']}").json == paid
        assert api.get(f"orders/{paid['order']}").json["amount_refunded"] == 10_000
        books.assert_agree()

    def test_writes_a_mirror_of_the_capture_in_part(self, api, book, paid):
        before = books.counts()

        given_back = refund(api, paid, 2_500, reason="requested_by_customer", metadata={"why": "cold"}).json

        assert books.added(before) == {
            "kernel_event": 2,
            "payments_entry": 1,
            "payments_refund": 1,
            "payments_refundline": 1,
            "payments_transfer": 2,
        }
        with tenancy.within(book.pk):
            entry = Entry.objects.get(pk=ids.parse("txn", given_back["balance_transaction"]))
        assert entry.reference == f"refund:{given_back['id']}"
        assert (entry.kind, entry.amount_minor, entry.fee_minor, entry.net_minor) == ("refund", -2_500, -10, -2_490)
        assert (given_back["reason"], given_back["metadata"]) == ("requested_by_customer", {"why": "cold"})

    def test_tells_of_the_charge_and_of_itself(self, api, book, paid):
        given_back = refund(api, paid, 2_500).json

        with tenancy.within(book.pk):
            made, charge = Event.objects.order_by("-pk")[:2]
        seen = charge_of(api, paid) | {"strong_authentication": None}
        assert (charge.type, load(charge.data)) == ("charge.refunded", seen)
        assert load(charge.previous_attributes or "") == {"amount_refunded": 0}
        assert (made.type, load(made.data)) == ("refund.created", given_back)

    def test_gives_back_in_many_parts_and_then_no_more(self, api, book, method, paid):
        parts = [refund(api, paid, amount).status for amount in (1, 2_499, 2_500, 4_999)]

        with books.unchanged():
            too_much = refund(api, paid, 2)
        last = refund(api, paid, 1)
        with books.unchanged():
            nothing_left = refund(api, paid)

        assert parts == [200] * 4
        assert (too_much.status, too_much.error["code"]) == (400, "charge_refund_amount_exceeded")
        assert too_much.error["param"] == "amount"
        assert (last.status, last.json["amount"]) == (200, 1)
        assert (nothing_left.status, nothing_left.error["code"]) == (400, "charge_already_refunded")
        assert balance_of(method).posted_minor == 100_000
        assert sum(fees_returned(book)) == 38
        books.assert_agree()

    def test_happens_once_a_key(self, api, method, paid):
        first = refund(api, paid, 1_000, key="table 7")

        with books.unchanged():
            second = refund(api, paid, 1_000, key="table 7")

        assert second.json == first.json
        assert second.headers["Idempotent-Replayed"] == "true"
        assert balance_of(method).posted_minor == 91_000

    def test_happens_once_of_two_at_once_with_a_key(self, api, method, paid):
        first, second = race(*[lambda: refund(api, paid, 1_000, key="table 7")] * 2)

        assert (first.status, second.status) == (200, 200)
        assert first.json == second.json
        assert balance_of(method).posted_minor == 91_000
        books.assert_agree()

    def test_of_many_at_once_gives_back_exactly_what_was_taken(self, api, book, method, paid):
        outcomes = race(*[lambda: refund(api, paid, 3_000) for _ in range(8)])

        assert Counter(reply.status for reply in outcomes) == {200: 3, 400: 5}
        assert {reply.error["code"] for reply in outcomes if reply.status == 400} == {"charge_refund_amount_exceeded"}
        assert balance_of(method).posted_minor == 99_000
        assert charge_of(api, paid)["amount_refunded"] == 9_000
        books.assert_agree()

    def test_goes_to_the_wallet_whatever_became_of_the_mandate(self, api, book, method, paid):
        with tenancy.within(book.pk):
            wallets.revoke_mandate(mandate_id=method.mandate_id, now=NOW)
        refund(api, paid, 4_000)
        api.post(f"payment_methods/{shown('pm', method)}/detach")
        api.delete(f"customers/{shown('cus', method.customer_id)}")

        rest = refund(api, paid)

        assert (rest.status, rest.json["amount"]) == (200, 6_000)
        assert balance_of(method).posted_minor == 100_000
        books.assert_agree()

    def test_takes_the_merchant_below_zero_where_the_money_is_gone(self, api, book, method, paid):
        refund(api, paid)
        pay(api, method, 1_000)

        assert api.get("balance").json["available"][0]["amount"] == owed_to(book) == 996
        books.assert_agree()

    def test_may_name_the_intent_instead_of_the_charge(self, api, paid):
        given_back = api.post("refunds", {"payment_intent": paid["id"], "amount": 10})

        assert (given_back.status, given_back.json["charge"]) == (200, paid["latest_charge"])

    def test_refuses_what_took_no_money(self, api, method):
        declined = pay(api, method, 100_001).error
        unpaid = ask_for(api)

        with books.unchanged():
            of_charge = api.post("refunds", {"charge": declined["charge"]})
            of_declined = api.post("refunds", {"payment_intent": declined["payment_intent"]["id"]})
            of_unpaid = api.post("refunds", {"payment_intent": unpaid["id"]})

        for refused in (of_charge, of_declined, of_unpaid):
            assert (refused.status, refused.error["code"]) == (400, "charge_not_refundable")

    def test_refuses_neither_and_both_of_charge_and_intent(self, api, paid):
        with books.unchanged():
            neither = api.post("refunds", {"amount": 1})
            both = api.post("refunds", {"charge": paid["latest_charge"], "payment_intent": paid["id"]})

        for refused in (neither, both):
            assert (refused.status, refused.error["code"]) == (400, "parameters_exclusive")


class TestUpdate:
    def test_changes_metadata_and_tells(self, api, book, paid):
        given_back = refund(api, paid, 100, metadata={"why": "cold", "who": "Wang"}).json

        changed = api.post(f"refunds/{given_back['id']}", {"metadata": {"why": "", "till": "2"}}).json

        assert changed == {**given_back, "metadata": {"who": "Wang", "till": "2"}}
        assert api.get(f"refunds/{given_back['id']}").json == changed
        with tenancy.within(book.pk):
            told = Event.objects.order_by("-pk")[0]
        assert (told.type, load(told.data)) == ("refund.updated", changed)
        assert load(told.previous_attributes or "") == {"metadata": {"why": "cold", "who": "Wang"}}


class TestCancel:
    def test_is_always_refused(self, api, paid):
        given_back = refund(api, paid, 100).json

        with books.unchanged():
            refused = api.post(f"refunds/{given_back['id']}/cancel")

        assert (refused.status, refused.error["code"]) == (400, "refund_not_cancelable")


@pytest.fixture
def dinner(api, method):
    """A paid order: three dumplings at ¥10.00, one tea at ¥0.99, seven skewers at ¥3.33."""
    order = api.post(
        "orders",
        {
            "currency": "cny",
            "line_items": [
                {"description": "Dumplings", "quantity": 3, "unit_amount": 1_000},
                {"description": "Tea", "unit_amount": 99},
                {"description": "Skewers", "quantity": 7, "unit_amount": 333},
            ],
        },
    ).json
    paid = pay(api, method, 5_430, payment_details={"order_reference": order["id"]}).json
    return paid, [line["id"] for line in order["lines"]["data"]]


def lines_of(api, paid):
    """What each line counts as given back: amount and quantity."""
    lines = api.get(f"orders/{paid['order']}").json["lines"]["data"]
    return [(line["amount_refunded"], line["quantity_refunded"]) for line in lines]


class TestLines:
    def test_give_back_all_that_is_left_of_them(self, api, dinner):
        paid, (dumplings, tea, _) = dinner

        given_back = refund(api, paid, lines=[{"line": dumplings}, {"line": tea}]).json

        assert given_back["amount"] == 3_099
        assert [(line["line"], line["quantity"], line["amount"]) for line in given_back["lines"]] == [
            (dumplings, 3, 3_000),
            (tea, 1, 99),
        ]
        assert lines_of(api, paid) == [(3_000, 3), (99, 1), (0, 0)]
        books.assert_agree()

    def test_give_back_a_quantity(self, api, dinner):
        paid, (dumplings, _, skewers) = dinner

        given_back = refund(
            api, paid, lines=[{"line": dumplings, "quantity": 2}, {"line": skewers, "quantity": 1}]
        ).json

        assert given_back["amount"] == 2_333
        assert lines_of(api, paid) == [(2_000, 2), (0, 0), (333, 1)]

    def test_give_back_an_amount(self, api, dinner):
        paid, (dumplings, _, _) = dinner

        given_back = refund(api, paid, 250, lines=[{"line": dumplings, "amount": 250}]).json

        assert given_back["amount"] == 250
        assert lines_of(api, paid) == [(250, 0), (0, 0), (0, 0)]

    def test_give_back_of_a_quantity_what_an_amount_has_left_of_it(self, api, dinner):
        paid, (dumplings, _, _) = dinner
        refund(api, paid, lines=[{"line": dumplings, "amount": 500}])

        shares = [refund(api, paid, lines=[{"line": dumplings, "quantity": 1}]).json["amount"] for _ in range(3)]

        # 2,500 over three, each share of what is still left, half to even: every unit comes back.
        assert shares == [833, 834, 833]
        assert lines_of(api, paid)[0] == (3_000, 3)
        books.assert_agree()

    def test_share_an_amount_by_largest_remainder(self, api, dinner):
        paid, _ = dinner

        given_back = refund(api, paid, 1_000).json

        # 1,000 × 3,000, 99 and 2,331 of 5,430: 552.48…, 18.23… and 429.28…; the unit left goes to the first.
        assert [line["amount"] for line in given_back["lines"]] == [553, 18, 429]
        assert lines_of(api, paid) == [(553, 0), (18, 0), (429, 0)]
        books.assert_agree()

    def test_are_given_back_whole_with_the_rest(self, api, dinner):
        paid, (_, tea, _) = dinner
        refund(api, paid, 1_000)
        refund(api, paid, lines=[{"line": tea}])

        rest = refund(api, paid).json

        assert rest["amount"] == 5_430 - 1_000 - 81
        assert lines_of(api, paid) == [(3_000, 3), (99, 1), (2_331, 7)]
        books.assert_agree()

    def test_of_two_intents_share_one_order(self, api, method):
        order = api.post(
            "orders", {"currency": "cny", "line_items": [{"description": "Dinner", "unit_amount": 8_000}]}
        ).json
        named: dict[str, Any] = {"payment_details": {"order_reference": order["id"]}}
        first, second = pay(api, method, 5_000, **named).json, pay(api, method, 3_000, **named).json
        line = order["lines"]["data"][0]["id"]

        with books.unchanged():
            refused = refund(api, first, lines=[{"line": line, "amount": 5_001}])
        given_back = [
            refund(api, first, lines=[{"line": line, "amount": 4_000}]).status,
            refund(api, second).status,
            refund(api, first).status,
        ]

        assert (refused.status, refused.error["code"]) == (400, "charge_refund_amount_exceeded")
        assert given_back == [200] * 3
        assert api.get(f"orders/{order['id']}").json["amount_refunded"] == 8_000
        assert balance_of(method).posted_minor == 100_000
        books.assert_agree()

    def test_are_refused_where_they_do_not_fit(self, api, method, dinner):
        paid, (dumplings, tea, _) = dinner
        elsewhere = api.get(f"orders/{pay(api, method).json['order']}").json["lines"]["data"][0]["id"]
        refusals: list[tuple[dict[str, Any], str, str]] = [
            ({"lines": [{"line": dumplings, "quantity": 4}]}, "charge_refund_amount_exceeded", "lines[0][quantity]"),
            ({"lines": [{"line": tea, "amount": 100}]}, "charge_refund_amount_exceeded", "lines[0][amount]"),
            ({"lines": [{"line": tea}, {"line": tea}]}, "refund_lines_mismatch", "lines"),
            ({"lines": [{"line": tea}], "amount": 100}, "refund_lines_mismatch", "amount"),
            ({"lines": [{"line": dumplings}, {"line": elsewhere}]}, "resource_missing", "lines[1][line]"),
            ({"lines": [{"line": shown("li", ids.new(NOW))}]}, "resource_missing", "lines[0][line]"),
            ({"lines": [{"line": "tea"}]}, "resource_missing", "lines[0][line]"),
        ]

        with books.unchanged():
            replies = [refund(api, paid, **params) for params, _, _ in refusals]

        assert [reply.status for reply in replies] == [400] * len(refusals)
        assert [(reply.error["code"], reply.error["param"]) for reply in replies] == [
            (code, param) for _, code, param in refusals
        ]

    def test_are_given_back_once_of_many_at_once(self, api, book, method, dinner):
        paid, (dumplings, _, _) = dinner

        outcomes = race(*[lambda: refund(api, paid, lines=[{"line": dumplings, "quantity": 1}]) for _ in range(6)])

        assert Counter(reply.status for reply in outcomes) == {200: 3, 400: 3}
        assert lines_of(api, paid)[0] == (3_000, 3)
        books.assert_agree()


class TestFee:
    @cases(1_000)
    def test_comes_back_pro_rata_in_any_parts(self, cases_max, proven):
        proven(cases_max)

        @seed(SEED)
        @settings(max_examples=cases_max, deadline=None, database=None)
        @given(st.integers(1, 99_999_999), st.integers(0, 1_000_000), st.data())
        def check(amount, rate_ppm, data):
            fee, left = fees.fee(amount, rate_ppm), amount
            returned: list[int] = []
            while left and len(returned) < 12:
                part = data.draw(st.integers(1, left)) if len(returned) < 11 else left
                returned.append(
                    fees.fee_returned(
                        fee_minor=fee, captured_minor=amount, refunded_before=amount - left, refund_minor=part
                    )
                )
                left -= part
                assert returned[-1] >= 0
                assert sum(returned) <= fee
            assert sum(returned) == fee

        check()

    @cases(30)
    def test_is_returned_whole_with_the_whole_amount(self, cases_max, proven, book, method):
        """Any sequence of parts, through the operation and its rows."""
        proven(cases_max)
        origin = origin_of(book)

        @seed(SEED)
        @settings(max_examples=cases_max, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.integers(1, 800), st.lists(st.integers(1, 400), max_size=4))
        def check(amount, parts):
            paid, left = take(book, method, amount), amount
            with tenancy.within(book.pk):
                for part in parts:
                    if part < left:
                        refunds.refund(attempt_id=paid, amount_minor=part, mode="test", now=NOW, origin=origin)
                        left -= part
                returned = sum(Refund.objects.filter(attempt_id=paid).values_list("fee_returned_minor", flat=True))
                assert 0 <= returned <= fees.fee(amount, 3_800)
                refunds.refund(attempt_id=paid, mode="test", now=NOW, origin=origin)
                returned = sum(Refund.objects.filter(attempt_id=paid).values_list("fee_returned_minor", flat=True))
                assert returned == fees.fee(amount, 3_800)

        check()

        assert balance_of(method).posted_minor == 100_000
        assert (owed_to(book), fees_of(book)) == (0, 0)
        with tenancy.within(book.pk):
            assert not OrderLine.objects.exclude(refunded_minor__gt=0).exists()
        books.assert_agree()


def take(book, method, amount) -> UUID:
    """A captured charge, by the operations that the API's door calls."""
    from payments.intents import operations as intents

    terms = intents.Terms(
        amount_minor=amount, currency="CNY", customer_id=method.customer_id, payment_method_id=method.pk
    )
    with tenancy.within(book.pk):
        intent = intents.create(terms_=terms, now=NOW, origin=origin_of(book))
        wallet_road.confirm(intent_id=intent.pk, mode="test", now=NOW, origin=origin_of(book))
        attempt_id = intents.lock(intent.pk).latest_attempt_id
    assert attempt_id is not None
    return attempt_id
