"""What a payer types on the checkout page."""

import re
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import ids, money
from payments.checkout.splitting import CODE_LENGTH_MAX
from security.vault.cards import CardUnusable, ClearCard, brand_of

# The version of a wording that a payer says yes to.
WORDING_MAX = 100


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


class StoredValueCard(forms.Form):
    """What is printed on a gift card or a stored-value card. A form with a mistake comes back without its PIN."""

    number = _digits(
        _("Number of the card"),
        missing=_("Enter the number of the card."),
        length_max=30,
        fills="off",
        placeholder="9800 0000 0000 0000",
    )
    pin = _digits(_("PIN"), missing=_("Enter the PIN."), length_max=6, fills="off", placeholder="000000")

    def __init__(self, data: Any = None) -> None:
        # The form of bank cards stands on the same page, and has a number too.
        super().__init__(data, auto_id="id_stored_%s")

    def emptied(self) -> "StoredValueCard":
        """The same form with its mistakes, and no PIN in it."""
        self.data = {"number": self.data.get("number", "")[:30]}
        return self


class TenderPart(forms.Form):
    """How much of something is used; nothing typed is all that helps. Or a tender to do without."""

    source = forms.CharField(max_length=100, required=False)
    amount = forms.CharField(max_length=20, required=False)
    drop = forms.CharField(max_length=40, required=False)

    def __init__(self, data: Any, *, currency: str) -> None:
        super().__init__(data)
        self.currency = currency

    def clean_source(self) -> tuple[str, UUID] | None:
        method, _colon, source = self.cleaned_data["source"].partition(":")
        try:
            return (method, UUID(source)) if source else None
        except ValueError as error:
            raise ValidationError(_("This cannot be used here.")) from error

    def clean_drop(self) -> UUID | None:
        try:
            return ids.parse("tnd", self.cleaned_data["drop"]) if self.cleaned_data["drop"] else None
        except ids.MalformedId as error:
            raise ValidationError(_("This cannot be used here.")) from error

    def clean_amount(self) -> int | None:
        text = self.cleaned_data["amount"].strip()
        try:
            return money.typed(text, self.currency) if text else None
        except money.NotAnAmount as error:
            raise ValidationError(_("Write an amount, such as 12.50.")) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors and not given.get("source") and not given.get("drop"):
            raise ValidationError(_("This cannot be used here."))
        return given


class DiscountCode(forms.Form):
    """A code of an offer, or one to do without."""

    code = forms.CharField(
        label=_("Discount code"),
        max_length=CODE_LENGTH_MAX,
        required=False,
        widget=forms.TextInput(
            attrs={"autocapitalize": "characters", "autocomplete": "off", "class": "input", "required": True}
        ),
    )
    forget = forms.CharField(max_length=CODE_LENGTH_MAX, required=False)
