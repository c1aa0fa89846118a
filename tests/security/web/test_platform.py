"""/operator/: the platform for those who run it, and for nobody else."""

import re

import pytest
from django.urls import reverse

from merchant_platform.kernel import clock, tenancy
from payments import proof
from payments.intents import parking
from security.access.models import Flag
from security.approvals import operations as approvals
from security.audit.models import AuditRecord
from security.audit.operations import Actor
from security.authentication import codes, operations
from security.identity.models import User
from security.messaging import operations as messaging
from security.messaging.models import EMAIL, SMS
from tests.cast import NOW, shown
from tests.staff import make_staff, sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A44"),
]

HERE = "/operator/"
# The session, the login, merchants and how many, books, flags, the last proof; and for each book three and a commit.
STATEMENTS, STATEMENTS_A_BOOK = 9, 5


@pytest.fixture
def operator(platform):
    return User.objects.create_user("operator@example.com", is_operator=True)


@pytest.fixture
def client(operator):
    return sign_in(operator)


@pytest.fixture
def waiting(merchant, book, customer):
    """A large refund that waits for a second person, and a report that waits for an operator."""
    staff = make_staff(merchant, "support")
    with tenancy.within(book.pk):
        approvals.request(
            book_id=book.pk,
            staff=staff,
            action="payment.refund",
            object_id="pi_1",
            what="Refund Lin Mei",
            now=NOW,
            actor=Actor.staff(staff.pk),
        )
        parking.park(key="ch_1", reason="amount", report={"name": "Lin Mei"}, now=NOW)


def records(action):
    return [*AuditRecord.objects.filter(action=action).values_list("actor_kind", "object_id", "detail")]


class TestIndex:
    def test_is_where_operators_land(self, client):
        assert client.get("/dashboard")["Location"] == HERE

    def test_shows_merchants_and_what_waits_and_nobody_elses_customers(self, client, waiting, merchant):
        reply = client.get(HERE)
        page = " ".join(reply.content.decode().split())

        assert merchant.name in page
        assert "Open approvals 1" in page
        assert "Parked reports 1" in page
        assert "Lin Mei" not in page

    def test_costs_few_statements_a_book(self, client, merchant, other_merchant, django_assert_max_num_queries):
        with django_assert_max_num_queries(STATEMENTS + STATEMENTS_A_BOOK * 6):
            client.get(HERE)

    def test_is_not_there_for_anybody_else(self, merchant, operator):
        for user in (make_staff(merchant).user, User.objects.create_user("lin@example.com")):
            assert sign_in(user).get(HERE).status_code == 404
        assert sign_in(operator, factor=None).get(HERE)["Location"].startswith("/accounts/enrol/")


class TestFlag:
    def test_is_changed_after_a_factor_and_recorded(self, client, operator, book):
        seed = operations.give_app(user=operator)
        address = f"/operator/flags/{shown('bk', book)}?name=fast_lane&percent=25"

        asked = client.get(address)
        # Nothing before it.
        assert client.post(address)["Location"].startswith("/accounts/confirm/")
        assert Flag.objects.count() == 0
        client.post(asked["Location"], {"code": codes.code_at(seed, codes.step_at(clock.wall()))})
        # The proof is for this share alone.
        assert client.post(address.replace("25", "26"))["Location"].startswith("/accounts/confirm/")
        assert client.get(address).status_code == 200
        assert client.post(address)["Location"] == HERE

        assert [*Flag.objects.values_list("book", "name", "percent")] == [(book.pk, "fast_lane", 25)]
        assert records("flag.manage") == [("operator", shown("bk", book), {"flag": "fast_lane", "percent": 25})]
        assert 'value="25"' in client.get(HERE).content.decode()

    @pytest.mark.parametrize("query", ["name=Fast&percent=1", "name=fast&percent=101", "name=fast", "percent=%00"])
    def test_of_no_name_or_share_is_refused(self, query, client, book):
        address = f"/operator/flags/{shown('bk', book)}?{query}"

        assert [client.get(address).status_code, client.post(address).status_code] == [400, 400]
        assert Flag.objects.count() == 0

    @pytest.mark.parametrize("book", ["bk_1", "mer_0", "x"])
    def test_of_no_book_is_not_there(self, book, client, platform):
        assert client.get(f"/operator/flags/{book}?name=fast&percent=1").status_code == 404


