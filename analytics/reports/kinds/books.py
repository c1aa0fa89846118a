"""The books: what the merchant is owed and why, the trial balance, and every balance transaction.

Balances at the end of a period are those of this moment less what moved since. What stands
outside the merchant's own accounts (wallets, holders of cards, members, the bank) is one
line of the trial balance: what moved is summed from the ledger, and its balance is what the
others leave, so that both sides agree only where the ledger is right.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.facts.days import midnight
from analytics.insights.periods import Period
from analytics.reports.kinds.subject import Steps, Subject
from analytics.reports.papers import LINE, Chart, Column, Kind, Paper, Row, Section, Value
from members.loyalty import queries as loyalty
from merchant_platform.kernel import ids
from merchant_platform.kernel.money import Money
from payments.ledger import chart, entries, periods
from payments.ledger import queries as ledger
from payments.ledger.chart import Side
from payments.listing import transactions, windows
from payments.listing.transactions import Filters, Line
from payments.listing.windows import Span
from payments.web.dashboard import words

# The accounts that are the book's own, as a trial balance lists them.
_OWN = (
    *(chart.MERCHANT, chart.FEES, chart.ACQUIRER, chart.STORED_ISSUED, chart.BONUS_ISSUED),
    *(chart.POINTS_ISSUED, chart.POINTS_SPENT, chart.POINTS_EXPIRED),
)
_OUTSIDE = ""
_EVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Moved:
    """What moved, by (unit, code): debits and credits in the period, and debits less credits since it ended."""

    debits: Counter[tuple[str, str]] = field(default_factory=Counter)
    credits: Counter[tuple[str, str]] = field(default_factory=Counter)
    since: Counter[tuple[str, str]] = field(default_factory=Counter)
    # What the merchant's balance changed by, by unit and day.
    by_day: dict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))


def paper(subject: Subject, steps: Steps) -> Paper:
    """The books of a period, in every currency and in points. A statement a day, eight more, and three a 500 rows."""
    period = subject.period
    by_kind = list(
        _entries(period)
        .values("kind", "unit")
        .annotate(count=Count("pk"), amount=Sum("amount_minor"), fee=Sum("fee_minor"))
        .order_by("unit", "kind")
    )
    steps.expect(period.days + sum(row["count"] for row in by_kind))
    moved = _moved(period, steps)
    accounts = [each for kind in _OWN for each in ledger.accounts(kind, owner_id=subject.book.pk, mode=subject.mode)]
    # Debits less credits, as of the end of the period.
    closing = {
        (each.unit, each.kind.code): _signed(each.kind.side, total) - moved.since[each.unit, each.kind.code]
        for each, total in zip(accounts, ledger.totals(accounts) if accounts else [], strict=True)
    }
    return Paper(_("Books report"), subject.head(), _sections(subject, by_kind, moved, closing, steps))


def _moved(period: Period, steps: Steps) -> _Moved:
    moved, own = _Moved(), {kind.code for kind in _OWN}
    for day in period.dates:
        ends_at = midnight(date.fromordinal(day.toordinal() + 1), period.zone)
        for leg in periods.legs(since=midnight(day, period.zone), until=ends_at, zone=period.zone):
            key = leg.unit, leg.code if leg.code in own else _OUTSIDE
            moved.debits[key] += leg.debits_minor
            moved.credits[key] += leg.credits_minor
            if leg.code == chart.MERCHANT.code:
                moved.by_day[leg.unit][day] += leg.credits_minor - leg.debits_minor
        steps.done()
    for leg in periods.legs(since=period.ends_at, until=_EVER, zone=period.zone):
        moved.since[leg.unit, leg.code if leg.code in own else _OUTSIDE] += leg.debits_minor - leg.credits_minor
    return moved


def _sections(
    subject: Subject,
    by_kind: list[Mapping[str, Any]],
    moved: _Moved,
    closing: Mapping[tuple[str, str], int],
    steps: Steps,
) -> Iterator[Section]:
    owed = {unit: -total for (unit, code), total in closing.items() if code == chart.MERCHANT.code}
    yield _owed(by_kind, moved, owed)
    yield _trial(moved, closing)
    yield _kinds(by_kind)
    for unit, total in owed.items():
        yield _days(unit, total, moved, subject.period)
    yield _every(subject, steps)


def _owed(by_kind: list[Mapping[str, Any]], moved: _Moved, owed: Mapping[str, int]) -> Section:
    rows: list[Row] = []
    for unit, total in owed.items():
        change = sum(moved.by_day[unit].values())
        amounts = {row["kind"]: row["amount"] for row in by_kind if row["unit"] == unit}
        fees = sum(row["fee"] for row in by_kind if row["unit"] == unit)
        parts = [
            (_("Owed to you at the beginning"), total - change),
            (_("Payments"), amounts.get("charge", 0)),
            (_("Refunds"), amounts.get("refund", 0)),
            (_("Refunds that failed"), amounts.get("refund_failure", 0)),
            (_("Fees"), -fees),
        ]
        other = change - sum(amounts.values()) + fees
        if other:
            parts.append((_("Other"), other))
        rows += [(name, _value(amount, unit)) for name, amount in (*parts, (_("Owed to you at the end"), total))]
    return Section(_("What you are owed"), (Column(_("Metric")), Column(_("Amount"), Kind.MONEY)), rows)


def _trial(moved: _Moved, closing: Mapping[tuple[str, str], int]) -> Section:
    names = {each.unit: each.name for each in loyalty.programmes()}
    units = sorted({unit for unit, _code in (*closing, *moved.debits, *moved.credits)})
    rows: list[Row] = []
    for unit in units:
        balances = {code: total for (each, code), total in closing.items() if each == unit}
        balances[_OUTSIDE] = -sum(balances.values())
        total = Counter[str]()
        shown = names.get(unit, unit.partition("/")[0])
        for code, balance in balances.items():
            debits, credits = moved.debits[unit, code], moved.credits[unit, code]
            if not (balance or debits or credits):
                continue
            found = {"moved_d": debits, "moved_c": credits, "d": max(balance, 0), "c": max(-balance, 0)}
            total.update(found)
            rows.append((_account(code), shown, *(_value(amount, unit) for amount in found.values())))
        if not total:
            continue  # A programme that gave no points yet.
        sums = (total[name] for name in ("moved_d", "moved_c", "d", "c"))
        rows.append((_("Total"), shown, *(_value(amount, unit) for amount in sums)))
    columns = (
        Column(_("Account")),
        Column(_("Currency or points")),
        Column(_("Debits"), Kind.MONEY),
        Column(_("Credits"), Kind.MONEY),
        Column(_("Debit balance"), Kind.MONEY),
        Column(_("Credit balance"), Kind.MONEY),
    )
    note = _("Debits and credits are those of the period, balances those at its end. Each pair of totals is equal.")
    return Section(_("Trial balance"), columns, rows, note=note)


def _kinds(by_kind: list[Mapping[str, Any]]) -> Section:
    rows = [
        (
            str(words.ENTRIES[row["kind"]]),
            row["count"],
            _value(row["amount"], row["unit"]),
            _value(row["fee"], row["unit"]),
            _value(row["amount"] - row["fee"], row["unit"]),
        )
        for row in by_kind
    ]
    columns = (
        Column(_("Type")),
        Column(_("Number of transactions"), Kind.COUNT),
        Column(_("Amount"), Kind.MONEY),
        Column(_("Fee"), Kind.MONEY),
        Column(_("Net"), Kind.MONEY),
    )
    return Section(_("Balance transactions by type"), columns, rows)


def _days(unit: str, owed_minor: int, moved: _Moved, period: Period) -> Section:
    balance = owed_minor - sum(moved.by_day[unit].values())
    rows: list[Row] = []
    for day in period.dates:
        change = moved.by_day[unit][day]
        balance += change
        rows.append((day, _value(change, unit), _value(balance, unit)))
    columns = (
        Column(_("Day"), Kind.DAY),
        Column(pgettext("of a balance", "Change"), Kind.MONEY),
        Column(_("Balance"), Kind.MONEY),
    )
    title = _("Balance by day, %(currency)s") % {"currency": unit.partition("/")[0]}
    return Section(title, columns, rows, chart=Chart(LINE, (2,)))


def _every(subject: Subject, steps: Steps) -> Section:
    """Every balance transaction, newest first, as the balance page lists and exports them."""
    period = subject.period
    filters = Filters(span=Span(period.starts_at, period.ends_at))

    def rows() -> Iterator[Row]:
        for batch in windows.every(lambda cursor: transactions.batches(filters, after=cursor)):
            yield from (_transaction(line, period) for line in transactions.lines(batch))
            steps.done(len(batch))

    columns = (
        Column(_("Time"), Kind.MOMENT),
        Column(_("Type")),
        Column(_("Amount"), Kind.MONEY),
        Column(_("Fee"), Kind.MONEY),
        Column(_("Net"), Kind.MONEY),
        Column(_("Currency")),
        Column(_("Payment")),
        Column(_("ID")),
    )
    return Section(_("Balance transactions"), columns, rows(), is_long=True)


def _transaction(line: Line, period: Period) -> Row:
    entry, currency = line.entry, line.currency
    return (
        entry.effective_at.astimezone(period.zone),
        str(words.TRANSACTIONS[line.type]),
        Money(entry.amount_minor, currency),
        Money(-entry.fee_minor, currency),
        Money(entry.net_minor, currency),
        currency,
        ids.show("pi", line.intent_id) if line.intent_id else "",
        line.shown_id,
    )


def _entries(period: Period) -> Any:
    return entries.merchant_entries().filter(Span(period.starts_at, period.ends_at).condition("pk"))


def _value(amount: int, unit: str) -> Value:
    """Money of a currency; points are plain numbers."""
    return amount if unit.startswith("PTS.") else Money(int(amount), unit.partition("/")[0])


def _signed(side: Side, total: int) -> int:
    return total if side == Side.DEBIT else -total


def _account(code: str) -> str:
    """The ledger's accounts as a merchant reads them."""
    own = {
        _OUTSIDE: _("Customers, members and banks"),
        chart.POINTS_ISSUED.code: _("Points issued"),
        chart.POINTS_SPENT.code: _("Points spent"),
        chart.POINTS_EXPIRED.code: _("Points expired"),
    }
    return own.get(code) or str(words.ACCOUNTS[code])
