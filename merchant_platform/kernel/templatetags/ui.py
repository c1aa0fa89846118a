"""Template tags for what every page shows: amounts, times, states, icons.

Amounts and times go through here alone, so that each language writes them its own way
and no template does sums.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

from merchant_platform.kernel.money import Money, to_type

register = template.Library()

KINDS = frozenset({"success", "danger", "warning", "info", "neutral"})
SPRITE = "vendor/icons/sprite.svg"
# Day and time as lists show them, and in full as a receipt does (CLDR patterns).
MOMENTS = {
    "short": "MM-dd HH:mm",
    "full": "yyyy-MM-dd HH:mm:ss",
    "clock": "HH:mm",
    "day": "yyyy-MM-dd",
    "month": "yyyy-MM",
}

# What a browser says of itself -> what people call it. The first that fits counts: many claim to be those below them.
BROWSERS = {
    "MicroMessenger/": "WeChat",
    "AlipayClient/": "Alipay",
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "HarmonyOS": "HarmonyOS",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def locale() -> str:
    """CLDR's name of the language that a page is answered in: `zh_Hans`."""
    return to_locale(get_language() or "en")


@register.simple_tag
def money(amount_minor: int, currency: str) -> SafeString:
    """An amount of minor units for a person: digits of one width, U+2212 as the minus."""
    return format_html('<span class="amount">{}</span>', money_text(amount_minor, currency))


@register.simple_tag
def money_text(amount_minor: int, currency: str) -> str:
    """The same as text alone, for the middle of a translated sentence: `{% money_text … as shown %}`."""
    return Money(amount_minor, currency).text(locale())


@register.simple_tag
def typed(amount_minor: int, currency: str) -> str:
    """An amount as a person types it into a field."""
    return to_type(amount_minor, currency)


@register.simple_tag
def at(moment: datetime, zone: ZoneInfo, form: str = "short") -> SafeString:
    """A time in a zone, mostly the merchant's: `short` day and time, `full`, `clock`, `day`, `month`."""
    shown = format_datetime(moment, MOMENTS[form], tzinfo=zone, locale=locale())
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), shown)


@register.simple_tag
def badge(kind: str, word: str) -> SafeString:
    """A state as a word on a colour, never as a colour alone. Raises ValueError for a kind that has no colour."""
    if kind not in KINDS:
        raise ValueError(f"no badge is {kind}")
    return format_html('<span class="badge badge-{}">{}</span>', kind, word)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A picture beside words that say the same; a screen reader passes it by."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', static(SPRITE), name
    )


@register.filter
def device(user_agent: str) -> str:
    """What a person calls a browser and what it runs on: `Chrome · Android`. One that nobody knows says it itself."""
    known = [next((name for mark, name in each.items() if mark in user_agent), "") for each in (BROWSERS, SYSTEMS)]
    return " · ".join(filter(None, known)) or user_agent or "–"


@register.inclusion_tag("parts/copy.html")
def copy_button(text: str, name: str) -> dict[str, str]:
    """A button that copies a text; `name` says what is copied. Shown where a program may write the clipboard."""
    return {"text": text, "name": name}


@register.simple_tag(takes_context=True)
def theme_color(context: dict[str, Any], light: str, dark: str) -> SafeString:
    """The colour of the browser's own bar, by the chosen theme, else by the system's preference."""
    theme = context.get("theme")
    if theme:
        return format_html('<meta name="theme-color" content="{}">', dark if theme == "dark" else light)
    return format_html(
        '<meta name="theme-color" content="{}" media="(prefers-color-scheme: light)">'
        '<meta name="theme-color" content="{}" media="(prefers-color-scheme: dark)">',
        light,
        dark,
    )
