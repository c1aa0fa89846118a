"""Home's numbers as people read them: four figures, two charts and the ways of paying, for one choice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from babel.dates import get_day_names
from django.utils.translation import gettext as _

from analytics.insights import queries
from analytics.insights.metrics import METRICS
from analytics.insights.periods import Period
from analytics.insights.queries import Comparison, Share, Tally
from analytics.web.figures import compared, dated, growth, number, percent, shift
from analytics.web.forms import Choice
from merchant_platform.kernel import money
from merchant_platform.kernel.templatetags.ui import locale, money_text
from payments.web.dashboard import words
from security.web.desk import Desk

SPARK_WIDTH, SPARK_HEIGHT = 120, 28
# Marks that the platform brings along.
_MARKS = {"visa": "visa", "mastercard": "mastercard", "amex": "americanexpress", "unionpay": "unionpay"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the four numbers. `definition` says what it is; `url` leads to the payments that it counts."""

    key: str
    name: str
    definition: str
    value: str
    change: str
    direction: str
    spark: str
    url: str
    rows: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the volume chart, beside the day that it is compared with."""

    day: date
    name: str
    volume_minor: int
    volume: str
    payments: int
    payments_text: str
    before: date
    before_minor: int
    before_volume: str


@dataclass(frozen=True, slots=True)
class Weekday:
    """A row of the heat map."""

    name: str
    counts: Sequence[int]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of paying and its share of the volume."""

    name: str
    brand: str
    mark: str
    payments: int
    payments_text: str
    volume: str
    volume_minor: int
    percent: str
    # Of a bar 100 wide.
    width: str
    url: str


@dataclass(frozen=True, slots=True)
class CurrencyChoice:
    code: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that Home shows of one currency in one period."""

    currency: str
    currencies: Sequence[CurrencyChoice]
    exponent: int
    figures: Sequence[Figure]
    days: Sequence[Day]
    weekdays: Sequence[Weekday]
    busiest: str
    ways: Sequence[Way]
    # Nothing was paid in either period.
    is_empty: bool
    compared: str


def read(desk: Desk, choice: Choice, *, payments_url: str) -> Overview:
    """Ask for everything, in the open unit of work: three statements."""
    found = queries.compare(choice.period)
    currency = _currency(desk, choice, found)
    comparison = found.get(currency) or Comparison()
    links = Links(payments_url, choice.period, currency)
    hours = queries.by_hour(choice.period, currency=currency)
    return Overview(
        currency=currency,
        currencies=currencies(found, currency, url=desk.url("home"), query=choice.query),
        exponent=money.exponent(currency),
        figures=_figures(comparison, choice.period, currency, links),
        days=days(comparison, choice.period, currency),
        weekdays=weekdays(hours),
        busiest=_busiest(hours),
        ways=ways(comparison.shares, currency, links),
        is_empty=not comparison.current.payments and not comparison.before.payments,
        compared=compared(choice.period),
    )


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the payments that a number counts; none for who may not see the list."""

    payments_url: str
    period: Period
    currency: str

    def to(self, **filters: str) -> str:
        if not self.payments_url:
            return ""
        asked = {
            **filters,
            "created_from": self.period.first.isoformat(),
            "created_to": self.period.last.isoformat(),
            "currency": self.currency.lower(),
        }
        return f"{self.payments_url}?{urlencode(asked)}"


# --- the four numbers ------------------------------------------------------------------


def _figures(comparison: Comparison, period: Period, currency: str, links: Links) -> list[Figure]:
    current, before = comparison.current, comparison.before
    by_day = [comparison.on(day) for day in period.dates]
    succeeded = links.to(status="succeeded")
    return [
        Figure(
            "volume",
            *_said("payment_volume"),
            money_text(current.volume_minor, currency),
            *growth(current.volume_minor, before.volume_minor),
            _spark([tally.volume_minor for tally in by_day]),
            succeeded,
            _("See the payments that succeeded"),
        ),
        Figure(
            "success",
            *_said("success_rate"),
            percent(current.success_ppm),
            *shift(current.success_ppm, before.success_ppm),
            _spark([tally.success_ppm for tally in by_day]),
            links.to(),
            _("See all the payments that were made"),
        ),
        Figure(
            "average",
            *_said("average_payment"),
            money_text(current.average_minor, currency) if current.average_minor is not None else "—",
            *growth(current.average_minor, before.average_minor),
            _spark([tally.average_minor for tally in by_day]),
            succeeded,
            _("See the payments that succeeded"),
        ),
        Figure(
            "customers",
            _("Active customers"),
            _(
                "Different customers with a payment that succeeded in the period. "
                "Guests, whom nobody knows again, are not counted."
            ),
            number(current.customers),
            *growth(current.customers, before.customers),
            _spark([tally.customers for tally in by_day]),
            succeeded,
            _("See the payments that succeeded"),
        ),
    ]


