from uuid import uuid4

import pytest

from security.audit.models import AuditRecord
from tests.cast import race
from tests.payments import books
from tests.payments.books import unchanged
from tests.payments.card_acts import paid
from tests.payments.web.dashboard.sales import BASE, pay, text_of
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def held(api, acquirer):
    return paid(api, amount=10_000, capture_method="manual")


def state(api, payment) -> tuple[str, int, int]:
    intent = api.get(f"payment_intents/{payment['id']}").json
    return intent["status"], intent["amount_received"], intent["amount_capturable"]


class TestCapture:
    def post(self, client, payment, token=None, **asked):
        return client.post(
            f"{BASE}/payments/{payment['id']}/capture", {"token": token or uuid4(), "amount": "100", **asked}
        )

    def test_offers_all_that_is_held(self, owner, held):
        body = text_of(owner.get(f"{BASE}/payments/{held['id']}/capture"))

        assert "CN¥100.00 is held on the card." in body
        assert 'value="100.00"' in body

    def test_takes_a_part_and_releases_the_rest(self, owner, api, held):
        reply = self.post(owner, held, amount="60")

        assert (reply.status_code, reply.url) == (302, f"{BASE}/payments/{held['id']}")
        assert state(api, held) == ("succeeded", 6_000, 0)
        books.assert_agree()

    def test_takes_a_part_and_keeps_the_rest(self, owner, api, held):
        self.post(owner, held, amount="60", keeps_rest="on")

        assert state(api, held) == ("requires_capture", 6_000, 4_000)

    def test_sent_twice_takes_once(self, owner, api, held):
        token = uuid4()

        replies = [self.post(owner, held, token, amount="60", keeps_rest="on") for _ in range(2)]

        assert [reply.status_code for reply in replies] == [302, 302]
        assert state(api, held) == ("requires_capture", 6_000, 4_000)
        assert AuditRecord.objects.filter(action="payment.capture").count() == 1

    def test_two_at_once_take_no_more_than_is_held(self, merchant, api, held):
        staff = make_staff(merchant, "owner")
        clients = [signed_in(staff), signed_in(staff)]

        race(*(lambda c=client: self.post(c, held, amount="70", keeps_rest="on") for client in clients))

        assert state(api, held) == ("requires_capture", 7_000, 3_000)
        books.assert_agree()

    @pytest.mark.parametrize("amount", ["100.01", "0", "", "-1", "x"])
    def test_tells_what_is_wrong(self, amount, owner, held):
        with unchanged():
            reply = self.post(owner, held, amount=amount)

        assert reply.status_code == 400
        assert reply.context["form"].errors

    def test_refuses_what_is_not_held(self, owner, api, customer, wallet_method):
        sold = pay(api, wallet_method(customer, 5_000))

        with unchanged():
            assert self.post(owner, sold, amount="1").status_code == 400
        assert "Nothing is held" in text_of(owner.get(f"{BASE}/payments/{sold['id']}/capture"))

    def test_is_for_roles_that_may(self, merchant, held):
        for role in ROLES:
            status = signed_in(make_staff(merchant, role)).get(f"{BASE}/payments/{held['id']}/capture").status_code
            assert status == (200 if role in ("owner", "manager", "cashier", "finance") else 403), role

    def test_is_closed_to_strangers_and_to_roles_that_may_not(self, merchant, other_merchant, held):
        clients = [signed_in(make_staff(other_merchant, "owner")), signed_in(make_staff(merchant, "support"))]

        with unchanged():
            assert [self.post(client, held).status_code for client in clients] == [404, 403]


class TestCancel:
    def post(self, client, payment, token=None, **asked):
        return client.post(f"{BASE}/payments/{payment['id']}/cancel", {"token": token or uuid4(), **asked})

    def test_releases_what_is_held(self, owner, api, held):
        self.post(owner, held, reason="duplicate")

        assert state(api, held) == ("canceled", 0, 0)
        assert api.get(f"payment_intents/{held['id']}").json["cancellation_reason"] == "duplicate"

    def test_sent_twice_cancels_once(self, owner, api, held):
        token = uuid4()

        replies = [self.post(owner, held, token) for _ in range(2)]

        assert [reply.status_code for reply in replies] == [302, 302]
        assert AuditRecord.objects.filter(action="payment.cancel").count() == 1

    def test_gives_up_what_nobody_has_paid(self, owner, api):
        intent = api.post("payment_intents", {"amount": 500, "currency": "cny"}).json

        self.post(owner, intent)

        assert state(api, intent)[0] == "canceled"

    def test_refuses_what_was_taken(self, owner, api, customer, wallet_method):
        sold = pay(api, wallet_method(customer, 5_000))

        with unchanged():
            assert self.post(owner, sold).status_code == 400
            assert self.post(owner, sold, reason="because").status_code == 400
        assert "It cannot be canceled" in text_of(owner.get(f"{BASE}/payments/{sold['id']}/cancel"))

    def test_is_closed_to_strangers_and_to_roles_that_may_not(self, merchant, other_merchant, held):
        clients = [signed_in(make_staff(other_merchant, "owner")), signed_in(make_staff(merchant, "finance"))]

        with unchanged():
            assert [self.post(client, held).status_code for client in clients] == [404, 403]