class TestProve:
    def test_asks_a_worker_and_is_recorded(self, client):
        reply = client.post(reverse("operator_prove"))

        assert (reply.status_code, reply["Location"]) == (302, HERE)
        assert records("books.prove") == [("operator", "", {})]

    def test_shows_the_result_of_the_last_proof(self, client):
        assert "No proof was recorded yet" in client.get(HERE).content.decode()

        proof.prove_and_tell(now=clock.wall())

        assert f"{len(proof.CHECKS)} proofs found no difference" in client.get(HERE).content.decode()
        assert records("books.proved") == [("system", "", {"proofs": len(proof.CHECKS), "differences": 0})]


class TestSuppressions:
    HERE = "/operator/suppressions"

    @pytest.fixture
    def stopped(self, platform):
        for number in range(26):
            messaging.suppress(channel=EMAIL, address=f"guest{number}@example.com", reason="SMTP 550", now=NOW)
        return messaging.suppression_of(channel=EMAIL, address="guest0@example.com")

    def test_are_listed_by_pages_and_name_nobody(self, client, stopped):
        page = client.get(self.HERE).content.decode()
        rest = client.get(re.search(rf'href="({self.HERE}\?after=[^"]+)"', page)[1]).content.decode()

        assert (page.count("SMTP 550"), rest.count("SMTP 550")) == (25, 1)
        assert "guest" not in page + rest

    def test_are_found_by_the_address_that_somebody_types(self, client, stopped):
        messaging.suppress(channel=SMS, address="+8613800138000", reason="HTTP 410", now=NOW)

        hit = client.post(self.HERE, {"address": " Guest0@example.com "})
        number = client.post(self.HERE, {"address": "138 0013 8000"})
        miss = client.post(self.HERE, {"address": "lin@example.com"})
        neither = client.post(self.HERE, {"address": "lin"})

        assert hit["Location"] == f"{self.HERE}/{shown('sup', stopped)}"
        assert number.status_code == 303
        assert "it is not on the list" in miss.content.decode()
        assert "This is neither an e-mail address nor a mobile number." in neither.content.decode()

    def test_are_lifted_once_with_a_reason(self, client, stopped):
        address = f"{self.HERE}/{shown('sup', stopped)}"
        assert client.post(address, {"reason": " "}).status_code == 400
        assert messaging.suppression_of(channel=EMAIL, address="guest0@example.com") == stopped

        for _ in range(2):
            assert client.post(address, {"reason": "the mailbox is open again"})["Location"] == address

        assert messaging.suppression_of(channel=EMAIL, address="guest0@example.com") is None
        detail = {"channel": "email", "reason": "the mailbox is open again"}
        assert records("suppression.lift") == [("operator", shown("sup", stopped), detail)]
        assert "Send there again" not in client.get(address).content.decode()

    @pytest.mark.parametrize("unknown", ["sup_0", "x", "sup_0000000000000000000000"])
    def test_of_no_entry_is_not_there(self, client, unknown):
        assert client.get(f"{self.HERE}/{unknown}").status_code == 404

    def test_is_not_there_for_anybody_else(self, merchant, stopped):
        owner = sign_in(make_staff(merchant).user)
        address = f"{self.HERE}/{shown('sup', stopped)}"

        assert [owner.get(self.HERE).status_code, owner.post(address, {"reason": "x"}).status_code] == [404, 404]
        assert messaging.suppression_of(channel=EMAIL, address="guest0@example.com") == stopped
