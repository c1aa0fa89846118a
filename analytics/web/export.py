"""A chart's numbers as a CSV file: the rows of its table, amounts as plain decimals."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.insights.periods import Period
from analytics.web.overview import Overview
from merchant_platform.kernel import cells


def _volume(shown: Overview) -> Iterable[Sequence[Any]]:
    yield _("Day"), _("Volume"), pgettext("how many", "Payments"), _("Day before"), _("Volume before"), _("Currency")
    for day in shown.days:
        yield (
            day.day.isoformat(),
            _decimal(day.volume_minor, shown),
            day.payments,
            day.before.isoformat(),
            _decimal(day.before_minor, shown),
            shown.currency,
        )


def _hours(shown: Overview) -> Iterable[Sequence[Any]]:
    yield _("Weekday"), _("Hour"), pgettext("how many", "Payments")
    for weekday in shown.weekdays:
        for hour, count in enumerate(weekday.counts):
            yield weekday.name, hour, count


def _methods(shown: Overview) -> Iterable[Sequence[Any]]:
    yield _("Method"), _("Brand"), pgettext("how many", "Payments"), _("Volume"), _("Currency")
    for way in shown.ways:
        yield way.name, way.brand, way.payments, _decimal(way.volume_minor, shown), shown.currency


CHARTS: dict[str, Callable[[Overview], Iterable[Sequence[Any]]]] = {
    "volume": _volume,
    "hours": _hours,
    "methods": _methods,
}


def file(chart: str, shown: Overview, period: Period) -> HttpResponse:
    """The file of a chart. The mark at its beginning tells spreadsheets that it is UTF-8."""
    response = HttpResponse(cells.BYTE_ORDER_MARK, content_type="text/csv; charset=utf-8")
    name = f"{chart}-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response.writelines(cells.line(row) for row in CHARTS[chart](shown))
    return response


def _decimal(amount_minor: int, shown: Overview) -> Decimal:
    return Decimal(amount_minor).scaleb(-shown.exponent)
