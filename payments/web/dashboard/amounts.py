"""Amounts as people type them: `12.50` of a currency, to whole minor units."""

import re
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from merchant_platform.kernel import money

TEXT_MAX = 24


def read(text: str, currency: str) -> int:
    """Minor units of a typed amount. Raises ValidationError with a sentence that says how to mend it."""
    plain = text.strip().replace(",", "").replace("，", "").replace(" ", "")
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,6})?", plain):
        raise ValidationError(_("Write a number, such as 12.50."), code="amount")
    minor = Decimal(plain).scaleb(money.exponent(currency))
    if minor != minor.to_integral_value() or int(minor) % money.step(currency):
        least = plain_text(money.step(currency), currency)
        raise ValidationError(
            _("%(currency)s is paid in steps of %(step)s."), code="step", params={"currency": currency, "step": least}
        )
    if minor > money.AMOUNT_MAX:
        raise ValidationError(_("That is more than can be paid."), code="amount")
    return int(minor)


def plain(amount_minor: int, currency: str) -> Decimal:
    """An amount as a number with its currency's decimals: what a spreadsheet adds up."""
    return Decimal(amount_minor).scaleb(-money.exponent(currency))


def plain_text(amount_minor: int, currency: str) -> str:
    """The same as a text, for a field."""
    return format(plain(amount_minor, currency), "f")


class AmountField(forms.CharField):
    """An amount of the currency that its form names in `currency`."""

    def __init__(self, *, currency: str = "", **options: object) -> None:
        self.currency = currency
        options.setdefault("max_length", TEXT_MAX)
        options.setdefault("error_messages", {"required": gettext_lazy("Enter an amount.")})
        options.setdefault(
            "widget", forms.TextInput(attrs={"class": "input", "inputmode": "decimal", "autocomplete": "off"})
        )
        super().__init__(**options)  # type: ignore[arg-type]

    def clean(self, value: str) -> int | None:
        text = super().clean(value)
        return read(text, self.currency) if text else None
