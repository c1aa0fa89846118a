"""Money: integer minor units and an ISO 4217 currency. Never a float, never a blanket times hundred."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from babel import numbers

PPM = 1_000_000
AMOUNT_MAX = 9_223_372_036_854_775_807  # what a signed 64-bit column holds

# The wire follows Stripe, which counts some currencies otherwise than ISO 4217 does:
# ISK and UGX have no minor unit any more but keep two decimals there.
# https://docs.stripe.com/currencies
WIRE_EXPONENT_EXCEPTIONS = {"ISK": 2, "UGX": 2}
# Currencies that Stripe's wire has without decimals although CLDR counts some, or the reverse.
WIRE_ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
# Amounts in these are in thousandths and must be a multiple of ten.
WIRE_THREE_DECIMAL = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
# Money of account and test codes of ISO 4217 that nobody pays with.
_NOT_MONEY = frozenset(
    "XAU XAG XPD XPT XBA XBB XBC XBD XDR XSU XTS XUA XXX CHE CHW COU USN UYI UYW MXV CLF BOV".split()
)


# What a person may type: digits, plain or in groups of three, and a point before the decimals. In either language a
# comma groups; where it could be meant as a point, nothing is guessed.
_TYPED = re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<part>[0-9]+))?")


class NotAnAmount(ValueError):
    """What somebody typed is no amount of this currency. `reason`: `unreadable`, `decimals`, `step` or `too_large`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met."""


@cache
def currencies() -> frozenset[str]:
    """Every ISO 4217 currency that is legal tender somewhere today, in upper case."""
    current = {
        code
        for territory in numbers.get_global("territory_currencies")
        for code in numbers.get_territory_currencies(territory)
    }
    return frozenset(code for code in current if len(code) == 3) - _NOT_MONEY


@cache
def exponent(currency: str) -> int:
    """Decimals of a currency on the wire: CNY 2, JPY 0, KWD 3."""
    code = currency.upper()
    if code in WIRE_EXPONENT_EXCEPTIONS:
        return WIRE_EXPONENT_EXCEPTIONS[code]
    if code in WIRE_ZERO_DECIMAL:
        return 0
    if code in WIRE_THREE_DECIMAL:
        return 3
    return 2


@cache
def step(currency: str) -> int:
    """What an amount must be a multiple of: three decimals are sent in tens, and ISK and UGX have no minor unit."""
    code = currency.upper()
    return 10 if code in WIRE_THREE_DECIMAL else 100 if code in WIRE_EXPONENT_EXCEPTIONS else 1


def typed(text: str, currency: str) -> int:
    """The minor units of an amount that a person typed in major units: `1,234.50`, or `１２．５` in full width.

    Raises NotAnAmount for what cannot be read, has more decimals than the currency, or is
    no amount that the currency can be paid in.
    """
    found = _TYPED.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        raise NotAnAmount("unreadable")
    digits = exponent(currency)
    part = (found["part"] or "").rstrip("0")
    if len(part) > digits:
        raise NotAnAmount("decimals")
    whole = found["whole"].replace(",", "").lstrip("0")
    if len(whole) > len(str(AMOUNT_MAX)):
        raise NotAnAmount("too_large")
    amount_minor = int((whole + part.ljust(digits, "0")) or "0")
    if amount_minor > AMOUNT_MAX:
        raise NotAnAmount("too_large")
    if amount_minor % step(currency):
        raise NotAnAmount("step")
    return amount_minor


def to_type(amount_minor: int, currency: str) -> str:
    """An amount as a person would type it: what `typed` reads as the same amount."""
    digits = exponent(currency)
    text = f"{amount_minor:0{digits + 1}d}"
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def unit(currency: str) -> str:
    """The ledger's name of a currency's unit: `CNY/2`."""
    return f"{currency.upper()}/{exponent(currency)}"


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError("an amount is an integer of minor units")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")

    def text(self, locale: str = "en") -> str:
        """The amount for a person: `¥12.00`, with U+2212 as the minus."""
        digits = exponent(self.currency)
        symbol, group, point = _marks(self.currency.upper(), locale)
        whole, part = divmod(abs(self.amount_minor), 10**digits)
        shown = f"{symbol}{whole:,}".replace(",", group) + (f"{point}{part:0{digits}d}" if digits else "")
        return ("\u2212" if self.amount_minor < 0 else "") + shown


@lru_cache(maxsize=1024)
def _marks(currency: str, locale: str) -> tuple[str, str, str]:
    """What CLDR puts before an amount, between its thousands and before its decimals.

    Asked once: babel reads a pattern anew for each amount, which took a third of a page of many.
    """
    return (
        numbers.get_currency_symbol(currency, locale=locale),
        numbers.get_group_symbol(locale),
        numbers.get_decimal_symbol(locale),
    )


def rate_of(amount_minor: int, rate_ppm: int) -> int:
    """`rate_ppm` parts per million of an amount, rounded half-even to a whole minor unit."""
    return share_of(amount_minor, rate_ppm, PPM)


def share_of(amount_minor: int, part: int, whole: int) -> int:
    """`amount_minor` × part ÷ whole, rounded half-even: the exact integer quotient, no float."""
    numerator = amount_minor * part
    quotient, remainder = divmod(numerator, whole)
    twice = remainder * 2
    if twice > whole or (twice == whole and quotient % 2):
        quotient += 1
    return quotient


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Parts in proportion to `weights` that sum to the amount, by largest remainder.

    Ties go to the earlier part, so that the same input gives the same parts. Raises
    ValueError where no weight is above zero.
    """
    total = sum(weights)
    if total <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative and one must be above zero")
    sign = -1 if amount_minor < 0 else 1
    whole = abs(amount_minor)
    divided = [divmod(whole * weight, total) for weight in weights]
    parts = [part for part, _ in divided]
    left = whole - sum(parts)
    if left:
        for i in sorted(range(len(weights)), key=lambda i: -divided[i][1])[:left]:
            parts[i] += 1
    return [sign * part for part in parts]
