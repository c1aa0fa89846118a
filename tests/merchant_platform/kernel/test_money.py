from decimal import Decimal
from fractions import Fraction

import pytest
from babel import numbers
from hypothesis import given
from hypothesis import strategies as st

from merchant_platform.kernel import money
from merchant_platform.kernel.money import CurrencyMismatch, Money

AMOUNTS = st.integers(-(10**15), 10**15)
# Stripe's own lists: https://docs.stripe.com/currencies
ZERO_DECIMAL = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split()
THREE_DECIMAL = "BHD JOD KWD OMR TND".split()
# ISO 4217 has three decimals for them, and Stripe has no word of them.
THREE_DECIMAL_ELSEWHERE = ["IQD", "LYD"]
# Without a minor unit in ISO 4217, with two decimals on Stripe's wire.
EXCEPTIONS = ["ISK", "UGX"]


class TestCurrencies:
    def test_are_tender_somewhere_today(self):
        known = money.currencies()

        assert {"CNY", "USD", "EUR", "GBP", "JPY", "KWD", "HKD", "SGD", *ZERO_DECIMAL, *THREE_DECIMAL} <= known
        assert known & {"DEM", "XAU", "XTS", "XXX", "CHE", "ZZZ", "BTC"} == set()
        assert all(len(code) == 3 and code.isupper() for code in known)
        assert 140 < len(known) < 170


class TestExponent:
    @pytest.mark.parametrize("currency", ["CNY", "USD", "EUR", "HUF", "TWD", "IDR", *EXCEPTIONS])
    def test_is_two_for_most(self, currency):
        assert money.exponent(currency) == 2

    @pytest.mark.parametrize("currency", ZERO_DECIMAL)
    def test_is_zero_where_stripe_has_no_minor_unit(self, currency):
        assert money.exponent(currency) == 0

    @pytest.mark.parametrize("currency", THREE_DECIMAL + THREE_DECIMAL_ELSEWHERE)
    def test_is_three_for_dinars_and_rials(self, currency):
        assert money.exponent(currency) == 3

    def test_minds_no_case(self):
        assert money.exponent("jpy") == 0

    def test_is_part_of_the_ledgers_unit(self):
        assert (money.unit("cny"), money.unit("JPY"), money.unit("kwd")) == ("CNY/2", "JPY/0", "KWD/3")


class TestMoney:
    def test_adds_subtracts_and_turns_round(self):
        twelve, five = Money(1_200, "CNY"), Money(500, "CNY")

        assert twelve + five == Money(1_700, "CNY")
        assert five - twelve == Money(-700, "CNY")
        assert -five == Money(-500, "CNY")

    def test_refuses_two_currencies(self):
        with pytest.raises(CurrencyMismatch):
            Money(1, "CNY") + Money(1, "USD")
        with pytest.raises(CurrencyMismatch):
            Money(1, "CNY") - Money(1, "USD")

    @pytest.mark.parametrize("amount", [1.0, "1", Decimal(1), True, None])
    def test_refuses_what_is_no_whole_number(self, amount):
        with pytest.raises(TypeError):
            Money(amount, "CNY")

    @pytest.mark.parametrize(
        ("amount", "currency", "text"),
        [
            (1_200, "CNY", "CN¥12.00"),
            (5, "USD", "$0.05"),
            (123_456_789, "USD", "$1,234,567.89"),
            (1_200, "JPY", "¥1,200"),
            (1_234, "KWD", "KWD1.234"),
            (1_200, "ISK", "ISK12.00"),
            (-1_200, "USD", "\u2212$12.00"),
            (0, "CNY", "CN¥0.00"),
        ],
    )
    def test_is_shown_with_its_own_decimals(self, amount, currency, text):
        assert Money(amount, currency).text("en").replace("\xa0", "") == text

    def test_is_shown_in_chinese(self):
        assert Money(1_200, "CNY").text("zh_Hans") == "¥12.00"

    @pytest.mark.parametrize("locale", ["en", "zh_Hans"])
    def test_is_shown_as_cldr_would_show_it(self, locale):
        for currency in sorted(money.currencies()):
            digits = money.exponent(currency)
            pattern = "¤#,##0" + ("." + "0" * digits if digits else "")
            for amount in (7, 9_876_543_210):
                shown = numbers.format_currency(
                    Decimal(amount).scaleb(-digits), currency, pattern, locale=locale, currency_digits=False
                )
                assert Money(amount, currency).text(locale) == shown


class TestRateOf:
    @pytest.mark.parametrize(
        ("amount", "rate_ppm", "share"),
        [
            (10_000, 3_800, 38),
            (1_200, 3_800, 5),  # 4.56
            (250, 2_000, 0),  # 0.5 goes to the even 0
            (750, 2_000, 2),  # 1.5 goes to the even 2
            (1_250, 2_000, 2),  # 2.5 goes to the even 2
            (-250, 2_000, 0),
            (-750, 2_000, -2),
            (0, 3_800, 0),
            (10_000, 0, 0),
            (10_000, 1_000_000, 10_000),
        ],
    )
    def test_rounds_half_to_even(self, amount, rate_ppm, share):
        assert money.rate_of(amount, rate_ppm) == share

    @given(st.integers(-money.AMOUNT_MAX, money.AMOUNT_MAX), st.integers(0, 1_000_000))
    def test_is_the_exact_share_rounded_once(self, amount, rate_ppm):
        assert money.rate_of(amount, rate_ppm) == half_even(Fraction(amount * rate_ppm, 1_000_000))


