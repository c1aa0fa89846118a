"""Every test card of the house, asked over the wire: what becomes of a payment by it."""

from datetime import timedelta

import pytest

from payments.providers import port
from payments.providers.sandbox.acquirer.instruments import INSTRUMENTS
from payments.providers.sandbox.client import ChallengeOver
from security.vault import cards
from tests.payments.providers.sandbox.asking import NOW, account, card, key, question

pytestmark = pytest.mark.requirement("A40")

GOOD = {
    "4242424242424242": "visa",
    "4000056655665556": "visa",
    "5555555555554444": "mastercard",
    "5200828282828210": "mastercard",
    "378282246310005": "amex",
    "6200000000000005": "unionpay",
}
DECLINED = {
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4000000000009987": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "4000000000000069": ("expired_card", None),
    "4000000000000127": ("incorrect_cvc", None),
    "4000000000000119": ("processing_error", None),
    "4000000000000341": ("card_declined", "generic_decline"),
    "4100000000000019": ("card_declined", "fraudulent"),
    "4000000000003097": ("payment_intent_authentication_failure", None),
    "4000008400001280": ("payment_intent_authentication_failure", None),
    # A card that is no test card.
    "4111111111111111": ("card_declined", "test_mode_live_card"),
}
CHALLENGED = {
    "4000002500003155": (None, None),
    "4000002760003184": (None, None),
    "4000000000003220": (None, None),
    "4000008400001629": ("card_declined", "generic_decline"),
    "4000008260003178": ("card_declined", "insufficient_funds"),
}
# Paid at once, and what the networks say.
SAID = {
    "4000000000000077": ("is_available_at_once", True),
    "4000000000000259": ("will_be_disputed", "fraudulent"),
    "4000000000002685": ("will_be_disputed", "product_not_received"),
    "4000000000001976": ("will_be_disputed", "warning"),
    "4000000000007726": ("risk_level", "normal"),
    "4000000000005126": ("risk_level", "normal"),
    "4000000000009235": ("risk_level", "elevated"),
    "4000000000004954": ("risk_level", "highest"),
    "4000000000003055": ("risk_level", "normal"),
}


@pytest.fixture
def sandbox(acquirer):
    return port.find("sandbox")


def token_of(report) -> str:
    return report.challenge_url.rpartition("/")[2]


class TestInstruments:
    def test_are_all_tried_here(self):
        assert {*GOOD, *DECLINED, *CHALLENGED, *SAID} - {"4111111111111111"} == set(INSTRUMENTS)

    def test_are_cards_that_the_vault_takes(self):
        assert {number: cards.brand_of(number) for number in GOOD} == GOOD
        assert {cards.brand_of(number) for number in {*DECLINED, *CHALLENGED, *SAID}} == {"visa"}

    @pytest.mark.parametrize("number", GOOD)
    def test_pay(self, sandbox, number):
        report = sandbox.authorise(question(number))

        assert (report.status, report.captured_minor, report.network["scheme"]) == ("captured", 1_200, GOOD[number])
        assert report.authentication == {}

    @pytest.mark.parametrize("number", DECLINED)
    def test_decline(self, sandbox, number):
        asked = question(number)

        report = sandbox.authorise(asked)

        assert (report.status, report.code, report.decline_code) == ("declined", *DECLINED[number])
        assert (report.authorized_minor, report.captured_minor) == (0, 0)
        assert sandbox.statement(account=asked.account, day=NOW.date()) == []

    @pytest.mark.parametrize("number", SAID)
    def test_pay_and_say_more(self, sandbox, number):
        report = sandbox.authorise(question(number))
        name, value = SAID[number]

        assert (report.status, report.network[name]) == ("captured", value)

    def test_tell_what_became_of_the_cvc(self, sandbox):
        checks = [
            sandbox.authorise(question(number, cvc=cvc)).network["cvc_check"]
            for number, cvc in (("4242424242424242", "123"), ("4242424242424242", None), ("4000000000000127", "123"))
        ]

        assert checks == ["pass", "unavailable", "fail"]

    def test_decline_an_expired_card_by_the_books_clock(self, sandbox):
        report = sandbox.authorise(question(card=card(exp_month=2, exp_year=2026)))

        assert (report.status, report.code) == ("declined", "expired_card")

    @pytest.mark.parametrize(
        ("number", "status", "eci", "shifts"),
        [
            ("4000000000003055", "A", "06", True),
            ("4000000000003097", "R", "07", False),
            ("4000008400001280", "U", "07", False),
        ],
    )
    def test_have_results_without_a_challenge(self, sandbox, number, status, eci, shifts):
        result = sandbox.authorise(question(number)).authentication

        assert (result["transStatus"], result["eci"], result["liability_shift"]) == (status, eci, shifts)
        assert (result["cavv"] is not None) is shifts

    def test_verify_a_card_for_nothing(self, sandbox):
        verified = sandbox.authorise(question("4000000000000341", amount_minor=0, captures=False))

        assert (verified.status, verified.authorized_minor) == ("authorized", 0)


