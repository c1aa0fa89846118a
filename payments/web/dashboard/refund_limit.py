"""What staff may refund alone: the owner's word, with a factor."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from payments.web.dashboard import amounts
from security.authentication.step_up import Binding
from security.merchants import profile
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up


class LimitForm(forms.Form):
    above = amounts.AmountField(
        label=gettext_lazy("A person refunds alone up to"),
        required=False,
        help_text=gettext_lazy("Of one payment, all its refunds together. Empty: any amount. 0: nothing."),
    )

    def __init__(self, *args: Any, currency: str, **options: Any) -> None:
        super().__init__(*args, **options)
        amount = self.fields["above"]
        assert isinstance(amount, amounts.AmountField), "the limit is an amount"
        amount.currency = currency


def _form(request: HttpRequest, desk: Desk) -> LimitForm:
    currency, limit = desk.merchant.default_currency, desk.merchant.refund_alone_max_minor
    shown = "" if limit is None else amounts.plain_text(limit, currency)
    # What the form said stands in the address, so that a factor on the way loses nothing.
    return LimitForm(request.GET if "above" in request.GET else None, currency=currency, initial={"above": shown})


def _binds(request: HttpRequest, desk: Desk) -> Binding | None:
    form = _form(request, desk)
    if not form.is_valid():
        return None
    return Binding(
        object_id=ids.show("mer", desk.merchant.pk),
        amount_minor=form.cleaned_data["above"],
        currency=desk.merchant.default_currency.lower(),
        what=_said(form.cleaned_data["above"], desk),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("merchant.edit")
@step_up("merchant.edit", binds=_binds)
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The limit, then what is about to be set, then done."""
    form = _form(request, desk)
    if not form.is_valid():
        return desk.render(request, "settings/refunds.html", {"form": form}, status=400 if form.is_bound else 200)
    limit = form.cleaned_data["above"]
    if request.method != "POST":
        return desk.render(request, "settings/refunds_confirm.html", {"what": _said(limit, desk)})
    with tenancy.within(desk.book.pk):
        profile.limit_refunds(merchant_id=desk.merchant.pk, alone_max_minor=limit)
        note(desk, "merchant.refund_limit", ids.show("mer", desk.merchant.pk), alone_max_minor=limit)
    messages.success(request, _("The settings were changed."))
    return HttpResponseRedirect(desk.url("settings"))


def _said(limit: int | None, desk: Desk) -> str:
    if limit is None:
        return _("Staff refund any amount alone")
    amount = Money(limit, desk.merchant.default_currency).text(locale())
    return _("Refunds above %(amount)s of a payment need a second person") % {"amount": amount}
