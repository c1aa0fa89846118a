"""What staff may say of an endpoint."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel.events import router
from payments.webhooks import addresses
from payments.webhooks import operations as webhooks

LOCAL_TIMES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class EndpointForm(forms.Form):
    """Where to send, and what. `once` makes a form that is sent twice one endpoint."""

    url = forms.CharField(
        label=_("Address"),
        max_length=addresses.URL_LENGTH_MAX,
        widget=forms.URLInput(
            attrs={"class": "input", "placeholder": "https://example.com/webhooks", "autocomplete": "off"}
        ),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    hears = forms.ChoiceField(choices=[("all", "all"), ("some", "some")], initial="all")
    types = forms.MultipleChoiceField(choices=lambda: [(name, name) for name in router.public_types()], required=False)
    once = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("hears") == "some" and not said.get("types") and "types" not in self.errors:
            self.add_error("types", _("Choose at least one type, or all of them."))
        return said

    @property
    def fields_given(self) -> dict[str, Any]:
        """What the operation is told."""
        said = self.cleaned_data
        return {
            "url": said["url"],
            "description": said["description"] or None,
            "enabled_events": [webhooks.EVERY] if said["hears"] == "all" else said["types"],
        }

    @property
    def hears_all(self) -> bool:
        return self["hears"].value() != "some"

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, bool]]]]:
        """Every type, by the object that it is about, and whether it is ticked."""
        ticked = set(self["types"].value() or ())
        found: dict[str, list[tuple[str, bool]]] = {}
        for name in router.public_types():
            found.setdefault(name.rpartition(".")[0], []).append((name, name in ticked))
        return list(found.items())


class BackfillForm(forms.Form):
    """Which events to send again: a range of the book's time."""

    since = forms.DateTimeField(
        label=_("Since"),
        input_formats=LOCAL_TIMES,
        widget=forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    before = forms.DateTimeField(
        label=_("Until"),
        input_formats=LOCAL_TIMES,
        widget=forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    includes_succeeded = forms.BooleanField(label=_("Also those that arrived"), required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "since" in said and "before" in said and said["before"] <= said["since"]:
            raise forms.ValidationError(_("The range ends before it begins."))
        return said
