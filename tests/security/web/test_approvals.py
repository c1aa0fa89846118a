"""The page of approvals: seen by few, decided by another person, confirmed with a factor."""

from urllib.parse import urlsplit

import pytest

from merchant_platform.kernel import clock, tenancy
from security.approvals import operations as approvals
from security.approvals.models import Approval
from security.approvals.states import APPROVED, REFUSED, REQUESTED
from security.audit import operations as audit
from security.authentication import codes, operations
from tests.cast import NOW, shown
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A41")]

HERE = "/dashboard/cafe/test/approvals"
STATEMENTS_MAX = 10


@pytest.fixture
def asker(merchant):
    return make_staff(merchant, "support")


@pytest.fixture
def decider(merchant):
    return make_staff(merchant, "manager")


@pytest.fixture
def approval(book, asker):
    with tenancy.within(book.pk):
        return approvals.request(
            book_id=book.pk,
            staff=asker,
            action="payment.refund",
            object_id="pi_1",
            what="Refund ¥2,500.00 <b>",
            facts={"amount_minor": 250_000, "currency": "cny", "payee": "Lin"},
            now=NOW,
            actor=audit.Actor.staff(asker.pk),
        )


def status_of(book, approval):
    with tenancy.within(book.pk):
        return Approval.objects.get(pk=approval.pk).status


class TestList:
    def test_shows_what_waits_in_few_statements(self, approval, decider, django_assert_max_num_queries):
        client = signed_in(decider)

        with django_assert_max_num_queries(STATEMENTS_MAX):
            reply = client.get(HERE)

        assert "Refund ¥2,500.00 &lt;b&gt;" in reply.content.decode()
        assert "Refund ¥" not in client.get(f"{HERE}?status=decided").content.decode()
        # The live book is another book.
        assert "Refund ¥" not in client.get("/dashboard/cafe/approvals").content.decode()

    @pytest.mark.parametrize("role", ["cashier", "analyst", "developer"])
    def test_is_closed_to_other_roles(self, role, approval, merchant):
        assert signed_in(make_staff(merchant, role)).get(HERE).status_code == 403

    def test_takes_any_cursor(self, approval, decider):
        client = signed_in(decider)

        assert [client.get(f"{HERE}?before={text}").status_code for text in ("x", "apr_1", "%00")] == [200] * 3


class TestApprove:
    def test_asks_for_a_factor_and_then_does_it(self, approval, book, decider, settings):
        settings.APPROVAL_DEEDS = {}
        seed = operations.give_app(user=decider.user)
        client = signed_in(decider)
        address = f"{HERE}/{shown('apr', approval)}/approve"

        asked = client.get(address)
        assert asked.status_code == 302
        page = client.get(asked["Location"])
        assert "2,500.00" in page.content.decode()
        assert "Lin" in page.content.decode()
        code = codes.code_at(seed, codes.step_at(clock.wall()))
        proved = client.post(asked["Location"], {"code": code})
        assert (proved.status_code, proved["Location"]) == (302, address)
        assert client.get(address).status_code == 200
        done = client.post(address, {"note": "fine"})

        assert urlsplit(done["Location"]).path == f"{HERE}/{shown('apr', approval)}"
        assert status_of(book, approval) == APPROVED

    def test_does_nothing_without_the_factor(self, approval, book, decider):
        client = signed_in(decider)

        reply = client.post(f"{HERE}/{shown('apr', approval)}/approve")

        assert (reply.status_code, reply["Location"].startswith("/accounts/confirm/stp_")) == (302, True)
        assert status_of(book, approval) == REQUESTED

    def test_is_not_for_who_asked(self, approval, book, asker):
        client = signed_in(asker)

        assert client.post(f"{HERE}/{shown('apr', approval)}/approve").status_code == 403
        assert client.post(f"{HERE}/{shown('apr', approval)}/refuse").status_code == 403
        assert "approve" not in client.get(f"{HERE}/{shown('apr', approval)}").content.decode()
        assert status_of(book, approval) == REQUESTED

    def test_is_not_there_for_a_stranger(self, approval, book, other_merchant):
        client = signed_in(make_staff(other_merchant))

        assert client.post(f"/dashboard/bakery/test/approvals/{shown('apr', approval)}/refuse").status_code == 404
        assert client.get(f"/dashboard/bakery/test/approvals/{shown('apr', approval)}").status_code == 404
        assert status_of(book, approval) == REQUESTED


class TestRefuse:
    def test_is_done_once_however_often_it_is_sent(self, approval, book, decider):
        client = signed_in(decider)

        for _ in range(2):
            reply = client.post(f"{HERE}/{shown('apr', approval)}/refuse", {"note": "no\0"})
            assert reply.status_code == 302

        assert status_of(book, approval) == REFUSED