class TestChallenge:
    @pytest.mark.parametrize("number", CHALLENGED)
    def test_is_refused_where_the_payer_is_not_there(self, sandbox, number):
        report = sandbox.authorise(question(number, is_off_session=True))

        assert (report.status, report.code, report.decline_code) == (
            "declined",
            "authentication_required",
            "authentication_required",
        )
        assert report.challenge_url is None

    @pytest.mark.parametrize("number", CHALLENGED)
    def test_decides_when_it_is_approved(self, sandbox, acquirer, number):
        asked = question(number)
        first = sandbox.authorise(asked)
        assert (first.status, first.authentication["transStatus"]) == ("challenge", "C")
        shown = sandbox.read_challenge(token_of(first))
        assert (shown.payee, shown.amount_minor, shown.currency, shown.last4) == (
            "Café Moka",
            1_200,
            "CNY",
            number[-4:],
        )

        back = sandbox.answer_challenge(token_of(first), choice="approve")

        after = sandbox.query(key=asked.key, account=asked.account)
        code, decline_code = CHALLENGED[number]
        assert back == asked.return_url
        assert (after.status, after.code, after.decline_code) == (
            "declined" if code else "captured",
            code,
            decline_code,
        )
        assert (after.authentication["transStatus"], after.authentication["eci"]) == ("Y", "05")
        assert len(after.authentication["cavv"]) == 28
        assert (after.authentication["liability_shift"], after.authentication["version"]) == (True, "2.2.0")
        assert len(after.authentication["dsTransID"]) == 36
        [notice] = acquirer.wait_for_notices(1)
        assert sandbox.read_notice(headers=notice.headers, body=notice.body).report == after

    @pytest.mark.parametrize(("choice", "status"), [("refuse", "N"), ("cannot", "U")])
    def test_declines_when_it_is_not(self, sandbox, choice, status):
        asked = question("4000000000003220")
        first = sandbox.authorise(asked)

        sandbox.answer_challenge(token_of(first), choice=choice)

        after = sandbox.query(key=asked.key, account=asked.account)
        assert (after.status, after.code) == ("declined", "payment_intent_authentication_failure")
        assert (after.authentication["transStatus"], after.authentication["liability_shift"]) == (status, False)

    def test_is_answered_once(self, sandbox):
        asked = question("4000000000003220")
        token = token_of(sandbox.authorise(asked))
        sandbox.answer_challenge(token, choice="refuse")

        with pytest.raises(ChallengeOver):
            sandbox.answer_challenge(token, choice="approve")
        with pytest.raises(ChallengeOver):
            sandbox.read_challenge(token)
        with pytest.raises(ChallengeOver):
            sandbox.read_challenge("no-such-token")
        assert sandbox.query(key=asked.key, account=asked.account).status == "declined"

    def test_runs_out(self, sandbox, acquirer):
        asked = question("4000000000003220")
        sandbox.authorise(asked)

        assert acquirer.hurry("challenge") == 1

        after = sandbox.query(key=asked.key, account=asked.account)
        assert (after.status, after.authentication["transStatus"]) == ("declined", "U")

    def test_is_given_up_with_a_void(self, sandbox):
        asked = question("4000000000003220")
        first = sandbox.authorise(asked)

        voided = sandbox.void(key=key("void"), account=asked.account, reference=first.reference)

        assert (voided.status, voided.challenge_url) == ("voided", None)

    def test_holds_where_nothing_was_to_be_captured(self, sandbox):
        asked = question("4000000000003220", captures=False)
        sandbox.answer_challenge(token_of(sandbox.authorise(asked)), choice="approve")

        after = sandbox.query(key=asked.key, account=asked.account)

        assert (after.status, after.authorized_minor, after.captured_minor) == ("authorized", 1_200, 0)
        assert after.expires_at == NOW + timedelta(days=7)

    def test_once_passed_at_saving_lets_later_payments_pass_alone(self, sandbox):
        mine = {"account": account(), "number": "4000002500003155"}
        verification = sandbox.authorise(question(amount_minor=0, captures=False, **mine))
        sandbox.answer_challenge(token_of(verification), choice="approve")

        later = sandbox.authorise(question(is_off_session=True, **mine))
        elsewhere = sandbox.authorise(question("4000002500003155", is_off_session=True))

        assert (later.status, later.authentication["transStatus"]) == ("captured", "I")
        assert elsewhere.code == "authentication_required"


class TestRefunds:
    def refunded(self, sandbox, number):
        asked = question(number)
        paid = sandbox.authorise(asked)
        refund = sandbox.refund(key=key("re"), account=asked.account, reference=paid.reference, amount_minor=500)
        return asked, refund

    def test_of_one_card_wait_and_succeed(self, sandbox, acquirer):
        asked, refund = self.refunded(sandbox, "4000000000007726")
        assert refund.status == "pending"

        assert acquirer.hurry("refund") == 1

        [notice] = acquirer.wait_for_notices(1)
        report = sandbox.read_notice(headers=notice.headers, body=notice.body).report
        assert (report.key, report.status, report.failure_reason) == (refund.key, "succeeded", None)
        assert report.sequence > refund.sequence
        assert sandbox.query(key=asked.key, account=asked.account).refunded_minor == 500

    def test_of_another_succeed_and_fail_later(self, sandbox, acquirer):
        asked, refund = self.refunded(sandbox, "4000000000005126")
        assert refund.status == "succeeded"

        assert acquirer.hurry("refund") == 1

        [notice] = acquirer.wait_for_notices(1)
        report = sandbox.read_notice(headers=notice.headers, body=notice.body).report
        assert (report.key, report.status) == (refund.key, "failed")
        assert report.failure_reason == "expired_or_canceled_card"
        assert sandbox.query_refund(key=refund.key, account=asked.account) == report
        assert sandbox.query(key=asked.key, account=asked.account).refunded_minor == 0
        lines = sandbox.statement(account=asked.account, day=NOW.date())
        assert [(line.kind, line.amount_minor) for line in lines] == [
            ("capture", 1_200),
            ("refund", -500),
            ("refund_failed", 500),
        ]
