"""Our client against the real acquirer process: money, keys, time and statements."""

from datetime import timedelta

import pytest

from payments.providers import port
from payments.providers.sandbox.wire import Refused
from tests.payments.providers.sandbox.asking import NOW, account, key, question

pytestmark = pytest.mark.requirement("A40")


@pytest.fixture
def sandbox(acquirer):
    return port.find("sandbox")


def held(sandbox, **fields):
    """A payment that is held and not captured."""
    asked = question(captures=False, **fields)
    return asked, sandbox.authorise(asked)


class TestAuthorise:
    def test_takes_the_money_at_once(self, sandbox):
        asked = question()

        report = sandbox.authorise(asked)

        assert (report.key, report.account, report.status) == (asked.key, asked.account, "captured")
        assert (report.amount_minor, report.currency) == (1_200, "CNY")
        assert (report.authorized_minor, report.captured_minor, report.refunded_minor) == (1_200, 1_200, 0)
        assert (report.code, report.decline_code, report.challenge_url, report.expires_at) == (None, None, None, None)
        assert report.network["scheme"] == "visa"
        assert report.network["cvc_check"] == "pass"

    def test_holds_for_seven_days_by_the_books_clock(self, sandbox):
        _, report = held(sandbox)

        assert (report.status, report.authorized_minor, report.captured_minor) == ("authorized", 1_200, 0)
        assert report.expires_at == NOW + timedelta(days=7)

    def test_happens_once_a_key(self, sandbox):
        asked = question()

        first, second = sandbox.authorise(asked), sandbox.authorise(asked)

        assert first == second
        assert sandbox.statement(account=asked.account, day=NOW.date()) == [
            port.StatementLine(first.reference, asked.key, "capture", 1_200, "CNY", NOW)
        ]

    def test_refuses_another_question_by_the_same_key(self, sandbox):
        asked = question()
        sandbox.authorise(asked)
        other = question(key=asked.key, account=asked.account, amount_minor=1_300)

        with pytest.raises(Refused) as refused:
            sandbox.authorise(other)

        assert isinstance(refused.value, ValueError)
        assert (refused.value.status, refused.value.code) == (409, "key_reused")

    def test_keeps_accounts_apart(self, sandbox):
        asked = question()
        sandbox.authorise(asked)

        assert sandbox.query(key=asked.key, account=account()) is None


class TestCapture:
    def test_takes_parts_until_the_final_one(self, sandbox):
        asked, report = held(sandbox)
        where = {"account": asked.account, "reference": report.reference}

        first = sandbox.capture(key=key("cap"), amount_minor=300, is_final=False, **where)
        second = sandbox.capture(key=key("cap"), amount_minor=400, is_final=True, **where)

        assert (first.status, first.captured_minor, first.expires_at) == ("authorized", 300, NOW + timedelta(days=7))
        assert (second.status, second.captured_minor, second.expires_at) == ("captured", 700, None)
        assert second.sequence > first.sequence > report.sequence

    def test_happens_once_a_key(self, sandbox):
        asked, report = held(sandbox)
        capture = {"key": key("cap"), "account": asked.account, "reference": report.reference, "is_final": False}

        sandbox.capture(amount_minor=300, **capture)
        again = sandbox.capture(amount_minor=300, **capture)

        assert again.captured_minor == 300
        with pytest.raises(Refused, match="Another question"):
            sandbox.capture(amount_minor=301, **capture)

    def test_refuses_more_than_is_held(self, sandbox):
        asked, report = held(sandbox)

        with pytest.raises(Refused) as refused:
            sandbox.capture(
                key=key("cap"), account=asked.account, reference=report.reference, amount_minor=1_201, is_final=True
            )

        assert refused.value.code == "amount_too_large"
        assert sandbox.query(key=asked.key, account=asked.account) == report

    def test_comes_too_late_after_seven_days(self, sandbox):
        asked, report = held(sandbox)
        where = {"account": asked.account, "reference": report.reference, "amount_minor": 1_200, "is_final": True}

        late = sandbox.capture(key=key("cap"), now=NOW + timedelta(days=7), **where)

        assert (late.status, late.captured_minor, late.expires_at) == ("voided", 0, None)

    def test_comes_in_time_a_moment_before(self, sandbox):
        asked, report = held(sandbox)
        where = {"account": asked.account, "reference": report.reference, "amount_minor": 1_200, "is_final": True}

        taken = sandbox.capture(key=key("cap"), now=NOW + timedelta(days=7, microseconds=-1), **where)

        assert (taken.status, taken.captured_minor) == ("captured", 1_200)


class TestVoid:
    def test_releases_what_is_held(self, sandbox):
        asked, report = held(sandbox)

        voided = sandbox.void(key=key("void"), account=asked.account, reference=report.reference)

        assert (voided.status, voided.captured_minor) == ("voided", 0)

    def test_leaves_what_was_taken(self, sandbox):
        asked, report = held(sandbox)
        where = {"account": asked.account, "reference": report.reference}
        sandbox.capture(key=key("cap"), amount_minor=300, is_final=False, **where)

        voided = sandbox.void(key=key("void"), **where)

        assert (voided.status, voided.captured_minor) == ("captured", 300)


class TestRefund:
    def test_gives_back_in_parts_and_once_a_key(self, sandbox):
        asked = question()
        paid = sandbox.authorise(asked)
        refund = {"key": key("re"), "account": asked.account, "reference": paid.reference}

        first = sandbox.refund(amount_minor=500, **refund)
        again = sandbox.refund(amount_minor=500, **refund)

        assert first == again
        assert (first.status, first.amount_minor, first.payment_key) == ("succeeded", 500, asked.key)
        assert sandbox.query_refund(key=first.key, account=asked.account) == first
        assert sandbox.query(key=asked.key, account=asked.account).refunded_minor == 500
        with pytest.raises(Refused, match="Another question"):
            sandbox.refund(amount_minor=501, **refund)

    def test_refuses_more_than_is_left(self, sandbox):
        asked = question()
        paid = sandbox.authorise(asked)
        sandbox.refund(key=key("re"), account=asked.account, reference=paid.reference, amount_minor=500)

        with pytest.raises(Refused) as refused:
            sandbox.refund(key=key("re"), account=asked.account, reference=paid.reference, amount_minor=701)

        assert refused.value.code == "amount_too_large"

    def test_of_an_unknown_key_never_arrived(self, sandbox):
        assert sandbox.query_refund(key=key("re"), account=account()) is None


class TestStatement:
    def test_sums_to_what_moved_on_the_day(self, sandbox):
        asked, report = held(sandbox)
        where = {"account": asked.account, "reference": report.reference}
        first, last, back = key("cap"), key("cap"), key("re")
        sandbox.capture(key=first, amount_minor=300, is_final=False, **where)
        sandbox.capture(key=last, amount_minor=700, is_final=True, now=NOW + timedelta(days=1), **where)
        sandbox.refund(key=back, amount_minor=250, **where)

        today = sandbox.statement(account=asked.account, day=NOW.date())
        tomorrow = sandbox.statement(account=asked.account, day=(NOW + timedelta(days=1)).date())

        assert [(line.key, line.kind, line.amount_minor) for line in today] == [(first, "capture", 300)]
        assert [(line.key, line.kind, line.amount_minor) for line in tomorrow] == [
            (last, "capture", 700),
            (back, "refund", -250),
        ]
