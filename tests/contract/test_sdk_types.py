"""The judge of the contract tests: it finds each kind of departure from the SDK's types, and none in what is right."""

from copy import deepcopy

import pytest

from merchant_platform.kernel import ids
from payments.intents import objects
from payments.intents.models import Attempt, PaymentIntent
from tests.cast import NOW
from tests.contract.sdk_types import problems


@pytest.fixture
def intent():
    """A payment intent as the platform renders it, with nothing expanded."""
    row = PaymentIntent(
        id=ids.new(NOW), order_id=ids.new(NOW), status="succeeded", amount_minor=5, currency="CNY", created_at=NOW
    )
    return objects.payment_intent(row, livemode=False)


@pytest.fixture
def charge():
    row = Attempt(
        id=ids.new(NOW),
        intent_id=ids.new(NOW),
        payment_method_id=ids.new(NOW),
        method="wallet",
        status="captured",
        amount_minor=5,
        currency="CNY",
        created_at=NOW,
    )
    return objects.charge(row, livemode=False)


class TestProblems:
    def test_are_none_where_there_are_none(self, intent, charge):
        assert problems(intent) == []
        assert problems({**intent, "latest_charge": charge}) == []
        assert problems({"object": "list", "data": [intent], "has_more": False, "url": "/v1/payment_intents"}) == []
        assert problems({"id": "pi_1", "object": "payment_intent", "deleted": True}) == []
        assert problems({"object": "wallet", "balance": 5}) == []

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            ({"amount": "5"}, "payment_intent.amount: expected int, got str"),
            ({"amount": True}, "payment_intent.amount: expected int, got bool"),
            ({"amount": None}, "payment_intent.amount: expected int, got NoneType"),
            ({"livemode": 0}, "payment_intent.livemode: expected bool, got int"),
            ({"object": "payment"}, "payment.object: 'payment' is neither the SDK's nor ours"),
            ({"payment_method_types": "wallet"}, "payment_intent.payment_method_types: expected a list, got str"),
            ({"payment_method_types": [5]}, "payment_intent.payment_method_types[0]: expected str, got int"),
            ({"shipping": {"address": 5}}, "payment_intent.shipping.address: expected an object, got int"),
        ],
    )
    def test_are_told_by_their_place(self, intent, change, found):
        assert problems({**intent, **change}) == [found]

    def test_of_words_outside_a_vocabulary_are_told(self, intent):
        (found,) = problems({**intent, "status": "paid"})

        assert found.startswith("payment_intent.status: 'paid' is not one of ")

    @pytest.mark.parametrize("name", ["amount", "customer", "metadata", "last_payment_error", "latest_charge"])
    def test_of_missing_keys_are_told(self, intent, name):
        del intent[name]

        assert problems(intent) == [f"payment_intent.{name}: missing"]

    def test_inside_of_expanded_listed_and_told_objects_are_told(self, intent, charge):
        broken = deepcopy(charge)
        del broken["outcome"]
        event = {
            "id": "evt_1",
            "object": "event",
            "api_version": None,
            "created": 5,
            "data": {"object": broken},
            "livemode": False,
            "pending_webhooks": 0,
            "request": None,
            "type": "charge.succeeded",
        }

        assert problems({**intent, "latest_charge": broken}) == ["payment_intent.latest_charge.outcome: missing"]
        assert problems({"object": "list", "data": [charge, broken], "has_more": False, "url": "/"}) == [
            "list.data[1].outcome: missing"
        ]
        assert problems(event) == ["event.data.object.outcome: missing"]
        assert problems({**event, "data": {"object": charge}, "type": "charge.paid"}) != []

    def test_of_an_object_of_another_kind_are_told(self, intent, charge):
        assert problems({**charge, "payment_intent": charge}) == ["charge.payment_intent: 'charge' is no PaymentIntent"]
