"""What staff type about a customer."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from payments.customers.models import Customer
from payments.web.dashboard import metadata
from security.web.forms import DeskForm

ADDRESS = ("line1", "line2", "city", "state", "postal_code", "country")
_PLAIN = ("name", "email", "phone", "description")


class CustomerForm(DeskForm):
    """A customer's profile. The lengths are the API's."""

    name = forms.CharField(label=pgettext_lazy("of a person", "Name"), max_length=256, required=False)
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=320,
        required=False,
        error_messages={"invalid": _("This is no e-mail address.")},
    )
    phone = forms.CharField(
        label=_("Telephone"), max_length=30, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=5000,
        required=False,
        help_text=_("For you alone; the customer does not see it."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    line1 = forms.CharField(label=_("Street and number"), max_length=200, required=False)
    line2 = forms.CharField(label=_("Building, floor, room"), max_length=200, required=False)
    city = forms.CharField(label=_("City"), max_length=100, required=False)
    state = forms.CharField(label=_("Province or state"), max_length=100, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    country = forms.RegexField(
        r"^[A-Za-z]{2}$",
        label=_("Country"),
        required=False,
        help_text=_("Two letters, such as CN."),
        error_messages={"invalid": _("Two letters, such as CN.")},
        widget=forms.TextInput(attrs={"maxlength": 2}),
    )

    def __init__(self, *args: Any, customer: Customer | None = None, **options: Any) -> None:
        self.present: Mapping[str, str] = customer.metadata if customer else {}
        if customer is not None:
            address = customer.address or {}
            options["initial"] = {name: getattr(customer, name) or "" for name in _PLAIN} | {
                name: address.get(name) or "" for name in ADDRESS
            }
        super().__init__(*args, **options)
        self.pairs = metadata.typed(self.data) if self.is_bound else metadata.rows(self.present)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not (cleaned.get("name") or cleaned.get("email") or cleaned.get("phone")) and not set(self.errors):
            self.add_error("name", _("Give a name, an e-mail address or a telephone number."))
        try:
            cleaned["metadata"] = metadata.change(self.present, self.pairs)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned

    def columns(self) -> dict[str, Any]:
        """The customer's columns of a valid form."""
        given = self.cleaned_data
        address = {name: given[name] or None for name in ADDRESS}
        if address["country"]:
            address["country"] = address["country"].upper()
        return {
            **{name: given[name] or None for name in _PLAIN},
            "address": address if any(address.values()) else None,
            "metadata": given["metadata"],
        }
