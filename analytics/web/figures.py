"""Numbers as people read them, and how they changed: what Home and the sales page have in common."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache

from babel.dates import get_day_names
from babel.numbers import format_decimal, format_percent, get_group_symbol
from django.utils.translation import gettext as _

from analytics.insights.periods import Period
from merchant_platform.kernel.templatetags.ui import locale

UP, DOWN, LEVEL = "up", "down", "level"
# Beyond a tenfold a percentage says nothing any more: there was next to nothing before.
_GREAT, _GREAT_TEXT = 10, "1,000%"


def number(count: int) -> str:
    """A count as the language writes it."""
    return f"{count:,}".replace(",", _group(locale()))


def dated(day: date) -> str:
    """A day with its weekday, as a table of days names it."""
    return f"{day.isoformat()} {_weekdays(locale())[day.weekday()]}"


@cache
def _group(language: str) -> str:
    return get_group_symbol(language)


@cache
def _weekdays(language: str) -> Mapping[int, str]:
    return get_day_names("abbreviated", locale=language)


def percent(ppm: int | None) -> str:
    """Parts of a million as a percentage."""
    return "—" if ppm is None else format_percent(Decimal(ppm).scaleb(-6), "#,##0.0%", locale=locale())


def growth(current: int | None, before: int | None) -> tuple[str, str]:
    """How much more or less, as a share of what was before, and the direction."""
    if current is None or not before:
        return "", LEVEL
    share = Decimal(current - before) / abs(before)
    if share >= _GREAT:
        return f">{_GREAT_TEXT}", UP
    shown = format_percent(abs(share), "#,##0.0%", locale=locale())
    return _signed(shown, current - before), _direction(current - before)


def shift(current: int | None, before: int | None) -> tuple[str, str]:
    """How many percentage points more or less, and the direction."""
    if current is None or before is None:
        return "", LEVEL
    points = Decimal(current - before).scaleb(-4)
    shown = format_decimal(abs(points), "#,##0.0", locale=locale())
    return _signed(_("%(points)s pp") % {"points": shown}, current - before), _direction(current - before)


def compared(period: Period) -> str:
    """What the period is compared with, in words."""
    before = period.before
    dates = {"first": before.first.isoformat(), "last": before.last.isoformat()}
    if period.days == 1:
        told = _("Compared with %(first)s.") if period.is_over else _("Compared with %(first)s, up to this hour.")
        return told % dates
    if period.is_over:
        return _("Compared with %(first)s to %(last)s.") % dates
    return _("Compared with %(first)s to %(last)s, the last day up to this hour.") % dates


def _signed(text: str, amount: int) -> str:
    return {1: "+", -1: "\u2212"}.get((amount > 0) - (amount < 0), "±") + text


def _direction(amount: int) -> str:
    return UP if amount > 0 else DOWN if amount < 0 else LEVEL
