"""/operator/suppressions: addresses that nothing is sent to any more, looked up by typing one, and lifted.

The list holds hashes, so it shows nobody's address. It is the platform's, over all merchants:
what one merchant's mail met stops the others' too, so operators alone see it and lift.
"""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import ids
from security.audit import operations as audit
from security.authentication import phones
from security.messaging import operations as messaging
from security.messaging.models import EMAIL, SMS, Suppression
from security.web import lists
from security.web.operators import Operator, operator_page

ADDRESS_LENGTH_MAX, REASON_LENGTH_MAX = 254, 200
CHANNELS: dict[str, Any] = {EMAIL: gettext_lazy("E-mail"), SMS: gettext_lazy("SMS")}


class AddressForm(django_forms.Form):
    """An address as somebody says it; sent as a form, so that it stands in no address bar and no log."""

    address = django_forms.CharField(
        label=gettext_lazy("E-mail address or mobile number"),
        max_length=ADDRESS_LENGTH_MAX,
        error_messages={"required": gettext_lazy("Write an e-mail address or a mobile number.")},
        widget=django_forms.TextInput(attrs={"class": "input", "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        said = cleaned.get("address", "")
        cleaned["channel"] = EMAIL if "@" in said else SMS
        if said and cleaned["channel"] == SMS:
            try:
                cleaned["address"] = phones.read(said)
            except phones.NumberInvalid:
                self.add_error("address", _("This is neither an e-mail address nor a mobile number."))
        return cleaned


class LiftForm(django_forms.Form):
    reason = django_forms.CharField(
        label=gettext_lazy("Why messages may go there again"),
        max_length=REASON_LENGTH_MAX,
        help_text=gettext_lazy("It is kept in the audit log. Name nobody."),
        error_messages={"required": gettext_lazy("Say why.")},
        widget=django_forms.TextInput(attrs={"class": "input"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@operator_page("suppression.lift")
def index(request: HttpRequest, operator: Operator) -> HttpResponse:
    """The list, newest first: one statement. A typed address leads to its entry."""
    form = AddressForm(request.POST or None)
    is_asked = request.method == "POST" and form.is_valid()
    if is_asked:
        said = form.cleaned_data
        found = messaging.suppression_of(channel=said["channel"], address=said["address"])
        if found is not None:
            return HttpResponseRedirect(_url(found), status=303)
    page = lists.page(Suppression.objects.all(), request, prefix=Suppression.id_prefix)
    context = {
        "form": form,
        "is_free": is_asked,
        "rows": [(each, CHANNELS[each.channel], _url(each)) for each in page.rows],
        "ways": page.ways,
    }
    return operator.render(request, "operator/suppressions.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_page("suppression.lift")
def show(request: HttpRequest, operator: Operator, suppression: str) -> HttpResponse:
    """One entry; with a reason it is lifted, once."""
    found = _find(suppression)
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            if messaging.lift(identifier=found.pk, now=operator.now):
                audit.record(
                    actor=operator.actor,
                    action="suppression.lift",
                    object_id=suppression,
                    detail={"channel": found.channel, "reason": form.cleaned_data["reason"]},
                    book_id=None,
                    merchant_id=None,
                )
        messages.success(request, _("Messages go to this address again."))
        return HttpResponseRedirect(_url(found), status=303)
    context = {"row": found, "channel": CHANNELS[found.channel], "form": form}
    return operator.render(request, "operator/suppression.html", context, status=400 if form.errors else 200)


def _find(shown: str) -> Suppression:
    try:
        return Suppression.objects.get(pk=ids.parse(Suppression.id_prefix, shown))
    except (ids.MalformedId, Suppression.DoesNotExist) as missing:
        raise Http404 from missing


def _url(row: Suppression) -> str:
    return reverse("operator_suppression", kwargs={"suppression": ids.show(Suppression.id_prefix, row.pk)})
