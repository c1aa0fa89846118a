"""A card's number in the clear, for the length of one call, and what can be said of it without asking anybody."""

from dataclasses import dataclass, field
from datetime import datetime

from stdnum import luhn

YEARS_AHEAD_MAX = 50


class CardUnusable(Exception):
    """What stands on the card cannot be right. The caller decides which answer that is.

    `code` is one of incorrect_number, invalid_expiry_month, invalid_expiry_year,
    expired_card, invalid_cvc; `param` is the field it is about. The message repeats nothing
    of the card.
    """

    def __init__(self, message: str, *, code: str, param: str) -> None:
        super().__init__(message)
        self.message, self.code, self.param = message, code, param


@dataclass(frozen=True, slots=True)
class ClearCard:
    """What stands on a card. It is never logged, stored or put in a queue: what is kept is a token of it.

    Its `repr` shows nothing, so that no traceback and no log line can.
    """

    number: str = field(repr=False)
    exp_month: int = field(repr=False)
    exp_year: int = field(repr=False)
    holder: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Brand:
    """A card scheme: the first digits of its numbers (ranges, both ends included), their lengths, its CVC's length.

    Ranges by ISO/IEC 7812 as the schemes publish them.
    """

    name: str
    prefixes: tuple[tuple[int, int], ...]
    lengths: range | tuple[int, ...]
    cvc_length: int = 3

    def covers(self, number: str) -> bool:
        """Whether a number begins as this scheme's do."""
        return any(low <= int(number[: len(str(low))]) <= high for low, high in self.prefixes)


# UnionPay before Discover: 622126 to 622925 is issued by both, and accepted here as UnionPay's.
BRANDS = (
    Brand("visa", ((4, 4),), (13, 16, 19)),
    Brand("mastercard", ((51, 55), (2221, 2720)), (16,)),
    Brand("amex", ((34, 34), (37, 37)), (15,), cvc_length=4),
    Brand("unionpay", ((62, 62), (81, 81)), range(16, 20)),
    Brand("discover", ((6011, 6011), (644, 649), (65, 65)), range(16, 20)),
    Brand("jcb", ((3528, 3589),), range(16, 20)),
    Brand("diners", ((300, 305), (36, 36), (38, 39)), range(14, 20)),
)
# Issuers whose ranges tell how the card is funded: those of the test cards. A real table is a provider's to give.
_FUNDING = {
    "400005": "debit",
    "520082": "debit",
    **dict.fromkeys(("400000", "410000", "424242", "555555", "378282", "620000"), "credit"),
}


def brand_of(number: str) -> str:
    """The scheme of a number. Raises CardUnusable for letters, an unknown scheme, a wrong length or check digit."""
    if number.isascii() and number.isdigit() and 12 <= len(number) <= 19:
        for brand in BRANDS:
            if brand.covers(number) and len(number) in brand.lengths and luhn.is_valid(number):
                return brand.name
    raise CardUnusable("Your card number is incorrect.", code="incorrect_number", param="number")


def funding_of(number: str) -> str:
    """`credit`, `debit` or `unknown`."""
    return _FUNDING.get(number[:6], "unknown")


def check_expiry(month: int, year: int, *, now: datetime) -> int:
    """The year in four digits. Raises CardUnusable where the month cannot be, or the card is not valid at `now`."""
    if not 1 <= month <= 12:
        raise CardUnusable("Your card's expiration month is invalid.", code="invalid_expiry_month", param="exp_month")
    full = year + now.year // 100 * 100 if 0 <= year < 100 else year
    if not 1950 <= full <= now.year + YEARS_AHEAD_MAX:
        raise CardUnusable("Your card's expiration year is invalid.", code="invalid_expiry_year", param="exp_year")
    # A card is valid to the end of its month.
    if (full, month) < (now.year, now.month):
        raise CardUnusable("Your card has expired.", code="expired_card", param="exp_year")
    return full


def check_cvc(text: str, brand: str) -> str:
    """The code as it was given, to be handed on and forgotten. Raises CardUnusable invalid_cvc."""
    length = next((each.cvc_length for each in BRANDS if each.name == brand), 3)
    if not (text.isascii() and text.isdigit() and len(text) == length):
        raise CardUnusable("Your card's security code is invalid.", code="invalid_cvc", param="cvc")
    return text
