"""Top up from a card: how much, with which card, and how it went."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.web.wallet.purse import Purse, wallet_page
from merchant_platform.kernel import ids, money
from merchant_platform.kernel.money import Money, NotAnAmount
from merchant_platform.kernel.templatetags.ui import locale
from payments.customers import operations as customers
from payments.intents import provider_road, states
from payments.top_ups import operations as top_ups
from payments.top_ups.operations import Means
from payments.wallets.models import TopUp, Wallet
from payments.web import declines
from payments.web.forms import Card
from security.vault import operations as vault

NEW_CARD = "new"
# Ready amounts, in major units.
AMOUNTS = (50, 100, 200, 500)
POLL_SECONDS = 2


class Amount(forms.Form):
    """How much, and with which card."""

    amount = forms.CharField(
        label=gettext_lazy("Amount"),
        max_length=24,
        error_messages={"required": gettext_lazy("Enter an amount.")},
        widget=forms.TextInput(attrs={"class": "input input-digits", "inputmode": "decimal", "autocomplete": "off"}),
    )
    means = forms.CharField(required=False, max_length=40)
    keeps = forms.BooleanField(required=False, label=gettext_lazy("Keep this card for the next time"))
    once = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, wallet: Wallet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wallet = wallet
        self.fields["once"].initial = uuid4

    def clean_amount(self) -> int:
        try:
            amount = money.typed(self.cleaned_data["amount"], self.wallet.currency)
        except NotAnAmount as wrong:
            raise forms.ValidationError(_("Write an amount, such as 100.00.")) from wrong
        allowed = top_ups.limits(self.wallet.currency)
        if allowed is None or not allowed.from_minor <= amount <= allowed.to_minor:
            raise forms.ValidationError(_("An amount from %(from)s to %(to)s.") % spoken(self.wallet))
        return amount


def spoken(wallet: Wallet) -> dict[str, str]:
    """The limits of a wallet's top-ups, in words."""
    allowed = top_ups.limits(wallet.currency)
    if allowed is None:
        raise Http404
    return {
        "from": Money(allowed.from_minor, wallet.currency).text(locale()),
        "to": Money(allowed.to_minor, wallet.currency).text(locale()),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@wallet_page
def form(request: HttpRequest, purse: Purse) -> HttpResponse:
    """Ask how much and with which card; begin when it is said."""
    wallet = purse.wallet(request.GET.get("wallet"))
    if request.method != "POST":
        return _page(request, purse, wallet, Amount(wallet=wallet), Card())
    amount, card = Amount(request.POST, wallet=wallet), Card(request.POST)
    # What is not asked of a kept card is not held against it.
    is_new = request.POST.get("means", NEW_CARD) == NEW_CARD
    if not amount.is_valid() or (is_new and not card.is_valid()):
        return _page(request, purse, wallet, amount, card.emptied() if is_new else Card())
    try:
        top_up = top_ups.start(
            wallet=wallet,
            amount_minor=amount.cleaned_data["amount"],
            means=_means(amount, card if is_new else None),
            token=amount.cleaned_data["once"],
            return_url=lambda shown: settings.PUBLIC_URL + purse.url("wallet_top_up_return", top_up=shown),
            now=purse.now,
        )
    except customers.CardRefused as refused:
        field = {"number": "number", "cvc": "cvc"}.get(refused.param or "", "expiry")
        card.add_error(field, str(declines.words(refused.code).what))
    except (provider_road.ProviderNotConfigured, vault.VaultOff):
        amount.add_error(None, str(declines.words("provider_not_configured").what))
    except top_ups.TooManyTopUps:
        amount.add_error(None, _("Too many tries within an hour. Wait a while, then try again."))
    else:
        return _onward(purse, top_up)
    return _page(request, purse, wallet, amount, card.emptied() if is_new else Card())


@require_safe
@wallet_page
def show(request: HttpRequest, purse: Purse, top_up: str) -> HttpResponse:
    """How a top-up stands. While the bank is silent the page asks again by itself."""
    found, wallet = _find(purse, top_up)
    if found.intent.status in (states.PROCESSING, states.REQUIRES_ACTION):
        found = top_ups.look(top_up=found, wallet=wallet, now=purse.now)
    context = {
        "current": "home",
        "top_up": found,
        "wallet": wallet,
        "shown_id": top_up,
        "stage": _stage(found),
        "decline": _decline(found),
        "poll_seconds": POLL_SECONDS,
    }
    if request.headers.get("HX-Request"):
        if context["stage"] == request.GET.get("stage"):
            return HttpResponse(status=204)
        return purse.render(request, "wallet/_top_up.html", context)
    return purse.render(request, "wallet/top_up.html", context)


@require_safe
@wallet_page
def come_back(request: HttpRequest, purse: Purse, top_up: str) -> HttpResponse:
    """The consumer comes back from the bank. What the address says counts for nothing: the provider is asked."""
    found, wallet = _find(purse, top_up)
    top_ups.look(top_up=found, wallet=wallet, now=purse.now, is_back=True)
    return HttpResponseRedirect(purse.url("wallet_top_up_shown", top_up=top_up))


@require_POST
@wallet_page
def give_up(request: HttpRequest, purse: Purse, top_up: str) -> HttpResponse:
    """The consumer does not want to go to the bank."""
    found, wallet = _find(purse, top_up)
    top_ups.give_up(top_up=found, wallet=wallet, now=purse.now)
    return HttpResponseRedirect(purse.url("wallet_top_up_shown", top_up=top_up), status=303)


@require_POST
@wallet_page
def forget_card(request: HttpRequest, purse: Purse, card: str) -> HttpResponse:
    """A card is kept no longer."""
    top_ups.forget_card(wallet=purse.wallet(None), method_id=_parse("pm", card), now=purse.now)
    return HttpResponseRedirect(purse.url("wallet_top_up"), status=303)


def _means(amount: Amount, card: Card | None) -> Means:
    if card is not None:
        return Means(card=card.card(), cvc=card.cleaned_data["cvc"], keeps_card=amount.cleaned_data["keeps"])
    return Means(method_id=_parse("pm", amount.cleaned_data["means"]))


def _parse(prefix: str, shown: str) -> UUID:
    try:
        return ids.parse(prefix, shown)
    except ids.MalformedId:
        raise Http404 from None


def _find(purse: Purse, shown: str) -> tuple[TopUp, Wallet]:
    """A top-up of any of the consumer's wallets. Raises Http404, for another's too."""
    found = top_ups.find(consumer=purse.consumer, top_up_id=_parse(TopUp.id_prefix, shown))
    return found, found.wallet


def _onward(purse: Purse, top_up: TopUp) -> HttpResponse:
    return HttpResponseRedirect(
        purse.url("wallet_top_up_shown", top_up=ids.show(TopUp.id_prefix, top_up.pk)), status=303
    )


def _stage(top_up: TopUp) -> str:
    return {
        states.SUCCEEDED: "done",
        states.PROCESSING: "waiting",
        states.REQUIRES_ACTION: "challenge",
    }.get(top_up.intent.status, "declined")


def _decline(top_up: TopUp) -> declines.Words | None:
    error = top_up.intent.last_error
    return declines.words(error.get("decline_code") or error["code"]) if error else None


def _page(request: HttpRequest, purse: Purse, wallet: Wallet, amount: Amount, card: Card) -> HttpResponse:
    kept = top_ups.cards(purse.consumer)
    chosen = request.POST.get("means") or (ids.show("pm", kept[0].pk) if kept else NEW_CARD)
    return purse.render(
        request,
        "wallet/top_up_form.html",
        {
            "current": "home",
            "wallet": wallet,
            "form": amount,
            "card": card,
            "kept": [(ids.show("pm", method.pk), method.card) for method in kept],
            "chosen": chosen,
            "new_card": NEW_CARD,
            "ready_amounts": [
                (
                    money.to_type(each * 10 ** money.exponent(wallet.currency), wallet.currency),
                    Money(each * 10 ** money.exponent(wallet.currency), wallet.currency).text(locale()),
                )
                for each in AMOUNTS
            ],
            "limits": spoken(wallet),
        },
    )
