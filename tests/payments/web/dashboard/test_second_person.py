"""Refunds that need two people: asked for at the desk, allowed by another with a factor, made once, or clearly not."""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from merchant_platform.kernel import clock, tenancy
from payments.bulk import operations as bulk
from security.approvals import operations as approvals
from security.approvals.models import Approval
from security.approvals.states import APPROVED, DONE, EXPIRED, FAILED, REQUESTED
from security.audit.models import AuditRecord
from security.merchants import profile
from security.merchants.models import Merchant
from tests.cast import NOW, move_clock, race, shown
from tests.payments.books import unchanged
from tests.payments.web.dashboard.sales import BASE, pay, sell, stepped_up, text_of
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A41")]

LIMIT = 5_000


@pytest.fixture
def limited(merchant):
    profile.limit_refunds(merchant_id=merchant.pk, alone_max_minor=LIMIT)
    merchant.refresh_from_db()
    return merchant


@pytest.fixture
def support(limited):
    return signed_in(make_staff(limited, "support"))


@pytest.fixture
def manager(limited):
    return signed_in(make_staff(limited, "manager"))


@pytest.fixture
def method(customer, wallet_method):
    return wallet_method(customer, 100_000)


@pytest.fixture
def paid(api, method):
    return pay(api, method, 20_000)


def address(payment, amount, **more):
    asked = {"token": uuid4(), "by": "amount", "amount": amount, **more}
    return f"{BASE}/payments/{payment['id']}/refund/confirm?{urlencode(asked)}"


def refunded(api, payment):
    found = api.get("refunds", {"payment_intent": payment["id"]}).json["data"]
    return [each["amount"] for each in found][::-1]


def asked(book):
    with tenancy.within(book.pk):
        return list(Approval.objects.filter(book_id=book.pk).order_by("pk"))


def approve(client, approval):
    there = f"{BASE}/approvals/{shown('apr', approval)}/approve"
    stepped_up(client, there)
    return client.post(there, follow=True)


class TestAsk:
    def test_waits_for_another_above_the_limit_and_moves_no_money(self, api, book, support, manager, paid):
        there = address(paid, "50.01")

        page = text_of(support.get(there))
        reply = support.post(there, follow=True)
        again = support.post(there, follow=True)

        assert "So large a refund needs a second person." in page
        assert "Somebody else has to allow this refund now." in text_of(reply)
        assert "A refund of this waits for a second person already." in text_of(again)
        assert refunded(api, paid) == []
        [approval] = asked(book)
        assert (approval.status, approval.object_id, approval.what) == (REQUESTED, paid["id"], "退款 ¥50.01")
        assert approval.facts["amount_minor"] == 5_001
        assert "See what was asked for" in text_of(support.get(f"{BASE}/payments/{paid['id']}/refund"))
        assert "Approvals wait for your decision" in text_of(manager.get(f"{BASE}/notifications"))

    def test_leaves_what_is_below_and_what_keys_do(self, api, book, support, paid):
        support.post(address(paid, "50.00"))
        api.post("refunds", {"payment_intent": paid["id"], "amount": 9_000})

        assert refunded(api, paid) == [5_000, 9_000]
        assert asked(book) == []

    def test_counts_what_was_refunded_before(self, api, book, support, paid):
        support.post(address(paid, "30"))
        support.post(address(paid, "20.01"))

        assert refunded(api, paid) == [3_000]
        assert [each.facts["amount_minor"] for each in asked(book)] == [2_001]

    def test_wants_two_for_any_amount_in_another_currency(self, api, book, support, limited, paid):
        Merchant.objects.filter(pk=limited.pk).update(default_currency="USD")

        support.post(address(paid, "0.01"))

        assert (refunded(api, paid), len(asked(book))) == ([], 1)


