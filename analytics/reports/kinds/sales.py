"""The sales report: the tables of the sales page, from the same sums (analytics/insights/sales.py)."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from babel.dates import format_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.facts.cubes import ABANDONED, APPROVED, DECLINED
from analytics.facts.models import NO_STORE
from analytics.insights import sales
from analytics.insights.metrics import METRICS, MONEY, SHARE, part
from analytics.insights.queries import HOURS
from analytics.insights.sales import Pair
from analytics.reports.kinds.subject import Steps, Subject
from analytics.reports.papers import BAR, LINE, Chart, Column, Kind, Paper, Row, Section, Value, locale
from merchant_platform.kernel.money import Money
from payments.web.dashboard import words
from security.merchants.models import Store

_SUMMARY = ("gross_sales", "discounts", "refunds", "net_sales", "fees", "net_proceeds", "tax")
_COUNTS = ("sales_count", "items_sold", "average_sale")
_BY_DAY = (*_SUMMARY, "sales_count")


def paper(subject: Subject, steps: Steps) -> Paper:
    """The sales of one currency. Five statements."""
    steps.expect(2)
    found = sales.report(
        subject.period,
        own_currency=subject.merchant.default_currency,
        currency=subject.currency,
        where={},
    )
    steps.done()
    writer = _Writer(found, subject)
    head = subject.head((_("Currency"), found.currency))
    return Paper(_("Sales report"), head, writer.sections(steps))


class _Writer:
    def __init__(self, report: sales.Report, subject: Subject) -> None:
        self._report, self._subject = report, subject
        stores = Store.objects.filter(merchant_id=subject.merchant.pk)
        self._stores = {str(pk): name for pk, name in stores.values_list("pk", "name")}

    def sections(self, steps: Steps) -> Iterator[Section]:
        yield self._summary()
        yield self._days()
        yield from self._breakdowns()
        yield self._hours()
        yield self._tries()
        steps.done()

    def _summary(self) -> Section:
        rows: list[Row] = [
            (str(METRICS[name].title), *(self._value(name, each) for each in self._report.total.of(name)))
            for name in (*_SUMMARY, *_COUNTS)
        ]
        columns = (
            Column(_("Metric")),
            Column(_("This period"), Kind.MONEY),
            Column(_("Period before"), Kind.MONEY),
        )
        before = self._subject.period.before
        note = _("Compared with %(first)s to %(last)s.") % {
            "first": before.first.isoformat(),
            "last": before.last.isoformat(),
        }
        return Section(_("Sales summary"), columns, rows, note=note)

    def _days(self) -> Section:
        columns = [Column(_("Day"), Kind.DAY)]
        for name in _BY_DAY:
            kind = Kind.MONEY if METRICS[name].unit == MONEY else Kind.COUNT
            columns.append(Column(str(METRICS[name].title), kind))
        columns.append(Column(_("Net sales before"), Kind.MONEY))
        rows = (
            (day, *(self._value(name, pair.of(name)[0]) for name in _BY_DAY), self._money(pair.of("net_sales")[1]))
            for day, pair in self._report.by_day.items()
        )
        chart = Chart(LINE, (1 + _BY_DAY.index("net_sales"), len(columns) - 1))
        note = _("Net sales before are those of the day %(days)s days earlier.") % {"days": self._subject.period.days}
        return Section(_("Net sales by day"), columns, rows, chart=chart, note=note)

    def _breakdowns(self) -> Iterator[Section]:
        for name, title, heading in (
            ("category", _("By category"), _("Category")),
            ("store_id", _("By store"), _("Store")),
            ("method", _("By method"), _("Method")),
        ):
            pairs = self._report.by[name]
            total = sum(pair.of("net_sales")[0] or 0 for _value, pair in pairs)
            columns = (
                Column(heading),
                Column(pgettext("how many", "Sales"), Kind.COUNT),
                Column(_("Items sold"), Kind.COUNT),
                Column(_("Collected"), Kind.MONEY),
                Column(_("Refunds"), Kind.MONEY),
                Column(_("Net sales"), Kind.MONEY),
                Column(_("Share"), Kind.SHARE),
                Column(_("Period before"), Kind.MONEY),
            )
            rows = [self._row(name, value, pair, total) for value, pair in pairs]
            yield Section(title, columns, rows, chart=Chart(BAR, (5,), most=12))

    def _row(self, name: str, value: str, pair: Pair, total: int) -> Row:
        net, net_before = pair.of("net_sales")
        return (
            self._named(name, value),
            pair.current["baskets_count" if name == "category" else "charges_count"],
            METRICS["items_sold"].of(pair.current) or 0,
            self._money(pair.current["collected_minor"]),
            self._money(pair.current["refunded_minor"]),
            self._money(net),
            part(net or 0, total) if total > 0 else None,
            self._money(net_before),
        )

    def _hours(self) -> Section:
        first = self._subject.period.first
        monday = first - timedelta(days=first.weekday())
        names = [_weekday(monday + timedelta(days=each)) for each in range(7)]
        columns = [Column(_("Hour")), *(Column(name, Kind.COUNT) for name in names)]
        rows: list[Row] = [(f"{hour:02}:00", *(day[hour] for day in self._report.hours)) for hour in range(HOURS)]
        return Section(_("Sales by weekday and hour"), columns, rows)

    def _tries(self) -> Section:
        now = self._report.tries
        answered = now[APPROVED] + now[DECLINED]
        rows: list[Sequence[Value]] = [
            (title, now[outcome], part(now[outcome], answered) if of else None)
            for outcome, title, of in (
                (APPROVED, _("Approved by the bank or wallet"), True),
                (DECLINED, _("Declined"), True),
                (ABANDONED, _("Given up by the payer"), False),
            )
        ]
        rows += [
            (_("Declined: %(reason)s") % {"reason": words.decline(reason).rstrip(".。")}, count, part(count, answered))
            for reason, count in self._report.reasons
        ]
        columns = (
            Column(_("Answer")),
            Column(_("Tries"), Kind.COUNT),
            Column(_("Share of answers"), Kind.SHARE),
        )
        return Section(_("What banks and wallets answered"), columns, rows)

    def _value(self, name: str, value: int | None) -> Value:
        assert METRICS[name].unit != SHARE, "shares have a column of their own"
        return self._money(value) if METRICS[name].unit == MONEY else value

    def _money(self, value: int | None) -> Value:
        return None if value is None else Money(int(value), self._report.currency)

    def _named(self, name: str, value: str) -> str:
        if name == "category":
            return value or _("No category")
        if name == "method":
            return words.method(value) if value else _("Unknown")
        return _("No store") if value == str(NO_STORE) else self._stores.get(value, _("Unknown"))


def _weekday(day: date) -> str:
    return str(format_date(day, "EEE", locale=locale()))
