"""Currencies with three decimals are sent in tens, and those without a minor unit in hundreds."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


class TestStep:
    @pytest.mark.parametrize(("currency", "amount"), [("kwd", 1234), ("isk", 1050)])
    def test_refuses_what_the_currency_cannot_be_paid_in(self, api, currency, amount):
        reply = api.post("payment_intents", {"amount": amount, "currency": currency})

        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "parameter_invalid_integer", "amount")
        assert reply.error["doc_url"].endswith("/docs/errors/parameter_invalid_integer")

    @pytest.mark.parametrize(("currency", "amount"), [("kwd", 1230), ("isk", 1100), ("jpy", 7), ("cny", 1234)])
    def test_takes_what_it_can(self, api, currency, amount):
        reply = api.post("payment_intents", {"amount": amount, "currency": currency})

        assert (reply.status, reply.json["amount"]) == (200, amount)

    def test_holds_for_a_changed_currency_too(self, api, book):
        intent = api.post("payment_intents", {"amount": 1234, "currency": "cny"}).json

        reply = api.post(f"payment_intents/{intent['id']}", {"currency": "kwd"})

        assert (reply.status, reply.error["code"]) == (400, "parameter_invalid_integer")
        assert api.get(f"payment_intents/{intent['id']}").json["currency"] == "cny"

    def test_holds_for_prices_and_order_lines(self, api):
        product = api.post("products", {"name": "Dates"}).json

        price = api.post("prices", {"product": product["id"], "currency": "kwd", "unit_amount": 1234})
        order = api.post(
            "orders", json={"currency": "kwd", "line_items": [{"description": "Dates", "unit_amount": 1234}]}
        )

        assert price.error["param"] == "unit_amount"
        assert order.error["param"] == "line_items[0][unit_amount]"