class TestShareOf:
    @pytest.mark.parametrize(
        ("amount", "part", "whole", "share"),
        [
            (10, 1, 3, 3),
            (10, 2, 3, 7),
            (5, 1, 2, 2),
            (7, 1, 2, 4),
            (-5, 1, 2, -2),
            (-7, 1, 2, -4),
            (9, 9, 9, 9),
            (9, 0, 9, 0),
        ],
    )
    def test_rounds_half_to_even(self, amount, part, whole, share):
        assert money.share_of(amount, part, whole) == share

    @given(AMOUNTS, st.integers(0, 10**15), st.integers(1, 10**15))
    def test_is_the_exact_quotient_rounded_once(self, amount, part, whole):
        assert money.share_of(amount, part, whole) == half_even(Fraction(amount * part, whole))

    def test_has_no_part_of_nothing(self):
        with pytest.raises(ZeroDivisionError):
            money.share_of(1, 1, 0)


class TestSplit:
    @pytest.mark.parametrize(
        ("amount", "weights", "parts"),
        [
            (100, [1, 1, 1], [34, 33, 33]),
            (-100, [1, 1, 1], [-34, -33, -33]),
            (10, [7, 2, 1], [7, 2, 1]),
            (1, [1, 1], [1, 0]),
            (5, [0, 1, 0], [0, 5, 0]),
            (0, [3, 4], [0, 0]),
            (1_000, [1_999, 2_999, 5_002], [200, 300, 500]),
            (3, [1, 1, 1, 1], [1, 1, 1, 0]),
        ],
    )
    def test_gives_what_is_left_to_the_largest_remainders(self, amount, weights, parts):
        assert money.split(amount, weights) == parts

    @given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=50).filter(any))
    def test_gives_back_every_unit(self, amount, weights):
        parts = money.split(amount, weights)

        assert sum(parts) == amount
        assert len(parts) == len(weights)

    @given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=50).filter(any))
    def test_is_nowhere_a_whole_unit_off(self, amount, weights):
        total = sum(weights)

        for part, weight in zip(money.split(amount, weights), weights, strict=True):
            assert abs(part - Fraction(amount * weight, total)) < 1
            assert part == 0 or (part > 0) == (amount > 0)

    @given(AMOUNTS, st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any))
    def test_of_a_debt_mirrors_that_of_a_credit(self, amount, weights):
        assert money.split(-amount, weights) == [-part for part in money.split(amount, weights)]

    @pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1], [-1]])
    def test_refuses_weights_that_are_none(self, weights):
        with pytest.raises(ValueError, match="weights"):
            money.split(100, weights)


def half_even(exact: Fraction) -> int:
    """The oracle: Python's own rounding of exact fractions goes half to even."""
    return round(exact)


class TestTyped:
    @pytest.mark.parametrize(
        ("text", "currency", "amount_minor"),
        [
            ("12", "CNY", 1_200),
            ("12.5", "CNY", 1_250),
            ("12.50", "CNY", 1_250),
            ("12.500", "CNY", 1_250),
            ("0.01", "CNY", 1),
            ("0", "CNY", 0),
            ("007", "CNY", 700),
            ("1,234.50", "CNY", 123_450),
            ("1,234,567", "CNY", 123_456_700),
            (" １２．５ ", "CNY", 1_250),
            ("１，２３４", "CNY", 123_400),
            ("1200", "JPY", 1_200),
            ("1.23", "KWD", 1_230),
            ("1.230", "KWD", 1_230),
            ("12", "ISK", 1_200),
            ("12.00", "ISK", 1_200),
        ],
    )
    def test_reads_what_people_type(self, text, currency, amount_minor):
        assert money.typed(text, currency) == amount_minor

    @pytest.mark.parametrize(
        ("text", "currency", "reason"),
        [
            ("", "CNY", "unreadable"),
            ("twelve", "CNY", "unreadable"),
            ("12,5", "CNY", "unreadable"),
            ("1.234,50", "CNY", "unreadable"),
            ("1,23", "CNY", "unreadable"),
            ("1 234", "CNY", "unreadable"),
            ("-1", "CNY", "unreadable"),
            ("1e3", "CNY", "unreadable"),
            ("NaN", "CNY", "unreadable"),
            ("٣", "CNY", "unreadable"),
            (".5", "CNY", "unreadable"),
            ("12.345", "CNY", "decimals"),
            ("12.5", "JPY", "decimals"),
            ("1.234", "KWD", "step"),
            ("12.5", "ISK", "step"),
            ("9" * 40, "CNY", "too_large"),
            ("92233720368547758.08", "CNY", "too_large"),
        ],
    )
    def test_refuses_what_could_be_meant_otherwise(self, text, currency, reason):
        with pytest.raises(money.NotAnAmount) as refused:
            money.typed(text, currency)

        assert refused.value.reason == reason

    @given(st.integers(0, 10**15), st.sampled_from(["CNY", "JPY", "KWD", "ISK"]))
    def test_reads_what_to_type_writes(self, amount, currency):
        amount -= amount % money.step(currency)

        assert money.typed(money.to_type(amount, currency), currency) == amount