def _said(metric: str) -> tuple[str, str]:
    """A metric's title and definition."""
    return str(METRICS[metric].title), str(METRICS[metric].definition)


def _spark(values: Sequence[int | None]) -> str:
    """The points of a line through the days; days without a value are passed over."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    step, reach = SPARK_WIDTH / (len(values) - 1), SPARK_HEIGHT - 4
    return " ".join(
        f"{place * step:.1f},{SPARK_HEIGHT - 2 - (value - low) * reach / ((high - low) or 1):.1f}"
        for place, value in known
    )


# --- charts ----------------------------------------------------------------------------


def days(comparison: Comparison, period: Period, currency: str) -> list[Day]:
    """The volume by day, and that of the day as many days before as the period has."""
    shown = []
    for day in period.dates:
        before = day - timedelta(days=period.days)
        now, then = comparison.on(day), comparison.on(before)
        shown.append(
            Day(
                day=day,
                name=dated(day),
                volume_minor=now.volume_minor,
                volume=money_text(now.volume_minor, currency),
                payments=now.succeeded,
                payments_text=number(now.succeeded),
                before=before,
                before_minor=then.volume_minor,
                before_volume=money_text(then.volume_minor, currency),
            )
        )
    return shown


def weekdays(hours: Sequence[Sequence[int]]) -> list[Weekday]:
    """The heat map's rows, Monday first."""
    names = get_day_names("abbreviated", locale=locale())
    return [Weekday(names[day], counts) for day, counts in enumerate(hours)]


def _busiest(hours: Sequence[Sequence[int]]) -> str:
    """The busiest hour of the week, in words; empty where nothing was paid."""
    count, day, hour = max((count, -day, -hour) for day, row in enumerate(hours) for hour, count in enumerate(row))
    if not count:
        return ""
    return _("Busiest: %(weekday)s %(hour)s:00, %(count)s payments") % {
        "weekday": get_day_names("wide", locale=locale())[-day],
        "hour": -hour,
        "count": number(count),
    }


def ways(shares: Sequence[Share], currency: str, links: Links) -> list[Way]:
    """How payments were paid, the largest volume first."""
    total = sum(share.volume_minor for share in shares)
    return [
        Way(
            name=words.method(share.method) or _("Unknown"),
            brand=words.brand(share.brand),
            mark=_MARKS.get(share.brand, ""),
            payments=share.payments,
            payments_text=number(share.payments),
            volume=money_text(share.volume_minor, currency),
            volume_minor=share.volume_minor,
            percent=percent(share.volume_minor * 1_000_000 // total if total else None),
            width=f"{share.volume_minor * 100 / total:.2f}" if total else "0",
            url=links.to(status="succeeded", method=share.method) if share.method else "",
        )
        for share in shares
    ]


# --- currencies ------------------------------------------------------------------------


def _currency(desk: Desk, choice: Choice, found: Mapping[str, Any]) -> str:
    """The currency asked for where there is any of it, else the merchant's own, else the one most was paid in."""
    own = desk.merchant.default_currency
    if choice.currency in found:
        return choice.currency
    if own in found or not found:
        return own
    return max(found, key=lambda code: (found[code].current.payments, code))


def currencies(codes: Iterable[str], current: str, *, url: str, query: Mapping[str, str]) -> list[CurrencyChoice]:
    """What there is to choose between: nothing, where everything was paid in one currency."""
    known = sorted({*codes, current})
    if len(known) < 2:
        return []
    return [
        CurrencyChoice(code, f"{url}?{urlencode({**query, 'currency': code.lower()})}", code == current)
        for code in known
    ]


def today(tally: Tally) -> list[tuple[str, str]]:
    """The day so far in counts alone, for who sees no sums."""
    return [
        (_("Payments today"), number(tally.payments)),
        (_("Succeeded"), number(tally.succeeded)),
        (_("Did not succeed"), number(tally.payments - tally.succeeded)),
    ]
