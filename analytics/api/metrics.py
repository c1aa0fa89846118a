"""/v1/metrics: the catalogue, and one metric of a period; the same names and numbers as the dashboard's."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils import translation

from analytics.facts import queries as facts
from analytics.facts.cubes import ATTEMPTS
from analytics.facts.models import NO_STORE
from analytics.facts.queries import Stretch
from analytics.insights.metrics import METRICS, MONEY, Metric
from analytics.insights.periods import DAYS_MAX, Period
from analytics.insights.queries import of_both
from merchant_platform.kernel import ids
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import Boolean, Currency, Id, InvalidParameter, Params, UpTo
from security.merchants.models import Merchant

DEFAULT_DAYS = 28
_CURRENT = 0
_EARLIEST = date(2000, 1, 1)
Day = Annotated[str, UpTo(10)]
By = Literal["day", "hour", "store", "category", "method", "brand", "outcome", "reason"]


class AskMetric(Params):
    metric: Annotated[str, UpTo(50)]
    # Days of the merchant's, both included; without them the last 28.
    since: Day | None = None
    until: Day | None = None
    by: By | None = None
    currency: Currency | None = None
    store: Id | None = None
    category: Annotated[str, UpTo(100)] | None = None
    method: Annotated[str, UpTo(50)] | None = None
    compare: Boolean = False


@endpoint(permission="metrics:read", returns="metric_catalogue")
def catalogue(call: Call) -> dict[str, Any]:
    """List every metric: what it is, its unit, and what it can be kept apart by"""
    return {
        "object": "metric_catalogue",
        "livemode": call.caller.livemode,
        "metrics": [render(metric) for metric in METRICS.values()],
    }


@endpoint(permission="metrics:read", params=AskMetric, returns="metric_report")
def query(call: Call) -> dict[str, Any]:
    """Ask for a metric of a period, exact at this moment"""
    asked = call.params
    metric = METRICS.get(asked.metric)
    if metric is None:
        raise InvalidParameter(f"There is no metric '{asked.metric}'.", param="metric")
    if asked.by not in (None, "day", "hour", *metric.by):
        raise InvalidParameter(f"{metric.name} is not kept apart by {asked.by}.", param="by")
    merchant = Merchant.objects.get(pk=call.caller.merchant_id)
    period = _period(asked, merchant, call.now)
    currency = asked.currency or merchant.default_currency
    where = {"currency": currency, **_where(asked, metric)}
    total, values, before = _values(metric, period, by=asked.by, where=where)
    return {
        "object": "metric_report",
        "by": asked.by,
        "compared_with": {
            "since": period.before.first.isoformat(),
            "until": period.before.last.isoformat(),
            "value": before,
        }
        if asked.compare
        else None,
        "currency": currency.lower(),
        "livemode": call.caller.livemode,
        "metric": metric.name,
        "since": period.first.isoformat(),
        "time_zone": merchant.time_zone,
        "unit": metric.unit,
        "until": period.last.isoformat(),
        "value": total,
        "values": [{"key": key, "value": value} for key, value in values.items()] if asked.by else None,
    }


def render(metric: Metric) -> dict[str, Any]:
    """A metric as the API shows it, in both languages: an API has no reader whose language is known."""
    said = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            said[language] = str(metric.title), str(metric.definition)
    return {
        "object": "metric",
        "by": ["day", "hour", *metric.by],
        "definition": {language: words for language, (_title, words) in said.items()},
        "has_currency": metric.unit == MONEY,
        "name": metric.name,
        "source": metric.source,
        "title": {language: title for language, (title, _words) in said.items()},
        "unit": metric.unit,
    }


def _period(asked: AskMetric, merchant: Merchant, now: datetime) -> Period:
    if asked.since is None and asked.until is None:
        return Period.of_days(DEFAULT_DAYS, zone=merchant.zone, now=now)
    today = now.astimezone(merchant.zone).date()
    until = _day(asked.until, "until") or today
    since = _day(asked.since, "since")
    if since is None:
        raise InvalidParameter("A period that ends has to begin: pass since.", param="since")
    if not _EARLIEST <= since <= until:
        raise InvalidParameter("The first day comes before the last.", param="since")
    if until > today:
        raise InvalidParameter("The last day is today at the latest.", param="until")
    if (until - since).days >= DAYS_MAX:
        raise InvalidParameter(f"A period has {DAYS_MAX} days at most.", param="since")
    return Period(since, until, merchant.zone, now)


def _day(text: str | None, param: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if text else None  # noqa: DTZ007  (a day has no zone)
    except ValueError as error:
        raise InvalidParameter("Write a day as YYYY-MM-DD.", param=param) from error


def _where(asked: AskMetric, metric: Metric) -> Mapping[str, Any]:
    where: dict[str, Any] = {}
    for name in ("store", "category", "method"):
        given = getattr(asked, name)
        if given is None:
            continue
        if name not in metric.by:
            raise InvalidParameter(f"{metric.name} is not kept apart by {name}.", param=name)
        where[metric.by[name]] = _store_id(given) if name == "store" else given
    return where


def _store_id(text: str) -> UUID:
    try:
        return ids.parse("sto", text)
    except ids.MalformedId as error:
        raise InvalidParameter(f"No such store: '{text[:100]}'", code="resource_missing", param="store") from error


def _values(
    metric: Metric, period: Period, *, by: str | None, where: Mapping[str, Any]
) -> tuple[int | None, Mapping[Any, int | None], int | None]:
    """The metric in all, by key, and that of the period before. One statement."""
    days = list(of_both(period))
    stretches = [Stretch(number, day.since, day.until, day.day) for number, day in enumerate(days)]
    dimensions = [metric.by[by]] if by is not None and by in metric.by else []
    if metric.cube is ATTEMPTS and "outcome" not in dimensions:
        dimensions.append("outcome")
    rows = facts.ask(metric.cube, stretches, zone=period.zone.key, by=dimensions, where=where, is_hourly=by == "hour")
    sums: dict[Any, Counter[str]] = defaultdict(Counter)
    total, before = Counter[str](), Counter[str]()
    if by == "day":
        sums |= {day.isoformat(): Counter() for day in period.dates}
    for row in rows:
        measures = _measures(metric, row)
        if days[row["number"]].number != _CURRENT:
            before.update(measures)
            continue
        total.update(measures)
        if by:
            sums[_key(metric, row, by, period)].update(measures)
    values = {key: metric.of(_complete(metric, counted)) for key, counted in sums.items()}
    return metric.of(_complete(metric, total)), values, metric.of(_complete(metric, before))


def _measures(metric: Metric, row: Mapping[str, Any]) -> Mapping[str, int]:
    if metric.cube is ATTEMPTS:
        return {row["outcome"]: row["attempts_count"]}
    return {name: row[name] for name in metric.cube.measures}


def _complete(metric: Metric, counted: Counter[str]) -> Mapping[str, int]:
    return {**dict.fromkeys(metric.cube.measures, 0), **counted}


def _key(metric: Metric, row: Mapping[str, Any], by: str, period: Period) -> Any:
    if by == "day":
        return date.fromordinal(period.first.toordinal() + row["number"]).isoformat()
    if by == "hour":
        return f"{row['weekday']}T{row['hour']:02}"
    value = row[metric.by[by]]
    if by == "store":
        return None if value == NO_STORE else ids.show("sto", value)
    return value or None


urlpatterns = [door("metrics", GET=catalogue), door("metrics/query", GET=query)]
