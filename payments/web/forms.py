"""What a payer types on the checkout page."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from security.vault.cards import CardUnusable, ClearCard, brand_of


def _digits(label: Any, *, missing: Any, length_max: int, fills: str, placeholder: str) -> forms.CharField:
    """A row of digits, for which a phone shows its number pad; `fills` says to a browser what it may fill in."""
    shown = {"autocomplete": fills, "class": "input input-digits", "inputmode": "numeric", "placeholder": placeholder}
    return forms.CharField(
        label=label,
        max_length=length_max,
        error_messages={"required": missing},
        widget=forms.TextInput(attrs=shown),
    )


class SignIn(forms.Form):
    """A consumer's own login."""

    email = forms.EmailField(
        label=_("E-mail address of your wallet"),
        max_length=320,
        error_messages={"required": _("Enter your e-mail address."), "invalid": _("This is no e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "class": "input"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "input"}),
    )


class Card(forms.Form):
    """What stands on a card. A form with a mistake comes back without the number and the code: they are typed anew."""

    number = _digits(
        _("Card number"),
        missing=_("Enter the card number."),
        length_max=30,
        fills="cc-number",
        placeholder="0000 0000 0000 0000",
    )
    expiry = _digits(
        _("Expiry (MM / YY)"), missing=_("Enter the expiry date."), length_max=9, fills="cc-exp", placeholder="00 / 00"
    )
    cvc = _digits(
        _("Security code"), missing=_("Enter the security code."), length_max=4, fills="cc-csc", placeholder="000"
    )
    name = forms.CharField(
        label=_("Name on the card"),
        max_length=200,
        error_messages={"required": _("Enter the name on the card.")},
        widget=forms.TextInput(attrs={"autocomplete": "cc-name", "class": "input"}),
    )

    def clean_number(self) -> str:
        digits = re.sub(r"[\s-]", "", self.cleaned_data["number"])
        try:
            brand_of(digits)
        except CardUnusable as unusable:
            raise ValidationError(_("This card number is not a valid one. Check its digits.")) from unusable
        return digits

    def clean_expiry(self) -> tuple[int, int]:
        found = re.fullmatch(r"(0?[1-9]|1[0-2])\s*[/-]?\s*((?:20)?[0-9]{2})", self.cleaned_data["expiry"].strip())
        if found is None:
            raise ValidationError(_("Write month and year, such as 09 / 28."))
        return int(found[1]), int(found[2])

    def clean_cvc(self) -> str:
        cvc = self.cleaned_data["cvc"]
        if not re.fullmatch(r"[0-9]{3,4}", cvc):
            raise ValidationError(_("The security code has three or four digits."))
        return cvc

    def card(self) -> ClearCard:
        """The card of a valid form."""
        month, year = self.cleaned_data["expiry"]
        return ClearCard(
            number=self.cleaned_data["number"], exp_month=month, exp_year=year, holder=self.cleaned_data["name"]
        )

    def emptied(self) -> "Card":
        """The same form with its mistakes, and nothing of the card in it but the name."""
        self.data = {"name": self.data.get("name", "")}
        return self
