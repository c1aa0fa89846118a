"""A charge names the receipt of its payment, where one is written."""

import pytest

from tests.payers import Visitor, offer, row_of
from tests.payments.acts import pay
from tests.payments.card_acts import paid

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A5"),
    pytest.mark.usefixtures("acquirer"),
]


@pytest.fixture(params=["wallet", "card"])
def visitor(request, api, payer):
    """A payer who paid a session, by either road."""
    visitor = Visitor(offer(api))
    if request.param == "card":
        visitor.pay_by_card()
    else:
        visitor.sign_in(payer)
        visitor.pay()
    assert visitor.stage == "paid"
    return visitor


class TestReceiptUrl:
    def test_is_the_receipt_that_the_payer_sees(self, api, visitor):
        address = next(link["href"] for link in visitor.page.all("a") if link["href"].startswith("/r/"))

        [charge] = api.get("charges").json["data"]
        read = api.get(f"charges/{charge['id']}").json
        expanded = api.get(f"payment_intents/{charge['payment_intent']}", {"expand": ["latest_charge"]}).json
        [found] = api.get("charges/search", {"query": 'status:"succeeded"'}).json["data"]
        changed = api.post(f"charges/{charge['id']}", {"description": "Table 7"}).json

        for each in (charge, read, expanded["latest_charge"], found, changed):
            assert each["receipt_url"].endswith(address)
        assert visitor.client.get(address).status_code == 200

    def test_is_null_where_no_receipt_is_written(self, api, customer, wallet_method):
        pay(api, wallet_method(customer, 5_000))
        paid(api)

        assert [each["receipt_url"] for each in api.get("charges").json["data"]] == [None, None]

    def test_is_of_the_charge_that_paid_alone(self, api, book, payer):
        session = offer(api)
        visitor = Visitor(session)
        visitor.pay_by_card("4000000000000002")
        visitor.pay_by_card()

        took, declined = api.get(
            "charges", {"payment_intent": api.get(f"checkout/sessions/{session['id']}").json["payment_intent"]}
        ).json["data"]

        assert (took["status"], declined["status"]) == ("succeeded", "failed")
        assert declined["receipt_url"] is None
        assert took["receipt_url"]
        assert row_of(book, session).has_receipt
