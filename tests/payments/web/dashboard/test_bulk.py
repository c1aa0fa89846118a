from datetime import timedelta
from uuid import uuid4

import pytest

from merchant_platform.kernel import clock, tenancy
from payments.bulk import operations
from payments.bulk.models import BulkItem
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
def method(customer, wallet_method):
    return wallet_method(customer, 100_000)


def address(act, *payments) -> str:
    return f"{BASE}/payments/bulk?act={act}" + "".join(f"&selected={payment['id']}" for payment in payments)


def start(client, act, *payments, token=None):
    return client.post(address(act, *payments), {"token": token or uuid4()})


def status(api, payment) -> str:
    return api.get(f"payment_intents/{payment['id']}").json["status"]


def given_back(api, payment) -> list[int]:
    return [each["amount"] for each in api.get("refunds", {"payment_intent": payment["id"]}).json["data"]]


class TestConfirm:
    def test_says_what_happens_to_each(self, owner, api, method, acquirer):
        sold, open_ = pay(api, method), api.post("payment_intents", {"amount": 500, "currency": "cny"}).json

        with unchanged():
            reply = owner.get(address("refund", sold, open_))

        rows = {row["id"]: row["amount_minor"] for row in reply.context["rows"]}
        assert rows == {sold["id"]: 1_000, open_["id"]: None}
        assert (reply.context["possible_count"], reply.context["sums"]) == (1, [("CNY", 1_000)])

    def test_starts_one_job_a_form(self, owner, api, method, book):
        sold, token = pay(api, method), uuid4()

        replies = [start(owner, "refund", sold, token=token) for _ in range(2)]

        assert replies[0].url == replies[1].url
        with tenancy.within(book.pk):
            assert BulkItem.objects.count() == 1
        assert AuditRecord.objects.get(action="payment.bulk_refund").detail == {"count": 1}

    def test_refuses_nothing_and_what_is_not_there(self, owner, api, method):
        sold = pay(api, method)

        with unchanged():
            assert start(owner, "refund").status_code == 400
            assert start(owner, "refund", {"id": "pi_0000000000000000000000"}).status_code == 400
            assert start(owner, "refund", {"id": "pi_1"}).status_code == 404
            assert start(owner, "explode", sold).status_code == 302
            assert owner.post(address("refund", sold)).status_code == 404

    @pytest.mark.parametrize("role", ROLES)
    def test_is_for_roles_that_may(self, role, merchant, api, method):
        client, sold = signed_in(make_staff(merchant, role)), pay(api, method)

        with unchanged():
            statuses = {act: client.get(address(act, sold)).status_code for act in ("refund", "capture", "cancel")}

        assert statuses == {
            "refund": 200 if role in ("owner", "manager", "support", "finance") else 403,
            "capture": 200 if role in ("owner", "manager", "cashier", "finance") else 403,
            "cancel": 200 if role in ("owner", "manager", "cashier", "support") else 403,
        }

    def test_takes_nothing_of_a_stranger(self, other_merchant, api, method):
        sold, stranger = pay(api, method), signed_in(make_staff(other_merchant, "owner"))

        with unchanged():
            assert start(stranger, "refund", sold).status_code == 404
            other = address("refund", sold).replace("/cafe/", "/bakery/")
            assert stranger.post(other, {"token": uuid4()}).status_code == 400


class TestRun:
    def test_refunds_each_and_says_what_became_of_it(self, owner, api, method):
        first, second = pay(api, method), pay(api, method)
        api.post("refunds", {"payment_intent": second["id"]})
        job = start(owner, "refund", first, second).url

        assert operations.run_due(at=clock.wall()) == 2
        assert operations.run_due(at=clock.wall()) == 0

        context = owner.get(job).context
        shown = {item["payment_id"]: (str(item["word"]), item["why"]) for item in context["items"]}
        assert shown == {first["id"]: ("Done", ""), second["id"]: ("Refused", "It is refunded already.")}
        assert context["progress"].is_finished
        assert given_back(api, first) == [1_000]
        books.assert_agree()

    def test_captures_and_cancels(self, owner, api, acquirer):
        taken, released = paid(api, capture_method="manual"), paid(api, capture_method="manual")
        start(owner, "capture", taken)
        start(owner, "cancel", released)

        operations.run_due(at=clock.wall())

        assert (status(api, taken), status(api, released)) == ("succeeded", "canceled")

    def test_two_workers_do_each_once(self, owner, api, method):
        sold = [pay(api, method) for _ in range(4)]
        start(owner, "refund", *sold)
        at = clock.wall()

        race(lambda: operations.run_due(at=at), lambda: operations.run_due(at=at))

        assert [given_back(api, each) for each in sold] == [[1_000]] * 4

    def test_is_taken_up_again_where_a_worker_died(self, owner, api, method, monkeypatch, book):
        sold = pay(api, method)
        start(owner, "refund", sold)
        with monkeypatch.context() as dying:
            # It died after the refund and before it could say so.
            dying.setattr(operations, "_finish", lambda *_, **__: None)
            operations.run_due(at=clock.wall())

        assert operations.run_due(at=clock.wall()) == 0
        assert operations.run_due(at=clock.wall() + timedelta(minutes=2)) == 1

        assert given_back(api, sold) == [1_000]
        with tenancy.within(book.pk):
            assert BulkItem.objects.get().status == "done"

    def test_one_that_fails_stops_no_other(self, owner, api, method, monkeypatch):
        first, second = pay(api, method), pay(api, method)
        start(owner, "refund", first, second)
        act, failed = operations._act, []

        def fail_once(item, intent, hand):
            if not failed:
                failed.append(item.intent_id)
                raise RuntimeError("a mistake of ours")
            act(item, intent, hand)

        monkeypatch.setattr(operations, "_act", fail_once)
        operations.run_due(at=clock.wall())

        assert sorted([given_back(api, first), given_back(api, second)]) == [[], [1_000]]


class TestShow:
    def test_asks_again_until_it_is_finished(self, owner, api, method):
        sold = pay(api, method)
        job = start(owner, "refund", sold).url

        waiting = text_of(owner.get(job, headers={"HX-Request": "true"}))
        operations.run_due(at=clock.wall())
        done = text_of(owner.get(job, headers={"HX-Request": "true"}))

        assert ("0 of 1" in waiting, 'hx-trigger="every 2s"' in waiting) == (True, True)
        assert ("Finished" in done, "hx-trigger" in done) == (True, False)

    def test_is_not_there_for_a_stranger(self, owner, other_merchant, api, method):
        job = start(owner, "refund", pay(api, method)).url
        stranger = signed_in(make_staff(other_merchant, "owner"))

        assert stranger.get(job).status_code == 404
        assert stranger.get(job.replace("/cafe/", "/bakery/")).status_code == 404
        assert owner.get(f"{BASE}/payments/bulk/bulk_1").status_code == 404
