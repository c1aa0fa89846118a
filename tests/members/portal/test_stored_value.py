"""Gift cards and stored-value cards: bought, loaded, guessed at, frozen, given back, expired."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.cache import cache

from members.portal import stored_value as portal
from merchant_platform.kernel import tenancy, tries
from payments.stored_value import numbers, operations, queries
from payments.stored_value.models import StoredValueCard
from tests.cast import NOW, move_clock, origin_of, owed_to, race, shown
from tests.payments import books
from tests.payments.acts import refund as give_back
from tests.payments.card_acts import sweep_until_quiet
from tests.payments.tenders.acts import gift, on_card

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A17")]


def sold(api, amount: int = 30_000, bonus: int = 3_000):
    """A stored-value card that a line of an order sells: 充300送30."""
    order = api.post(
        "orders", {"currency": "cny", "line_items": [{"description": "Stored value", "unit_amount": amount}]}
    ).json
    line = order["lines"]["data"][0]["id"]
    terms = {"currency": "cny", "kind": "stored", "amount": amount, "bonus_amount": bonus, "order_line": line}
    card = api.post("stored_value_cards", terms).json
    return order, card


def pay_for(api, order):
    paid = api.post(
        "payment_intents",
        {
            "amount": order["amount_due"],
            "currency": "cny",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "payment_details": {"order_reference": order["id"]},
        },
    )
    assert paid.status == 200, paid.json
    return paid.json


def balance(api, card):
    return api.get(f"stored_value_cards/{card['id']}").json["balance"]


@pytest.mark.usefixtures("acquirer")
class TestSale:
    def test_activates_when_its_order_is_paid_and_once(self, api, book):
        order, card = sold(api)
        assert (card["status"], card["balance"]["available"]) == ("inactive", 0)

        pay_for(api, order)
        race(*[lambda: operations.look_after_due(recorded=NOW)] * 3)

        found = api.get(f"stored_value_cards/{card['id']}").json
        assert (found["status"], found["number"], found["pin"]) == ("active", None, None)
        assert found["balance"] == {"available": 33_000, "bonus": 3_000, "paid": 30_000, "reserved": 0}
        with tenancy.within(book.pk):
            assert queries.liabilities(mode="test") == [queries.Liability("CNY", 30_000, 3_000)]
        books.assert_agree()

    def test_is_given_back_in_proportion_and_never_what_was_spent(self, api, book):
        order, card = sold(api)
        intent = pay_for(api, order)

        given = give_back(api, intent, 10_000)
        assert given.status == 200
        assert balance(api, card) == {"available": 22_000, "bonus": 2_000, "paid": 20_000, "reserved": 0}
        with tenancy.within(book.pk):
            operations.freeze(card_id=StoredValueCard.objects.get().pk, now=NOW, origin=origin_of(book))
        other_order, _ = sold(api, 5_000, 0)
        other = pay_for(api, other_order)
        operations.look_after_due(recorded=NOW)
        _spend_all(api, book, 5_000)
        refused = give_back(api, other)

        assert (refused.status, refused.error["code"]) == (400, "stored_value_spent")
        sweep_until_quiet()
        books.assert_agree()

    def test_that_fails_to_be_given_back_is_on_the_card_again(self, api, book):
        order, card = sold(api, 3_000, 300)
        paid = api.post(
            "payment_intents",
            {
                "amount": 3_000,
                "currency": "cny",
                "confirm": True,
                "payment_method_data": {
                    "type": "card",
                    "card": {"number": "4000000000005126", "exp_month": 12, "exp_year": 2034, "cvc": "123"},
                },
                "payment_details": {"order_reference": order["id"]},
            },
        ).json
        give_back(api, paid)
        assert balance(api, card)["available"] == 0

        _settle_refunds(book)

        assert balance(api, card) == {"available": 3_300, "bonus": 300, "paid": 3_000, "reserved": 0}
        books.assert_agree()

    def test_is_never_for_more_than_the_line(self, api):
        order, _ = sold(api, 3_000, 0)
        line = order["lines"]["data"][0]["id"]

        refused = api.post("stored_value_cards", {"currency": "cny", "amount": 1, "order_line": line})

        assert (refused.status, refused.error["code"]) == (400, "stored_value_load_too_large")


def _settle_refunds(book):
    from payments.providers.sandbox.control import Control

    Control().hurry("refund")
    from payments.intents import refund_road
    from payments.intents.models import Refund
    from payments.providers import port

    with tenancy.within(book.pk):
        given = Refund.objects.select_related("attempt").get()
    key = shown("re", given)
    report = port.find("sandbox").query_refund(key=key, account=book.pk.hex, now=NOW)
    with tenancy.within(book.pk):
        refund_road.record(refund_id=given.pk, report=report, now=NOW, origin=origin_of(book))


def _spend_all(api, book, amount):
    """Spend the newest active card's value through the ledger's own tender."""
    from payments.stored_value.tender import StoredValue
    from payments.tenders.port import Part, Payer

    with tenancy.within(book.pk):
        card = StoredValueCard.objects.filter(status="active").order_by("-pk").first()
        part = Part(card.pk, card.pk, card.pk, amount, "CNY", None, "tests:1", Payer(), "test")
        hold = StoredValue().reserve(part, now=NOW)
        assert hold
        StoredValue().complete(part, now=NOW, origin=origin_of(book))


class TestRecognise:
    def test_needs_number_and_pin_and_says_nothing_else(self, book, other_book):
        card, number, pin = gift(book, 100)
        with tenancy.within(book.pk):
            assert operations.recognise(number=f" {number[:4]} {number[4:]} ", pin=pin).pk == card.pk
            slip = number[:-1] + str((int(number[-1]) + 1) % 10)
            tries = [
                (number, "000000" if pin != "000000" else "1"),
                (slip, pin),
                ("", ""),
                ("٩" * 16, pin),
                (number, "é"),
            ]
            assert [operations.recognise(number=one, pin=two) for one, two in tries] == [None] * 5
        with tenancy.within(other_book.pk):
            assert operations.recognise(number=number, pin=pin) is None

    def test_ends_after_ten_wrong_pins_until_there_is_a_new_one(self, book):
        card, number, pin = gift(book, 100)
        for _ in range(operations.WRONG_PINS_MAX):
            with tenancy.within(book.pk):
                operations.recognise(number=number, pin="x")

        with tenancy.within(book.pk):
            assert operations.recognise(number=number, pin=pin) is None
            _, renewed = operations.renew_pin(card_id=card.pk)
            assert operations.recognise(number=number, pin=renewed).pk == card.pk

    def test_is_counted_by_address(self):
        cache.clear()
        for _ in range(operations.GUESSES_MAX):
            operations.count_guess("192.0.2.1")

        with pytest.raises(tries.TooManyTries):
            operations.count_guess("192.0.2.1")

    def test_keeps_neither_number_nor_pin(self, book):
        _, number, pin = gift(book, 100)

        kept = " ".join(text for rows in books.rows().values() for text in rows)

        assert number not in kept
        assert numbers.read(number) == number
        assert f'"{pin}"' not in kept


class TestLife:
    def test_over_the_api(self, api, other_api, make_key, book):
        made = api.post("stored_value_cards", {"currency": "cny", "amount": 500, "metadata": {"shelf": "3"}}).json
        path = f"stored_value_cards/{made['id']}"
        assert (len(made["number"]), len(made["pin"]), made["status"]) == (16, 6, "active")

        assert api.post(f"{path}/reload", {"amount": 300, "bonus_amount": 30}).json["balance"]["available"] == 830
        assert api.post(f"{path}/freeze").json["status"] == "frozen"
        refused = api.post(f"{path}/reload", {"amount": 1})
        assert (refused.status, refused.error["code"]) == (400, "stored_value_card_unexpected_state")
        assert api.post(f"{path}/unfreeze").json["status"] == "active"
        assert api.post(path, {"metadata": {"shelf": ""}}).json["metadata"] == {}
        movements = api.get(f"{path}/transactions", {"limit": 2}).json
        assert ([each["amount"] for each in movements["data"]], movements["has_more"]) == ([30, 300], True)
        rest = api.get(f"{path}/transactions", {"starting_after": movements["data"][-1]["id"]}).json["data"]
        assert [(each["amount"], each["type"], each["is_bonus"]) for each in rest] == [(500, "load", False)]
        assert [each["id"] for each in api.get("stored_value_cards", {"status": "active"}).json["data"]] == [made["id"]]
        assert other_api.get(path).status == 404
        assert other_api.post(f"{path}/freeze").status == 404
        told = [each["type"] for each in api.get("events").json["data"]]
        assert told.count("stored_value_card.created") == 1
        assert told.count("stored_value_card.updated") == 5

    def test_ends_at_its_expiry_and_wakes_for_what_comes_back(self, book):
        card, _, _ = gift(book, 500, 50)
        later = NOW + timedelta(days=400)
        with tenancy.within(book.pk):
            StoredValueCard.objects.update(expires_at=NOW + timedelta(days=365))
        move_clock(book, later)

        for _ in range(2):
            operations.look_after_due(recorded=later)

        assert on_card(book, card) == (0, 0)
        with tenancy.within(book.pk):
            assert queries.liabilities(mode="test") == [queries.Liability("CNY", 0, 0)]
            operations.give_back(
                card_id=card.pk,
                paid_minor=100,
                bonus_minor=0,
                order_id=card.pk,
                reference="tests:back",
                now=later,
                origin=origin_of(book),
            )
            assert queries.find(card.pk).is_spendable(later + timedelta(days=29))
        books.assert_agree()

    def test_is_the_merchants_debt_and_no_balance(self, book):
        gift(book, 500)

        assert owed_to(book) == 0

    def test_is_seen_by_its_consumer(self, book, make_customer, payer):
        @dataclass
        class Viewer:
            consumer: object
            places: list

        @dataclass
        class Place:
            book: object

        card, _, _ = gift(book, 500, 50)
        customer = make_customer(book, consumer=payer.wallet.consumer)
        with tenancy.within(book.pk):
            StoredValueCard.objects.update(customer=customer)
        viewer = Viewer(payer.wallet.consumer, [Place(book)])

        (seen,), (held,) = portal.cards(viewer, NOW), portal.holdings(viewer, NOW)

        assert (seen.title, held.amount, held.unit) == (f"Gift card •••• {card.last4}", 550, "CNY")
