"""Which factors a payer showed, which exemption stood in for the second, and how those are counted."""

import pytest

from merchant_platform.kernel.decisions import rules
from payments.intents import factors
from payments.intents.models import Attempt
from payments.methods.authentication import BOUNDS, CLASSES, COUNT_MAX, RULE
from payments.wallets.models import Wallet
from tests.cast import race, shown
from tests.desks import TEST, words
from tests.payers import Visitor, item, offer
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.requirement("B27"), pytest.mark.requirement("B24")]

HERE = {
    "is_present": True,
    "classes": ["knowledge"],
    "amount_minor": 1_000,
    "currency": "CNY",
    "count": 0,
    "sum_minor": 0,
}
# What the page takes for shown by who signed in.
AT_THE_PAGE = "payments.web.checkout.SHOWN"
CNY = BOUNDS["low_value"]["CNY"]


def judged(**inputs):
    verdict = rules.evaluate(RULE, {**HERE, **inputs})
    (reason,) = verdict.reasons
    return verdict.verdict, reason.code


class TestRule:
    @pytest.mark.parametrize(
        ("inputs", "verdict"),
        [
            ({"classes": ["knowledge", "possession"]}, ("strong", "two_factors")),
            ({"classes": ["possession", "inherence"], "amount_minor": 10**9}, ("strong", "two_factors")),
            # Two of one class are one; a class that there is not is none.
            ({"classes": ["knowledge", "knowledge"], "amount_minor": 10**9}, ("single_factor", "one_factor")),
            ({"classes": ["knowledge", "hope"], "amount_minor": 10**9}, ("single_factor", "one_factor")),
            ({"is_present": False}, ("exempt", "merchant_initiated")),
            ({"is_present": False, "is_recurring": True}, ("exempt", "recurring")),
            ({"is_trusted": True, "amount_minor": 10**9}, ("exempt", "trusted_payee")),
            ({}, ("exempt", "low_value")),
            ({"amount_minor": CNY.one_minor}, ("exempt", "low_value")),
            ({"amount_minor": CNY.one_minor + 1}, ("single_factor", "one_factor")),
            ({"count": COUNT_MAX - 1}, ("exempt", "low_value")),
            ({"count": COUNT_MAX}, ("single_factor", "too_many_low")),
            ({"sum_minor": CNY.sum_minor - 1_000}, ("exempt", "low_value")),
            ({"sum_minor": CNY.sum_minor - 999}, ("single_factor", "too_many_low")),
            ({"currency": "JPY"}, ("single_factor", "one_factor")),
            ({"currency": "EUR", "amount_minor": 3_001}, ("single_factor", "one_factor")),
            ({"currency": "EUR", "amount_minor": 3_001, "is_contactless": True}, ("exempt", "contactless")),
        ],
    )
    def test_says_two_factors_or_the_exemption_by_name(self, inputs, verdict):
        assert judged(**inputs) == verdict

    def test_has_words_for_every_reason(self):
        codes = "two_factors bank_challenged merchant_initiated recurring bank_waived trusted_payee one_factor"
        for code in [*codes.split(), *BOUNDS, "too_many_low"]:
            for audience in ("customer", "cashier", "merchant"):
                assert rules.explain(rules.Reason(code, {"count": 1, "count_max": 5}), audience=audience)


class TestOf:
    @pytest.mark.parametrize(
        ("row", "verdict"),
        [
            ({"provider": None}, ("exempt", "merchant_initiated")),
            ({"provider": "sandbox", "is_off_session": True}, ("exempt", "merchant_initiated")),
            ({"provider": "sandbox"}, ("single_factor", "one_factor")),
            ({"provider": "sandbox", "authentication": {"transStatus": "Y"}}, ("exempt", "bank_waived")),
            ({"provider": "sandbox", "authentication": {"transStatus": "A"}}, ("exempt", "bank_waived")),
            ({"provider": "sandbox", "authentication": {"transStatus": "N"}}, ("single_factor", "one_factor")),
            (
                {
                    "provider": "sandbox",
                    "authentication": {"transStatus": "Y"},
                    "challenge_url": "https://bank.example",
                },
                ("strong", "bank_challenged"),
            ),
        ],
    )
    def test_reads_it_off_the_charge(self, row, verdict):
        found = factors.of(Attempt(**row))

        assert (found.verdict, found.reasons[0].code) == verdict

    def test_holds_to_what_was_known_when_it_was_paid(self):
        paid = Attempt(authentication=factors.kept({**HERE, "count": COUNT_MAX}))

        assert factors.shown(paid) == {
            "exemption": None,
            "factors": ["knowledge"],
            "reason": "too_many_low",
            "result": "single_factor",
        }
        assert set(factors.classes(paid)) <= set(CLASSES)


@pytest.mark.django_db(transaction=True, databases="__all__")
class TestPayPage:
    def page(self, api, payer, amount):
        visitor = Visitor(offer(api, item(amount=amount)))
        visitor.sign_in(payer)
        return visitor

    def charges(self, api):
        """What the API says of the payments so far, the oldest first."""
        return [each["strong_authentication"] for each in reversed(api.get("charges").json["data"])]

    def counted(self, payer):
        return Wallet.objects.values_list("exempt_count", "exempt_minor").get(pk=payer.wallet.pk)

    def test_counts_low_amounts_since_the_last_two_factors(self, api, payer, merchant):
        Wallet.objects.filter(pk=payer.wallet.pk).update(exempt_count=COUNT_MAX - 1, exempt_minor=4_000)

        for amount in (1_000, 1_500):
            self.page(api, payer, amount).pay()

        low, over = self.charges(api)
        assert low == {"exemption": "low_value", "factors": ["knowledge"], "reason": "low_value", "result": "exempt"}
        assert (over["result"], over["reason"]) == ("single_factor", "too_many_low")
        assert self.counted(payer) == (COUNT_MAX, 5_000)
        (charge, _) = api.get("charges").json["data"]
        page = words(signed_in(make_staff(merchant)).get(f"{TEST}/payments/{charge['payment_intent']}"))
        assert "Fewer than two factors after 5 low amounts in a row" in page
        assert "Shown on the pay page: something they know" in page

    def test_begins_anew_after_two_factors(self, api, payer, monkeypatch):
        monkeypatch.setattr(AT_THE_PAGE, ["possession", "inherence"])
        Wallet.objects.filter(pk=payer.wallet.pk).update(exempt_count=3, exempt_minor=4_000)

        self.page(api, payer, 30_000).pay()

        assert self.charges(api)[0]["result"] == "strong"
        assert self.counted(payer) == (0, 0)

    def test_counts_two_at_once_as_two(self, api, payer):
        pages = [self.page(api, payer, 1_000) for _ in range(2)]

        race(*(page.pay for page in pages))

        assert self.counted(payer) == (2, 2_000)

    def test_calls_a_charge_through_the_api_merchant_initiated(self, api, wallet_method, customer):
        method = wallet_method(customer)
        api.post(
            "payment_intents",
            {"amount": 1_000, "currency": "cny", "payment_method": shown("pm", method), "confirm": True},
        )

        assert self.charges(api)[0]["exemption"] == "merchant_initiated"
