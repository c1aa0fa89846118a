"""The members report: who came, bought and left, and what points did. It names nobody."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.facts import queries as facts
from analytics.insights.metrics import part
from analytics.insights.periods import Period
from analytics.insights.queries import days_of
from analytics.reports.kinds.subject import Steps, Subject
from analytics.reports.papers import LINE, Chart, Column, Kind, Paper, Row, Section
from members.directory import counting
from members.directory import queries as directory
from members.loyalty import counting as tiers
from members.loyalty import queries as loyalty
from members.loyalty.models import Programme
from members.web.programme_words import KINDS
from members.web.words import SOURCES
from payments.ledger import chart, periods
from payments.ledger.periods import Legs

_AT_ONCE = 1_000
# The accounts on which members hold points: credits less debits is what they got.
_HELD = (chart.POINTS.code, chart.POINTS_PENDING.code, chart.POINTS_DEBT.code)
# What took points from members because time ran out, or gave something for them; everything else is issued.
_EXPIRED, _SPENT = ("points_expired",), ("points_spent", "points_returned")
# Neither: from one member to another.
_BETWEEN = ("points_transferred", "points_merged", "points_matured", "points_budget")


def paper(subject: Subject, steps: Steps) -> Paper:
    """Members and points of a period. Some ten statements, and one a thousand buyers."""
    steps.expect(5)
    return Paper(_("Members report"), subject.head(), _sections(subject, steps))


def _sections(subject: Subject, steps: Steps) -> Iterator[Section]:
    period = subject.period
    standing = counting.standing(since=period.starts_at, until=period.ends_at)
    steps.done()
    buying = _buying(period)
    rows: list[Row] = [
        (_("Members at the beginning"), standing.before),
        (_("New members"), standing.joined),
        (_("Members who left"), standing.left),
        (_("Members at the end"), standing.after),
        (_("Active: members who bought"), buying),
    ]
    yield Section(_("Members"), (Column(_("Metric")), Column(_("This period"), Kind.COUNT)), rows)
    steps.done()
    joined = counting.joined(since=period.starts_at, until=period.ends_at, zone=period.zone)
    by_day, by_source = Counter[date](), Counter[str]()
    for each in joined:
        by_day[each.day] += each.count
        by_source[each.source] += each.count
    days = [(day, by_day[day]) for day in period.dates]
    columns: Sequence[Column] = (Column(_("Day"), Kind.DAY), Column(_("New members"), Kind.COUNT))
    yield Section(_("New members by day"), columns, days, chart=Chart(LINE, (1,)))
    sources = [(str(SOURCES[source]), count, part(count, standing.joined)) for source, count in by_source.most_common()]
    columns = (Column(_("How they joined")), Column(_("New members"), Kind.COUNT), Column(_("Share"), Kind.SHARE))
    yield Section(_("How members joined"), columns, sources)
    steps.done()
    legs = periods.legs(since=period.starts_at, until=period.ends_at, zone=period.zone)
    steps.done()
    for programme in loyalty.programmes():
        yield from _programme(programme, [leg for leg in legs if leg.unit == programme.unit], period)
    steps.done()


def _programme(programme: Programme, legs: Sequence[Legs], period: Period) -> Iterator[Section]:
    """What a programme's points did, by kind and by day, and in which tiers its members are now."""
    by_kind, by_day = Counter[str](), defaultdict[date, Counter[str]](Counter)
    for leg in legs:
        if leg.code not in _HELD:
            continue
        points = leg.credits_minor - leg.debits_minor
        by_kind[leg.kind] += points
        by_day[leg.day][_what(leg.kind)] += points
    named = {"programme": programme.name}
    total = Counter[str]()
    for day in by_day.values():
        total.update({name: day[name] for name in ("issued", "spent", "expired")})
    rows: list[Row] = [
        (_("Points issued"), total["issued"]),
        (_("Points spent"), -total["spent"]),
        (_("Points expired"), -total["expired"]),
    ]
    rows += [(str(KINDS.get(kind, kind)), points) for kind, points in sorted(by_kind.items()) if points]
    columns: Sequence[Column] = (Column(_("Metric")), Column(_("Points"), Kind.COUNT))
    note = _("The first three sum up the others: what members were given, what they used, what ran out.")
    yield Section(_("Points of %(programme)s") % named, columns, rows, note=note)
    days = [
        (day, by_day[day]["issued"], -by_day[day]["spent"], -by_day[day]["expired"])
        if day in by_day
        else (day, 0, 0, 0)
        for day in period.dates
    ]
    columns = (
        Column(_("Day"), Kind.DAY),
        Column(pgettext("points", "Issued"), Kind.COUNT),
        Column(pgettext("points", "Spent"), Kind.COUNT),
        Column(_("Expired"), Kind.COUNT),
    )
    yield Section(_("Points by day, %(programme)s") % named, columns, days, chart=Chart(LINE, (1, 2)))
    yield _tiers(programme, named)


def _tiers(programme: Programme, named: Mapping[str, str]) -> Section:
    counts = tiers.counts(programme.pk)
    rows = [(tier.name, counts.get(tier.key, 0)) for tier in loyalty.terms(programme).tiers]
    rows.append((_("No tier"), counts.get("", 0)))
    columns = (Column(_("Tier")), Column(_("Members"), Kind.COUNT))
    return Section(_("Tiers of %(programme)s, as of now") % named, columns, rows)


def _buying(period: Period) -> int:
    """How many members paid something: buyers of the facts, each as the member they are today."""
    found = set()
    for batch in _batches(facts.buyers(list(days_of(period)), zone=period.zone.key)):
        found |= set(directory.of_customers(batch).values())
    return len(found)


def _batches(each: Iterable[UUID]) -> Iterator[list[UUID]]:
    rest = iter(each)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch


def _what(kind: str) -> str:
    if kind in _BETWEEN:
        return ""
    return "expired" if kind in _EXPIRED else "spent" if kind in _SPENT else "issued"
