"""Capture what is held on a card, or a part of it; cancel a payment, and release what is held."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from payments.intents import deeds, states
from payments.intents.models import PaymentIntent
from payments.story.queries import find
from payments.web.dashboard import amounts, standing, words
from security.web.desk import Desk, desk_page


class CaptureForm(forms.Form):
    """How much is taken, and whether the rest is released."""

    amount = amounts.AmountField(label=gettext_lazy("Amount"))
    keeps_rest = forms.BooleanField(label=gettext_lazy("Keep the rest held, to be taken later"), required=False)

    def __init__(self, data: Any, *, currency: str, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="capture_%s")
        amount = self.fields["amount"]
        assert isinstance(amount, amounts.AmountField), "the amount is an amount"
        amount.currency = currency


class CancelForm(forms.Form):
    """Why it is given up."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        required=False,
        choices=[("", gettext_lazy("None")), *((name, words.REASONS[name]) for name in words.CANCEL_REASONS)],
        widget=forms.Select(attrs={"class": "input"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("payment.capture")
def capture(request: HttpRequest, desk: Desk, payment: str) -> HttpResponse:
    """The form, and the capture."""
    intent = _find(desk, payment)
    initial = {"amount": amounts.plain_text(intent.capturable_minor, intent.currency)}
    is_sent = request.method == "POST"
    form = CaptureForm(request.POST if is_sent else None, currency=intent.currency, initial=initial)
    context = {"form": form, "intent": intent, "payment_id": payment, "token": standing.new_token()}
    if not is_sent:
        is_held = intent.status == states.REQUIRES_CAPTURE
        return desk.render(request, "payments/capture.html", {**context, "is_held": is_held})
    context |= {"token": standing.token(request), "is_held": True}
    if not form.is_valid():
        return desk.render(request, "payments/capture.html", context, status=400)
    if not form.cleaned_data["amount"]:
        form.add_error("amount", _("Enter an amount."))
        return desk.render(request, "payments/capture.html", context, status=400)
    try:
        deeds.capture(
            intent_id=intent.pk,
            amount_minor=form.cleaned_data["amount"],
            is_final=not form.cleaned_data["keeps_rest"],
            token=standing.token(request),
            hand=standing.hand(desk),
        )
    except PlatformError as refused:
        form.add_error(None, words.refused(refused))
        return desk.render(request, "payments/capture.html", context, status=400)
    if _find(desk, payment).status == states.PROCESSING:
        messages.info(request, _("The capture is on its way; the card's bank has yet to confirm it."))
    else:
        messages.success(request, _("The amount was taken."))
    return HttpResponseRedirect(desk.url("payment", payment=payment))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("payment.cancel")
def cancel(request: HttpRequest, desk: Desk, payment: str) -> HttpResponse:
    """The form, and the cancellation."""
    intent = _find(desk, payment)
    is_sent = request.method == "POST"
    form = CancelForm(request.POST if is_sent else None, auto_id="cancel_%s")
    context = {
        "form": form,
        "intent": intent,
        "payment_id": payment,
        "token": standing.new_token(),
        "may_be_canceled": intent.status in states.CANCELABLE,
    }
    if not is_sent:
        return desk.render(request, "payments/cancel.html", context)
    context |= {"token": standing.token(request), "may_be_canceled": True}
    if not form.is_valid():
        return desk.render(request, "payments/cancel.html", context, status=400)
    try:
        deeds.cancel(
            intent_id=intent.pk,
            reason=form.cleaned_data["reason"] or None,
            token=standing.token(request),
            hand=standing.hand(desk),
        )
    except PlatformError as refused:
        form.add_error(None, words.refused(refused))
        return desk.render(request, "payments/cancel.html", context, status=400)
    if _find(desk, payment).status == states.CANCELED:
        messages.success(request, _("The payment was canceled."))
    else:
        messages.info(request, _("The cancellation is on its way; the card's bank has yet to confirm it."))
    return HttpResponseRedirect(desk.url("payment", payment=payment))


def _find(desk: Desk, payment: str) -> PaymentIntent:
    intent_id: UUID = standing.object_id("pi", payment)
    with tenancy.within(desk.book.pk):
        intent = find(intent_id)
    if intent is None:
        raise Http404(ids.show("pi", intent_id))
    return intent
