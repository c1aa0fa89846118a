"""The sales page: a period's sales as a balance, and what they were made of, narrowed by what the address says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from analytics.facts.cubes import ABANDONED, APPROVED, DECLINED
from analytics.facts.models import NO_STORE
from analytics.insights import funnel as checkouts
from analytics.insights import sales
from analytics.insights.funnel import Funnel
from analytics.insights.metrics import METRICS, MONEY, SHARE, part
from analytics.insights.queries import HOURS
from analytics.insights.sales import Pair, Report
from analytics.web import forms
from analytics.web.figures import compared, dated, growth, number, percent, shift
from analytics.web.forms import Choice
from analytics.web.overview import CurrencyChoice, currencies, weekdays
from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.templatetags.ui import money_text
from payments.web.dashboard import words
from security.merchants.models import Store
from security.web import navigation, sheets
from security.web.desk import Desk, desk_page
from security.web.parts import Chip

# The lines of the summary, as they are added up: the metric, and the sign before it.
_SUMMARY = (
    ("gross_sales", ""),
    ("discounts", "\u2212"),
    ("refunds", "\u2212"),
    ("net_sales", "="),
    ("fees", "\u2212"),
    ("net_proceeds", "="),
)
_BESIDE = ("tax", "sales_count", "items_sold", "average_sale")
# Which balance transactions a line is summed of; empty: all of them.
_TYPES = {"gross_sales": "payment", "discounts": "payment", "refunds": "payment_refund", "sales_count": "payment"}
# In addresses: what has no name.
NONE = "-"
_NARROWS = {"store": "store_id", "category": "category", "method": "method"}


@dataclass(frozen=True, slots=True)
class Cell:
    """What a table shows and what its file says: the same number, as people and as programs read it."""

    text: str
    plain: str
    is_number: bool = True
    # As people typed it: no language's.
    is_own: bool = False
    url: str = ""
    # What a chart draws.
    minor: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A metric beside that of the period before."""

    name: str
    title: str
    definition: str
    sign: str
    value: Cell
    before: Cell
    change: str
    direction: str

    @property
    def is_sum(self) -> bool:
        return self.sign == "="


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page, and its file."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that the page shows."""

    report: Report
    currencies: Sequence[CurrencyChoice]
    exponent: int
    summary: Sequence[Line]
    beside: Sequence[Line]
    days: Table
    hours: Table
    tables: Sequence[Table]
    compared: str
    is_empty: bool

    @property
    def files(self) -> Mapping[str, Table]:
        """Every table by the name of its file."""
        lines = Table(
            "summary",
            _("Sales summary"),
            (
                _("Figure"),
                _("This period"),
                _("Period before"),
                pgettext("against the period before", "Change"),
                _("Currency"),
            ),
            [
                (_word(line.title), line.value, line.before, _word(line.change), _word(self.report.currency))
                for line in (*self.summary, *self.beside)
            ],
        )
        return {table.name: table for table in (lines, self.days, self.hours, *self.tables)}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for."""

    choice: Choice
    # By the name in the address: store, category, method.
    given: Mapping[str, str]

    @property
    def where(self) -> Mapping[str, str]:
        """The same as dimensions of the facts; a store that cannot be is none that sold anything."""
        return {_NARROWS[name]: _dimension(name, value) for name, value in self.given.items()}

    @property
    def query(self) -> dict[str, str]:
        return {**self.choice.query, **self.given}

    @property
    def address(self) -> str:
        """The same, as what follows the question mark."""
        return urlencode(self.query)

    def without(self, name: str) -> str:
        """The address without a filter."""
        return "?" + urlencode({key: value for key, value in self.query.items() if key != name})

    def narrowed(self, name: str, value: str) -> str:
        """The address with a filter more."""
        return "?" + urlencode({**self.query, name: value})


@require_safe
@desk_page("sales.view")
def page(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The sales of a period. Six statements beside the desk's."""
    asked = _read(request, desk)
    shown, stores = _shown(desk, asked)
    names = {"store": _("Store"), "category": _("Category"), "method": _("Method")}
    menus = [
        {
            "title": title,
            "values": [
                (asked.narrowed(name, each), _named(name, each, stores))
                for each in (_value(name, value) for value in shown.report.choices[_NARROWS[name]])
            ],
        }
        for name, title in names.items()
        if name not in asked.given and shown.report.choices[_NARROWS[name]]
    ]
    context = {
        "asked": asked,
        "choice": asked.choice,
        "address": asked.address,
        "files": "sales_numbers",
        "presets": forms.PRESETS,
        "hours": range(HOURS),
        "shown": shown,
        "chips": [
            Chip(names[name], _named(name, value, stores), asked.without(name)) for name, value in asked.given.items()
        ],
        "clear_url": "?" + asked.choice.address,
        "kept": [(name, value) for name, value in asked.query.items() if name not in ("period", "since", "until")],
        "menus": menus,
        "has_filters": bool(menus or asked.given or shown.currencies),
    }
    return desk.render(request, "sales/page.html", context)


