"""The first payment, as an integrator lives it: from an empty account to money earned, given back, and proven."""

import pytest
import stripe

from payments import proof
from tests.contract.integrator import ask, checked, checked_error


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.requirement("A1")
@pytest.mark.requirement("A5")
def test_a_merchant_takes_a_first_payment(integrator, guest, wallet_of):
    shop = integrator.v1

    # Nothing was sold yet.
    assert shop.balance.retrieve().available[0].amount == 0
    assert shop.payment_intents.list().data == []

    # Something to sell, and somebody who buys it: two teas, ¥64.00.
    tea = shop.products.create({"name": "Oolong", "default_price_data": {"currency": "cny", "unit_amount": 3_200}})
    order = ask(
        integrator,
        "post",
        "/v1/orders",
        currency="cny",
        customer=guest.id,
        reference="table 7",
        line_items=[{"price": tea.default_price, "quantity": 2}],
    )
    wallet = wallet_of(guest, 5_000)
    intent = checked(
        shop.payment_intents.create(
            {
                "amount": order.amount_total,
                "currency": "cny",
                "customer": guest.id,
                "payment_details": {"order_reference": "table 7"},
            }
        )
    )
    assert intent.status == "requires_payment_method"

    # The wallet holds too little. Nothing is lost by it.
    with pytest.raises(stripe.CardError) as declined:
        shop.payment_intents.confirm(intent.id, {"payment_method": wallet.payment_method})
    assert checked_error(declined.value).decline_code == "insufficient_funds"
    assert ask(integrator, "get", f"/v1/wallets/{wallet.id}").balance == 5_000

    # Another wallet pays.
    full = wallet_of(guest, 100_000)
    paid = checked(shop.payment_intents.confirm(intent.id, {"payment_method": full.payment_method}))
    assert (paid.status, paid.amount_received) == ("succeeded", 6_400)
    assert ask(integrator, "get", f"/v1/orders/{order.id}").status == "paid"

    # A client that forgot what it did cannot be paid twice for the same table.
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.payment_intents.create(
            {
                "amount": 6_400,
                "currency": "cny",
                "payment_method": full.payment_method,
                "confirm": True,
                "payment_details": {"order_reference": "table 7"},
            }
        )
    assert refused.value.code == "order_amount_exceeded"

    # One tea was cold: it comes back, with its part of the fee.
    line = order.lines.data[0].id
    refund = checked(
        shop.refunds.create(
            {"payment_intent": paid.id, "lines": [{"line": line, "quantity": 1}], "reason": "duplicate"}
        )
    )
    assert refund.amount == 3_200

    # What is owed is what was taken, less the fee of what stayed: 0.38 % of ¥32.00.
    assert checked(shop.balance.retrieve()).available[0].amount == 3_188
    given_back, taken = checked(shop.balance_transactions.list()).data
    assert (taken.net, given_back.net, taken.net + given_back.net) == (6_376, -3_188, 3_188)
    statement = integrator.raw_request("get", f"/v1/wallets/{full.id}/transactions").data["data"]
    assert [each["amount"] for each in statement] == [3_200, -6_400, 100_000]

    # Every step was told, in order, and every cent is accounted for.
    told = [event.type for event in shop.events.list({"types": ["payment_intent.*", "charge.*", "refund.*"]})]
    assert told[::-1] == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.refunded",
        "refund.created",
    ]
    assert proof.prove() == []
