"""A chart's numbers as a CSV file: the rows of its table, amounts as plain decimals."""

import csv
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from analytics.insights.periods import Period
from analytics.web.overview import Overview

# Spreadsheets take what begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    name = f"{chart}-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    for row in CHARTS[chart](shown):
        writer.writerow([_safe(cell) for cell in row])
    return response


def _decimal(amount_minor: int, shown: Overview) -> str:
    return str(Decimal(amount_minor).scaleb(-shown.exponent))


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
