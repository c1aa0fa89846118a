"""Cards whose time is over: what comes to them all the same can be spent for a while."""

from datetime import timedelta

import pytest

from merchant_platform.kernel import ids, tenancy
from payments.stored_value import operations
from tests.cast import NOW, origin_of
from tests.payments import acts, books
from tests.payments.tenders.acts import on_card

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
DAY = timedelta(days=1)


@pytest.mark.parametrize("first", [500, 0])
def test_what_is_paid_for_after_the_end_is_not_lost(api, book, customer, wallet_method, first):
    line = {"description": "Gift card", "unit_amount": 1_000}
    order = api.post("orders", {"currency": "cny", "line_items": [line]}).json
    ends = {"expires_at": int((NOW + DAY).timestamp())}
    made = api.post("stored_value_cards", {"currency": "cny", "amount": first, **ends}).json
    api.post(
        f"stored_value_cards/{made['id']}/reload", {"amount": 1_000, "order_line": order["lines"]["data"][0]["id"]}
    )
    card_id, late = ids.parse("svc", made["id"]), NOW + 2 * DAY
    around = {"card_id": card_id, "now": late, "origin": origin_of(book)}
    with tenancy.within(book.pk):
        operations.expire(**around)

    paid = acts.pay(api, wallet_method(customer, 1_000), 1_000, payment_details={"order_reference": order["id"]})
    with tenancy.within(book.pk):
        assert operations.load_paid(**around) == 1
        operations.expire(**around)
        card = operations.lock(card_id)

    assert paid.json["status"] == "succeeded"
    assert (card.status, card.expires_at) == ("active", late + operations.GRACE)
    assert on_card(book, card) == (1_000, 0)
    books.assert_agree()