@require_safe
@desk_page("sales.view")
def numbers(request: HttpRequest, desk: Desk, chart: str) -> HttpResponseBase:
    """A table of the page as a file. 404 for one that there is not."""
    asked = _read(request, desk)
    shown, _stores = _shown(desk, asked)
    table = shown.files.get(chart)
    if table is None:
        raise Http404
    period = asked.choice.period
    name = f"sales-{chart}-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    return sheets.stream(name, table.columns, [[cell.plain for cell in row] for row in table.rows])


def _read(request: HttpRequest, desk: Desk) -> Asked:
    choice = forms.read(request.GET, zone=desk.zone, now=desk.now)
    given = {name: request.GET.get(name, "").replace("\0", "")[:200] for name in _NARROWS}
    return Asked(choice, {name: value for name, value in given.items() if value})


def _shown(desk: Desk, asked: Asked) -> tuple[Shown, Mapping[str, str]]:
    period = asked.choice.period
    stores = {
        str(store.pk): store.name for store in Store.objects.filter(merchant_id=desk.merchant.pk).order_by("name")
    }
    with tenancy.within(desk.book.pk):
        report = sales.report(
            period,
            own_currency=desk.merchant.default_currency,
            currency=asked.choice.currency,
            where=asked.where,
        )
        funnel = checkouts.funnel(period)
    page_of = navigation.pages(desk)
    balance = "" if asked.given else page_of.get("balance", "")
    view = _View(report, asked, stores, balance)
    hours = weekdays(report.hours)
    return (
        Shown(
            report=report,
            currencies=currencies(report.currencies, report.currency, url=desk.url("sales"), query=asked.query),
            exponent=money.exponent(report.currency),
            summary=[view.line(name, sign) for name, sign in _SUMMARY],
            beside=[view.line(name, "") for name in _BESIDE],
            days=view.days(),
            hours=Table(
                "hours",
                _("Sales by weekday and hour"),
                (_("Weekday"), *(str(hour) for hour in range(HOURS))),
                [(_word(each.name), *(_count(count) for count in each.counts)) for each in hours],
            ),
            tables=[*view.breakdowns(), view.tries(), _funnel(funnel)],
            compared=compared(period),
            is_empty=not report.total.current["charges_count"] and not report.total.current["refunds_count"],
        ),
        stores,
    )


