"""The inbound door of providers: taken once, refused where it is not theirs, nothing written then."""

import pytest
from django.test import Client

from merchant_platform.kernel import tenancy
from payments.providers import port
from payments.providers.notices import operations as notices
from payments.providers.notices.models import Notice
from payments.web.hooks import BODY_BYTES_MAX
from tests.cast import wait_until
from tests.payments.providers.sandbox.asking import account, key, question

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A40")]


@pytest.fixture
def told(acquirer, book):
    """A payment of the café, and the notice that tells of it."""
    sandbox = port.find("sandbox")
    asked = question(account=book.pk.hex)
    acquirer.fail("echoed_notice", key=asked.key)
    report = sandbox.authorise(asked)
    [notice] = acquirer.wait_for_notices(1)
    return report, notice


def post(notice, *, to=None, provider="sandbox", **changes):
    return Client(enforce_csrf_checks=True).post(
        f"/hooks/{provider}/{to or notice.account}",
        changes.get("body", notice.body),
        content_type="application/json",
        headers=changes.get("headers", {"Sandbox-Signature": notice.headers["Sandbox-Signature"]}),
    )


def kept(book):
    with tenancy.within(book.pk):
        return list(Notice.objects.all())


class TestReceive:
    def test_keeps_a_notice_that_says_what_is_so(self, told, book):
        report, notice = told

        assert post(notice).status_code == 200

        [row] = kept(book)
        assert row.body == notice.body.decode()
        assert notices.report(row) == report

    def test_acknowledges_the_second_one_and_keeps_the_first(self, told, book):
        _, notice = told

        assert [post(notice).status_code, post(notice).status_code] == [200, 200]

        assert len(kept(book)) == 1

    def test_refuses_a_signature_that_is_wrong_or_missing(self, told, book):
        _, notice = told

        statuses = [
            post(notice, headers={}).status_code,
            post(notice, headers={"Sandbox-Signature": "t=1,v1=00"}).status_code,
            post(notice, body=notice.body.replace(b"1200", b"9900")).status_code,
            post(notice, body=b"").status_code,
        ]

        assert statuses == [400] * 4
        assert kept(book) == []

    def test_refuses_the_notice_of_another_account(self, told, book, other_book):
        _, notice = told

        assert post(notice, to=other_book.pk.hex).status_code == 400

        assert kept(book) == kept(other_book) == []

    def test_finds_no_unknown_account_and_no_unknown_provider(self, told, book):
        _, notice = told

        statuses = [
            post(notice, to=account()).status_code,
            post(notice, to="nobody").status_code,
            post(notice, to=str(book.pk)).status_code,
            post(notice, provider="stripe").status_code,
        ]

        assert statuses == [404] * 4
        assert kept(book) == []

    def test_does_not_believe_play_money_in_a_live_book(self, told, live_book, acquirer):
        asked = question(account=live_book.pk.hex)
        acquirer.fail("echoed_notice", key=asked.key)
        port.find("sandbox").authorise(asked)
        notice = acquirer.wait_for_notices(2)[1]

        assert post(notice).status_code == 404
        assert kept(live_book) == []

    def test_refuses_what_is_too_large_before_reading_it(self, told, book):
        _, notice = told

        assert post(notice, body=b"x" * (BODY_BYTES_MAX + 1)).status_code == 413
        assert kept(book) == []

    def test_takes_nothing_but_post(self, told):
        _, notice = told

        assert Client().get(f"/hooks/sandbox/{notice.account}").status_code == 405

    def test_hears_the_acquirer_itself(self, acquirer, server, book):
        """Over HTTP, twice the same and once badly signed first: kept once."""
        acquirer.send_notices_to(f"{server}/hooks/sandbox/")
        sandbox = port.find("sandbox")
        asked = question("4000000000007726", account=book.pk.hex)
        paid = sandbox.authorise(asked)
        refund = sandbox.refund(key=key("re"), account=asked.account, reference=paid.reference, amount_minor=100)
        acquirer.fail("duplicate_notice", key=refund.key)
        acquirer.fail("badly_signed_notice", key=refund.key)
        acquirer.hurry("refund")

        [row] = wait_until(lambda: kept(book))

        assert notices.report(row).status == "succeeded"