class TestAllow:
    def test_makes_it_once_and_says_who_did_what(self, api, book, support, manager, paid):
        support.post(address(paid, "60"))
        [approval] = asked(book)

        body = text_of(approve(manager, approval))

        [refund] = api.get("refunds", {"payment_intent": paid["id"]}).json["data"]
        assert (refund["amount"], refund["id"] in body) == (6_000, True)
        assert asked(book)[0].status == DONE
        assert approvals.carry_out_due() == 0
        record = AuditRecord.objects.get(action="payment.refund")
        assert record.actor_id == approval.requested_by_id
        assert AuditRecord.objects.filter(action="approval.approved").count() == 1

    def test_gives_back_the_lines_that_were_named(self, api, book, support, manager, method):
        sold = sell(api, method)
        line = api.get(f"orders/{sold['order']}").json["lines"]["data"][0]
        named = {"by": "lines", f"quantity_{line['id']}": 1}
        profile.limit_refunds(merchant_id=book.merchant_id, alone_max_minor=0)
        support.post(f"{BASE}/payments/{sold['id']}/refund/confirm?{urlencode({'token': uuid4(), **named})}")
        [approval] = asked(book)

        approve(manager, approval)

        after = api.get(f"orders/{sold['order']}").json["lines"]["data"][0]
        assert refunded(api, sold) == [approval.facts["amount_minor"]] == [approval.facts["lines"][0][2]]
        assert after["id"] == line["id"] == approval.facts["lines"][0][0]

    def test_happens_once_where_two_allow_it(self, api, book, support, limited, paid):
        support.post(address(paid, "60"))
        [approval] = asked(book)
        clients = [signed_in(make_staff(limited, role)) for role in ("manager", "finance")]
        there = f"{BASE}/approvals/{shown('apr', approval)}/approve"
        for client in clients:
            stepped_up(client, there)

        race(*[lambda client=client: client.post(there).status_code for client in clients])
        race(*[lambda: approvals.carry_out(book_id=book.pk, approval_id=approval.pk)] * 2)

        assert refunded(api, paid) == [6_000]
        assert (asked(book)[0].status, approvals.carry_out_due()) == (DONE, 0)

    def test_is_never_ones_own(self, api, book, manager, paid):
        manager.post(address(paid, "60"))
        [approval] = asked(book)

        body = text_of(approve(manager, approval))

        assert "You asked for this yourself" in body
        assert (refunded(api, paid), asked(book)[0].status) == ([], REQUESTED)

    def test_is_too_late_after_three_days(self, api, book, support, manager, paid):
        support.post(address(paid, "60"))
        [approval] = asked(book)
        move_clock(book, NOW + timedelta(days=3))

        body = text_of(approve(manager, approval))
        approvals.expire_due(now=NOW + timedelta(days=3))

        assert "Nobody decided in time." in body
        assert (refunded(api, paid), asked(book)[0].status) == ([], EXPIRED)

    def test_says_clearly_that_it_does_not_fit_any_more(self, api, book, support, manager, paid):
        support.post(address(paid, "150"))
        [approval] = asked(book)
        api.post("refunds", {"payment_intent": paid["id"], "amount": 5_001})

        body = text_of(approve(manager, approval))

        assert "That is more than is left to refund." in body
        assert (refunded(api, paid), asked(book)[0].status) == ([5_001], FAILED)

    def test_is_made_by_the_clock_where_the_page_died(self, api, book, support, limited, paid):
        support.post(address(paid, "60"))
        [approval] = asked(book)
        decider = make_staff(limited, "finance")
        with tenancy.within(book.pk):
            approvals.approve(approval=approval, staff=decider, now=NOW, actor=approvals.audit.Actor.staff(decider.pk))
        assert asked(book)[0].status == APPROVED

        approvals.carry_out_due()

        assert (refunded(api, paid), asked(book)[0].status) == ([6_000], DONE)


class TestBulk:
    def test_asks_for_each_that_is_too_large(self, api, book, support, method, paid):
        small = pay(api, method, 1_000)
        chosen = [("selected", each["id"]) for each in (paid, small)]
        there = f"{BASE}/payments/bulk?{urlencode([('act', 'refund'), *chosen])}"

        job = support.post(there, {"token": uuid4()}).url
        bulk.run_due(at=clock.wall())

        assert (refunded(api, paid), refunded(api, small)) == ([], [1_000])
        assert [each.facts["amount_minor"] for each in asked(book)] == [20_000]
        assert "It waits under Approvals." in text_of(support.get(job))


class TestLimit:
    PAGE = f"{BASE}/settings/refunds"

    def test_is_set_by_the_owner_with_a_factor(self, merchant):
        owner = signed_in(make_staff(merchant))
        there = f"{self.PAGE}?above=500"

        assert owner.post(there)["Location"].startswith("/accounts/confirm/")
        assert Merchant.objects.get(pk=merchant.pk).refund_alone_max_minor is None
        page = text_of(stepped_up(owner, there))
        assert "500.00 of a payment need a second person" in page
        # For another amount it is another proof.
        assert owner.post(f"{self.PAGE}?above=900")["Location"].startswith("/accounts/confirm/")
        assert owner.post(there).status_code == 302

        assert Merchant.objects.get(pk=merchant.pk).refund_alone_max_minor == 50_000
        assert AuditRecord.objects.get(action="merchant.refund_limit").detail == {"alone_max_minor": 50_000}
        assert "500.00 of a payment" in text_of(owner.get(f"{BASE}/settings"))

    def test_is_nobody_elses_and_no_nonsense(self, merchant):
        manager, owner = (signed_in(make_staff(merchant, role)) for role in ("manager", "owner"))

        with unchanged():
            assert manager.post(f"{self.PAGE}?above=1").status_code == 403
            for text in ("-1", "x", "1e9", "9" * 16, "1.001"):
                assert owner.post(f"{self.PAGE}?above={text}").status_code == 400
