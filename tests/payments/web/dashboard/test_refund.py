from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client

from payments.intents.models import Refund
from security.audit.models import AuditRecord
from tests.cast import owed_to, race
from tests.payments import books
from tests.payments.books import unchanged
from tests.payments.card_acts import by_number, paid
from tests.payments.web.dashboard.sales import BASE, order, pay, sell, text_of
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def method(customer, wallet_method):
    return wallet_method(customer, 100_000)


@pytest.fixture
def sold(api, method):
    return sell(api, method)


def lines_of(api, sold) -> list[str]:
    return [line["id"] for line in api.get(f"orders/{sold['order']}").json["lines"]["data"]]


def address(payment, **asked) -> str:
    return f"{BASE}/payments/{payment['id']}/refund/confirm?" + urlencode({"token": uuid4(), **asked})


def refunds_of(api, payment) -> list[tuple[int, str]]:
    found = api.get("refunds", {"payment_intent": payment["id"]}).json["data"]
    return [(each["amount"], each["status"]) for each in found][::-1]


class TestChoose:
    def test_offers_the_lines_of_an_order(self, owner, sold):
        reply = owner.get(f"{BASE}/payments/{sold['id']}/refund")

        assert [(row[0].description, row[2]) for row in reply.context["form"].rows()] == [
            ("Espresso", 2), ("Flat white", 1), ("Croissant", 3),
        ]  # fmt: skip
        assert reply.context["left_minor"] == 14_000

    def test_offers_an_amount_where_nothing_was_listed(self, owner, api, method):
        reply = owner.get(f"{BASE}/payments/{pay(api, method)['id']}/refund")

        assert reply.context["has_lines"] is False
        assert 'value="10.00"' in text_of(reply)

    def test_says_that_nothing_is_left(self, owner, api, sold):
        api.post("refunds", {"payment_intent": sold["id"]})

        assert "It is refunded already." in text_of(owner.get(f"{BASE}/payments/{sold['id']}/refund"))

    def test_says_that_nothing_was_taken(self, owner, api):
        intent = api.post("payment_intents", {"amount": 500, "currency": "cny"}).json

        body = text_of(owner.get(f"{BASE}/payments/{intent['id']}/refund"))

        assert "No money was taken, so there is nothing to refund." in body

    @pytest.mark.parametrize("role", ROLES)
    def test_is_for_roles_that_may(self, role, merchant, sold):
        client = signed_in(make_staff(merchant, role))
        may = role in ("owner", "manager", "support", "finance")

        with unchanged():
            statuses = [
                client.get(f"{BASE}/payments/{sold['id']}/refund").status_code,
                client.get(address(sold, by="amount", amount="1")).status_code,
            ]

        assert statuses == [200 if may else 403] * 2

    def test_is_not_there_for_a_stranger(self, other_merchant, sold):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        with unchanged():
            assert stranger.get(f"{BASE}/payments/{sold['id']}/refund").status_code == 404
            assert stranger.post(address(sold, by="amount", amount="1")).status_code == 404
            other = address(sold, by="amount", amount="1").replace("/cafe/", "/bakery/")
            assert stranger.post(other).status_code == 404