@dataclass(frozen=True, slots=True)
class _View:
    """Makes lines and tables of a report."""

    report: Report
    asked: Asked
    stores: Mapping[str, str]
    # The list of balance transactions; empty where it cannot say the same, or may not be seen.
    balance_url: str

    def line(self, name: str, sign: str) -> Line:
        metric = METRICS[name]
        current, before = self.report.total.of(name)
        period = self.asked.choice.period
        return Line(
            name,
            str(metric.title),
            str(metric.definition),
            sign,
            self.cell(metric.unit, current, url=self.rows(period.first, period.last, _TYPES.get(name, ""))),
            self.cell(metric.unit, before),
            *growth(current, before),
        )

    def cell(self, unit: str, value: int | None, *, url: str = "") -> Cell:
        if value is None:
            return Cell("—", "")
        if unit == MONEY:
            return Cell(money_text(value, self.report.currency), self.decimal(value), url=url, minor=value)
        return Cell(percent(value), str(Decimal(value).scaleb(-6))) if unit == SHARE else _count(value, url=url)

    def decimal(self, minor: int) -> str:
        return str(Decimal(minor).scaleb(-money.exponent(self.report.currency)))

    def rows(self, first: date, last: date, kind: str = "") -> str:
        """The balance transactions of some days."""
        if not self.balance_url:
            return ""
        asked = {"type": kind} if kind else {}
        asked |= {"created_from": first.isoformat(), "created_to": last.isoformat()}
        return f"{self.balance_url}?{urlencode({**asked, 'currency': self.report.currency.lower()})}"

    def days(self) -> Table:
        period = self.asked.choice.period
        rows = []
        for day, pair in self.report.by_day.items():
            (net, net_before), count = pair.of("net_sales"), pair.current[self.counting]
            before = day - timedelta(days=period.days)
            rows.append(
                (
                    Cell(dated(day), day.isoformat(), is_number=False),
                    self.cell(MONEY, net, url=self.rows(day, day)),
                    _count(count),
                    _word(before.isoformat()),
                    self.cell(MONEY, net_before),
                )
            )
        columns = (
            *(_("Day"), str(METRICS["net_sales"].title), pgettext("how many", "Sales"), _("Day before")),
            _("Net sales before"),
        )
        return Table("days", _("Net sales by day"), columns, rows)

    @property
    def counting(self) -> str:
        """How sales are counted: those that a category took part in, where one is chosen."""
        return "baskets_count" if "category" in self.asked.given else "charges_count"

    def breakdowns(self) -> Iterator[Table]:
        for name, title, heading in (
            ("category", _("By category"), _("Category")),
            ("store", _("By store"), _("Store")),
            ("method", _("By method"), _("Method")),
        ):
            pairs = self.report.by[_NARROWS[name]]
            total = sum(pair.of("net_sales")[0] or 0 for _value_, pair in pairs)
            columns = (
                *(heading, pgettext("how many", "Sales"), _("Items sold"), _("Collected"), _("Refunds")),
                *(_("Net sales"), _("Share"), _("Period before")),
            )
            yield Table(name, title, columns, [self._row(name, value, pair, total) for value, pair in pairs])

    def _row(self, name: str, value: str, pair: Pair, total: int) -> Sequence[Cell]:
        shown, (net, net_before) = _value(name, value), pair.of("net_sales")
        label = _named(name, shown, self.stores)
        url = "" if name in self.asked.given else self.asked.narrowed(name, shown)
        return (
            Cell(label, label, is_number=False, is_own=name != "method" and shown != NONE, url=url),
            _count(pair.current["baskets_count" if name == "category" else "charges_count"]),
            _count(METRICS["items_sold"].of(pair.current) or 0),
            self.cell(MONEY, pair.current["collected_minor"]),
            self.cell(MONEY, pair.current["refunded_minor"]),
            self.cell(MONEY, net),
            self.cell(SHARE, part(net or 0, total) if total > 0 else None),
            self.cell(MONEY, net_before),
        )

    def tries(self) -> Table:
        """What banks and wallets answered, and why they declined."""
        now, before = self.report.tries, self.report.tries_before
        rate = METRICS["authorisation_rate"]
        change = shift(rate.of(now), rate.of(before))[0]
        answered = now[APPROVED] + now[DECLINED]
        rows = [
            (_word(title), _count(now[outcome]), self.cell(SHARE, part(now[outcome], answered) if of else None))
            for outcome, title, of in (
                (APPROVED, _("Approved by the bank or wallet"), True),
                (DECLINED, _("Declined"), True),
                (ABANDONED, _("Given up by the payer"), False),
            )
        ]
        rows += [
            (
                Cell(
                    _("Declined: %(reason)s") % {"reason": words.decline(reason).rstrip(".。")}, reason, is_number=False
                ),
                _count(count),
                self.cell(SHARE, part(count, answered)),
            )
            for reason, count in self.report.reasons
        ]
        note = _("Authorisation rate: %(rate)s") % {"rate": percent(rate.of(now))}
        if change:
            note = _("Authorisation rate: %(rate)s (%(change)s against the period before)") % {
                "rate": percent(rate.of(now)),
                "change": change,
            }
        columns = (_("Answer"), _("Tries"), _("Share of answers"))
        return Table("authorisation", _("What banks and wallets answered"), columns, rows, note)


def _funnel(found: Funnel) -> Table:
    steps = (
        (_("Checkouts made"), found.made, None),
        (_("Opened by the payer"), found.opened, 0 if found.opened else None),
        (_("Method chosen"), found.chosen, found.chosen_seconds),
        (_("Signed in to the wallet"), found.signed_in, found.signed_in_seconds),
        (_("Paid on the page"), found.paid, found.paid_seconds),
    )
    rows = [
        (
            _word(title),
            _count(count),
            Cell(percent(part(count, found.made)), str(Decimal(part(count, found.made) or 0).scaleb(-6))),
            Cell(_("%(seconds)s s") % {"seconds": number(seconds)} if seconds is not None else "—", str(seconds or "")),
        )
        for title, count, seconds in steps
    ]
    note = ""
    if found.clicks_tenths is not None:
        clicks = (
            number(found.clicks_tenths // 10) if not found.clicks_tenths % 10 else f"{found.clicks_tenths / 10:.1f}"
        )
        note = _("Presses to pay: %(count)s on average") % {"count": clicks}
    columns = (_("Step"), _("Checkouts"), _("Share of all"), _("Seconds since opened (median)"))
    return Table("checkout", _("Through the checkout"), columns, rows, note)


def _word(text: str) -> Cell:
    return Cell(text, text, is_number=False)


def _count(count: int, *, url: str = "") -> Cell:
    return Cell(number(count), str(count), url=url)


def _dimension(name: str, value: str) -> str:
    if name == "store":
        return str(NO_STORE) if value == NONE else _store(value)
    return "" if value == NONE else value


def _store(shown: str) -> str:
    try:
        return str(ids.parse("sto", shown))
    except ids.MalformedId:
        return str(UUID(int=2**128 - 1))


def _value(name: str, dimension: str) -> str:
    """A dimension's value as addresses say it."""
    if name == "store":
        return NONE if dimension == str(NO_STORE) else ids.show("sto", UUID(dimension))
    return dimension or NONE


def _named(name: str, value: str, stores: Mapping[str, str]) -> str:
    """A value as people read it."""
    if value == NONE:
        return {"store": _("No store"), "category": _("No category"), "method": _("Unknown")}[name]
    if name == "store":
        return stores.get(_store(value), _("Unknown"))
    return words.method(value) if name == "method" else value
