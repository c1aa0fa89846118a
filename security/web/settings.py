"""The settings of a business: what it is called, whose time it keeps, the language that it is written in."""

from typing import Any
from zoneinfo import available_timezones

from django import forms as django_forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from merchant_platform.kernel import ids
from security.audit import operations as audit
from security.merchants import profile
from security.web import forms
from security.web.desk import Desk, desk_page

# Zones that are named after a place; the others are names of old, offsets and the like.
_CONTINENTS = tuple(
    f"{name}/" for name in "Africa America Antarctica Asia Atlantic Australia Europe Indian Pacific".split()
)


def zones() -> list[tuple[str, str]]:
    """The time zones to choose from."""
    return [
        (name, name.replace("_", " ")) for name in sorted(available_timezones()) if name.startswith(_CONTINENTS)
    ] + [("UTC", "UTC")]


class ProfileForm(forms.DeskForm):
    name = django_forms.CharField(
        label=gettext_lazy("Name"), max_length=120, help_text=gettext_lazy("Customers read it when they pay.")
    )
    time_zone = django_forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Days begin and end by it, on every page and in every report."),
    )
    language = django_forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        help_text=gettext_lazy("Letters to your people are written in it."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["time_zone"].choices = zones()  # type: ignore[attr-defined]
        # They are names of places, not words of ours.
        for name in ("time_zone", "language"):
            self.fields[name].widget.attrs["translate"] = "no"


@desk_page("merchant.view")
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What is set; for the owner, the form to change it. Four statements, the desk's own."""
    merchant = desk.merchant
    may_edit = desk.may("merchant.edit")
    if request.method == "POST" and not may_edit:
        return desk.render(request, "dashboard/forbidden.html", status=403)
    form = ProfileForm(
        request.POST or None,
        initial={"name": merchant.name, "time_zone": merchant.time_zone, "language": merchant.language},
        seen=merchant.version,
    )
    if request.method == "POST" and form.is_valid():

        def change() -> str:
            given = form.cleaned_data
            profile.update(
                merchant_id=merchant.pk,
                name=given["name"],
                time_zone=given["time_zone"],
                language=given["language"],
                seen=form.seen,
            )
            audit.record(
                actor=desk.actor,
                action="merchant.edit",
                object_id=ids.show("mer", merchant.pk),
                detail={"fields": sorted(form.changed_data)},
                book_id=None,
                merchant_id=merchant.pk,
            )
            return desk.url("settings")

        if done := forms.send(request, desk, form, change, words=_("The settings were changed.")):
            return done
    form.focus_first_error()
    return desk.render(
        request,
        "settings/profile.html",
        {
            "form": form,
            "may_edit": may_edit,
            "merchant_id": ids.show("mer", merchant.pk),
            "language_name": dict(settings.LANGUAGES).get(merchant.language, merchant.language),
        },
    )