class TestConfirm:
    def test_shows_what_it_does_and_writes_nothing(self, owner, api, sold):
        first, second, _ = lines_of(api, sold)
        asked = {"by": "lines", f"quantity_{first}": 1, f"quantity_{second}": 1, "reason": "duplicate"}

        with unchanged():
            reply = owner.get(address(sold, **asked))

        preview = reply.context["preview"]
        assert (preview.amount_minor, preview.fee_returned_minor, preview.net_minor, preview.left_minor) == (
            5_000, 19, 4_981, 9_000,
        )  # fmt: skip
        assert [(part["description"], part["row"].quantity) for part in reply.context["preview_lines"]] == [
            ("Espresso", 1), ("Flat white", 1),
        ]  # fmt: skip

    def test_refunds_the_lines(self, owner, api, sold, book):
        first, second, _ = lines_of(api, sold)
        before = owed_to(book)

        reply = owner.post(
            address(sold, by="lines", reason="duplicate", **{f"quantity_{first}": 1, f"quantity_{second}": 1})
        )

        assert (reply.status_code, reply.url) == (302, f"{BASE}/payments/{sold['id']}")
        [given] = api.get("refunds", {"payment_intent": sold["id"]}).json["data"]
        assert (given["amount"], given["reason"], given["status"]) == (5_000, "duplicate", "succeeded")
        assert [(line["line"], line["quantity"], line["amount"]) for line in given["lines"]] == [
            (first, 1, 1_800), (second, 1, 3_200),
        ]  # fmt: skip
        assert owed_to(book) == before - 4_981
        books.assert_agree()

    def test_refunds_an_amount(self, owner, api, sold):
        owner.post(address(sold, by="amount", amount="12.50"))

        assert refunds_of(api, sold) == [(1_250, "succeeded")]

    def test_writes_into_the_audit_log_who_did_it(self, owner, api, sold, book):
        owner.post(address(sold, by="amount", amount="1"))

        record = AuditRecord.objects.get(action="payment.refund")
        [given] = api.get("refunds", {"payment_intent": sold["id"]}).json["data"]
        assert (record.object_id, record.book_id, record.detail) == (
            sold["id"], book.pk, {"refund": given["id"], "amount_minor": 100, "currency": "CNY"},
        )  # fmt: skip

    def test_sent_twice_refunds_once(self, owner, api, sold):
        there = address(sold, by="amount")

        replies = [owner.post(f"{there}&amount=140"), owner.post(f"{there}&amount=140")]

        assert [reply.url for reply in replies] == [f"{BASE}/payments/{sold['id']}"] * 2
        assert refunds_of(api, sold) == [(14_000, "succeeded")]
        assert AuditRecord.objects.filter(action="payment.refund").count() == 1

    def test_sent_twice_at_once_refunds_once(self, merchant, api, sold):
        staff = make_staff(merchant, "owner")
        there, clients = address(sold, by="amount", amount="60"), [signed_in(staff), signed_in(staff)]

        replies = race(*(lambda client=client: client.post(there) for client in clients))

        assert [reply.status_code for reply in replies] == [302, 302]
        assert refunds_of(api, sold) == [(6_000, "succeeded")]

    def test_two_forms_at_once_give_back_no_more_than_there_was(self, merchant, api, sold):
        staff = make_staff(merchant, "owner")
        clients = [signed_in(staff), signed_in(staff)]

        replies = race(*(lambda c=client: c.post(address(sold, by="amount", amount="100")) for client in clients))

        assert sorted(reply.status_code for reply in replies) == [302, 400]
        assert refunds_of(api, sold) == [(10_000, "succeeded")]
        books.assert_agree()

    @pytest.mark.parametrize(
        "asked",
        [
            {"by": "amount", "amount": "140.01"}, {"by": "amount", "amount": "0"}, {"by": "amount"},
            {"by": "amount", "amount": "-5"}, {"by": "amount", "amount": "1.001"}, {"by": "amount", "amount": "ten"},
            {"by": "lines"}, {"by": "everything"}, {}, {"by": "amount", "amount": "1", "reason": "because"},
            {"by": "amount", "amount": "1e3"},
        ],
    )  # fmt: skip
    def test_tells_what_is_wrong_and_writes_nothing(self, asked, owner, sold):
        with unchanged():
            replies = [owner.get(address(sold, **asked)), owner.post(address(sold, **asked))]

        assert [reply.status_code for reply in replies] == [400, 400]
        assert replies[0].context["form"].errors

    @pytest.mark.parametrize("quantity", ["3", "-1", "x", "1.5"])
    def test_tells_a_quantity_that_is_not_there(self, quantity, owner, api, sold):
        first, *_ = lines_of(api, sold)

        with unchanged():
            reply = owner.post(address(sold, by="lines", **{f"quantity_{first}": quantity}))

        assert reply.status_code == 400
        assert f"quantity_{first}" in reply.context["form"].errors

    @pytest.mark.parametrize(("currency", "amount", "wrong"), [("KWD", 10_000, "1.001"), ("ISK", 50_000, "1.50")])
    def test_keeps_to_the_steps_of_a_currency(self, currency, amount, wrong, owner, api, customer, wallet_method):
        method = wallet_method(customer, 100_000, currency=currency)
        sold = pay(api, method, amount, currency=currency.lower())

        with unchanged():
            reply = owner.post(address(sold, by="amount", amount=wrong))

        assert reply.status_code == 400
        [error] = reply.context["form"].errors["amount"]
        assert error.startswith(f"{currency} is paid in steps of ")
        owner.post(address(sold, by="amount", amount="1"))
        assert refunds_of(api, sold) == [(1_000 if currency == "KWD" else 100, "succeeded")]

    def test_asks_the_provider_of_a_card(self, owner, api, acquirer):
        card = paid(api)

        owner.post(address(card, by="amount", amount="40"))

        assert refunds_of(api, card) == [(4_000, "succeeded")]

    def test_shows_a_refund_that_is_on_its_way(self, owner, api, acquirer):
        card = paid(api, None, **by_number("4000000000007726"))

        reply = owner.post(address(card, by="amount", amount="40"), follow=True)

        assert "is on its way back" in text_of(reply)
        assert refunds_of(api, card) == [(4_000, "pending")]
        assert "1 refund of this payment is still on its way." in text_of(
            owner.get(f"{BASE}/payments/{card['id']}/refund")
        )

    def test_needs_the_token_of_its_form(self, owner, sold):
        with unchanged():
            assert owner.post(f"{BASE}/payments/{sold['id']}/refund/confirm?by=amount&amount=1").status_code == 404
            assert owner.post(f"{BASE}/payments/{sold['id']}/refund/confirm?token=x").status_code == 404

    def test_needs_the_token_against_forgery(self, merchant, sold):
        owner = signed_in(make_staff(merchant, "owner"))
        strict = Client(enforce_csrf_checks=True)
        strict.cookies = owner.cookies

        with unchanged():
            assert strict.post(address(sold, by="amount", amount="1")).status_code == 403

    @pytest.mark.parametrize("role", ["cashier", "analyst", "developer"])
    def test_is_closed_to_roles_that_may_not(self, role, merchant, sold):
        client = signed_in(make_staff(merchant, role))

        with unchanged():
            assert client.post(address(sold, by="amount", amount="1")).status_code == 403
        assert not Refund.objects.using("platform").exists()

    def test_names_no_line_of_another_order(self, owner, api, sold):
        foreign = order(api, "A-2")["lines"]["data"][0]["id"]

        with unchanged():
            assert owner.post(address(sold, by="lines", **{f"quantity_{foreign}": 1})).status_code == 400
