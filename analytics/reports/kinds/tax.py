"""The tax report: by rate, by month and rate, and by day. Gross is with tax, net without."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.translation import gettext as _

from analytics.insights import taxes
from analytics.insights.taxes import Taxed
from analytics.reports.kinds.subject import Steps, Subject
from analytics.reports.papers import LINE, Chart, Column, Kind, Paper, Row, Section
from merchant_platform.kernel.money import Money


@dataclass(slots=True)
class _Sum:
    collected_minor: int = 0
    refunded_minor: int = 0
    tax: Decimal = Decimal(0)

    def add(self, each: Taxed) -> None:
        self.collected_minor += each.collected_minor
        self.refunded_minor += each.refunded_minor
        self.tax += each.tax

    def cells(self, currency: str) -> Row:
        """Collected, refunded, gross, tax and net: what remains of gross after tax."""
        gross = self.collected_minor - self.refunded_minor
        tax = int(self.tax.to_integral_value(ROUND_HALF_EVEN))
        return [
            Money(amount, currency) for amount in (self.collected_minor, self.refunded_minor, gross, tax, gross - tax)
        ]


def paper(subject: Subject, steps: Steps) -> Paper:
    """The taxes of one currency. A statement a day."""
    steps.expect(subject.period.days)
    by_rate: dict[int, _Sum] = defaultdict(_Sum)
    by_month: dict[tuple[str, int], _Sum] = defaultdict(_Sum)
    by_day: dict[date, _Sum] = {day: _Sum() for day in subject.period.dates}
    for day in taxes.by_day(subject.period, currency=subject.wanted_currency):
        for each in day:
            by_rate[each.rate].add(each)
            by_month[f"{each.day:%Y-%m}", each.rate].add(each)
            by_day[each.day].add(each)
        steps.done()
    currency = subject.wanted_currency
    head = subject.head((_("Currency"), currency))
    return Paper(_("Tax report"), head, _sections(by_rate, by_month, by_day, currency))


def _sections(
    by_rate: Mapping[int, _Sum], by_month: Mapping[tuple[str, int], _Sum], by_day: Mapping[date, _Sum], currency: str
) -> Iterator[Section]:
    note = _(
        "Sales count on the day on which they were paid, refunds on the day on which they were given. A rate is worked "
        "out from the tax of each line."
    )
    rates: list[Row] = [(_rate(rate), *each.cells(currency)) for rate, each in sorted(by_rate.items())]
    rates.append((_("Total"), *_total(by_day.values()).cells(currency)))
    yield Section(_("By rate"), (Column(_("Tax rate")), *_amounts()), rates, note=note)
    months = [(month, _rate(rate), *each.cells(currency)) for (month, rate), each in sorted(by_month.items())]
    yield Section(_("By month and rate"), (Column(_("Month")), Column(_("Tax rate")), *_amounts()), months)
    days = ((day, *each.cells(currency)) for day, each in by_day.items())
    yield Section(_("Tax by day"), (Column(_("Day"), Kind.DAY), *_amounts()), days, chart=Chart(LINE, (4,)))


def _amounts() -> tuple[Column, ...]:
    return (
        Column(_("Collected"), Kind.MONEY),
        Column(_("Refunds"), Kind.MONEY),
        Column(_("Gross, with tax"), Kind.MONEY),
        Column(_("Tax"), Kind.MONEY),
        Column(_("Net, without tax"), Kind.MONEY),
    )


def _total(sums: Iterable[_Sum]) -> _Sum:
    total = _Sum()
    for each in sums:
        total.collected_minor += each.collected_minor
        total.refunded_minor += each.refunded_minor
        total.tax += each.tax
    return total


def _rate(tenths: int) -> str:
    """`13%`, `5.5%`; what was sold without tax stands under its own words."""
    if tenths == 0:
        return _("Without tax")
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10:.1f}%"
