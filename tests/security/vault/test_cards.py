"""What can be said of a card without asking anybody."""

from datetime import UTC, datetime

import pytest
from stdnum import luhn

from security.vault import cards
from security.vault.cards import CardUnusable, ClearCard

NOW = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)


def number(prefix: str, length: int) -> str:
    """A number that begins so and has the right check digit."""
    body = prefix.ljust(length - 1, "0")
    return body + luhn.calc_check_digit(body)


def refusal(call, *arguments, **named) -> tuple[str, str]:
    with pytest.raises(CardUnusable) as refused:
        call(*arguments, **named)
    return refused.value.code, refused.value.param


class TestClearCard:
    def test_shows_nothing_of_itself(self):
        card = ClearCard(number="4242424242424242", exp_month=12, exp_year=2030, holder="Lin Mei")

        assert repr(card) == "ClearCard()"
        assert str(card) == "ClearCard()"


class TestBrandOf:
    @pytest.mark.parametrize(
        ("text", "brand"),
        [
            ("4242424242424242", "visa"),
            ("4222222222222", "visa"),
            (number("4", 19), "visa"),
            ("5555555555554444", "mastercard"),
            (number("2221", 16), "mastercard"),
            (number("2720", 16), "mastercard"),
            ("378282246310005", "amex"),
            ("341111111111111", "amex"),
            ("6200000000000005", "unionpay"),
            (number("62", 17), "unionpay"),
            (number("62", 19), "unionpay"),
            (number("622126", 16), "unionpay"),
            (number("81", 16), "unionpay"),
            ("6011111111111117", "discover"),
            ("3530111333300000", "jcb"),
            ("30569309025904", "diners"),
            ("36227206271667", "diners"),
        ],
    )
    def test_follows_the_first_digits(self, text, brand):
        assert cards.brand_of(text) == brand

    @pytest.mark.parametrize(
        "text",
        [
            "4242424242424241",  # the check digit
            "",
            "4242",
            "4242 4242 4242 4242",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",  # digits, but not ours
            number("4", 14),  # a length that the scheme has not
            number("2220", 16),  # a range that no scheme has
            number("2721", 16),
            number("9", 16),
            "4" * 25,
        ],
    )
    def test_refuses_what_is_no_card(self, text):
        assert refusal(cards.brand_of, text) == ("incorrect_number", "number")


class TestCheckExpiry:
    def test_lets_a_card_live_to_the_end_of_its_month(self):
        assert cards.check_expiry(3, 2026, now=NOW) == 2026
        assert refusal(cards.check_expiry, 3, 2026, now=datetime(2026, 4, 1, tzinfo=UTC)) == (
            "expired_card",
            "exp_year",
        )

    def test_reads_two_digits_as_this_century(self):
        assert cards.check_expiry(12, 30, now=NOW) == 2030

    @pytest.mark.parametrize("month", [0, 13, -1])
    def test_refuses_a_month_that_is_none(self, month):
        assert refusal(cards.check_expiry, month, 2030, now=NOW) == ("invalid_expiry_month", "exp_month")

    @pytest.mark.parametrize("year", [2077, 20300, 203, -1])
    def test_refuses_a_year_that_cannot_be(self, year):
        assert refusal(cards.check_expiry, 12, year, now=NOW) == ("invalid_expiry_year", "exp_year")


class TestCheckCvc:
    @pytest.mark.parametrize(("text", "brand"), [("123", "visa"), ("0000", "amex"), ("999", "unionpay")])
    def test_hands_on_what_has_the_right_length(self, text, brand):
        assert cards.check_cvc(text, brand) == text

    @pytest.mark.parametrize(
        ("text", "brand"), [("12", "visa"), ("1234", "visa"), ("123", "amex"), ("12a", "visa"), ("", "visa")]
    )
    def test_refuses_any_other(self, text, brand):
        assert refusal(cards.check_cvc, text, brand) == ("invalid_cvc", "cvc")
