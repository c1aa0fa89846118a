"""What a report is before it is written: sections of rows, each cell a value. A format decides how a value looks.

Rows are read once and may stream; a section that `is_long` has one for each of many things
and is left out of what people print.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from django.utils.translation import get_language, to_locale

from merchant_platform.kernel import money
from merchant_platform.kernel.money import Money


class Kind(StrEnum):
    """What stands in a column."""

    TEXT = "text"
    DAY = "day"
    # A datetime in the merchant's zone.
    MOMENT = "moment"
    MONEY = "money"
    COUNT = "count"
    # Parts of a million.
    SHARE = "share"


Value = str | int | date | datetime | Money | None
Row = Sequence[Value]
LINE, BAR = "line", "bar"


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    kind: Kind = Kind.TEXT

    @property
    def is_number(self) -> bool:
        return self.kind in (Kind.MONEY, Kind.COUNT, Kind.SHARE)


@dataclass(frozen=True, slots=True)
class Chart:
    """A line or bars of some columns, along the first one. `most`: of how many rows, from the first."""

    form: str
    columns: Sequence[int]
    most: int = 400


@dataclass(frozen=True, slots=True)
class Section:
    """A table with its title."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    chart: Chart | None = None
    note: str = ""
    is_long: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole report: its title, what stands at its head, and its sections, each made when it is its turn."""

    title: str
    head: Sequence[tuple[str, str]]
    sections: Iterable[Section] = field(default_factory=tuple)


def locale() -> str:
    """CLDR's name of the language that is written in."""
    return to_locale(get_language() or "en")


def decimal(value: Money) -> Decimal:
    """An amount in major units, exact."""
    return Decimal(value.amount_minor).scaleb(-money.exponent(value.currency))


def plain(value: Value, kind: Kind) -> object:
    """A value as programs read it: the same text as the files of the pages have."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return decimal(value)
    if kind == Kind.SHARE and isinstance(value, int):
        return Decimal(value).scaleb(-6)
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


def text(value: Value, kind: Kind) -> str:
    """A value as people read it, in the language that is written in."""
    if value is None:
        return "—"
    if isinstance(value, Money):
        return value.text(locale())
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return format_date(value, "yyyy-MM-dd EEE", locale=locale())
    if isinstance(value, int):
        if kind == Kind.SHARE:
            return format_percent(Decimal(value).scaleb(-6), "#,##0.0%", locale=locale())
        return format_decimal(value, locale=locale()).replace("-", "\u2212")
    return value


def height(value: Value) -> float:
    """How high a chart draws a value."""
    if isinstance(value, Money):
        return float(decimal(value))
    return float(value) if isinstance(value, int) else 0.0
