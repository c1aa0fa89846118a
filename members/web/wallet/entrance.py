"""The way in: the front page of the wallet, and opening one."""

from urllib.parse import urlencode

from allauth.core.internal.httpkit import authenticated_user
from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from members.web.wallet.purse import address, frame
from payments.wallets import operations, queries
from security.merchants import queries as merchants
from security.merchants.models import LIVE, TEST
from security.web import sides


class Opening(forms.Form):
    """Which money a new wallet holds."""

    currency = forms.ChoiceField(label=_("Currency"), widget=forms.Select(attrs={"class": "input"}))

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in settings.TOP_UP_LIMITS]  # type: ignore[attr-defined]


@require_safe
@never_cache
def front(request: HttpRequest, mode: str) -> HttpResponse:
    """What the wallet is, and the two ways in."""
    following = request.GET.get("next", "")
    if not following.startswith(sides.WALLET_PREFIX) or not url_has_allowed_host_and_scheme(
        following, {request.get_host()}, require_https=request.is_secure()
    ):
        following = address("wallet_home", mode=mode)
    if request.user.is_authenticated:
        return HttpResponseRedirect(following)
    return render(
        request, "wallet/front.html", frame(mode) | {"to": f"{reverse('side')}?{urlencode({'next': following})}"}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def opening(request: HttpRequest, mode: str) -> HttpResponse:
    """Open a wallet in this mode. Who has one already is led to it."""
    home = address("wallet_home", mode=mode)
    user_id = authenticated_user(request).pk
    if not sides.may_enter_wallet(request):
        return HttpResponseRedirect(f"{reverse('side')}?{urlencode({'next': home})}")
    form = Opening(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = merchants.book(merchants.platform_book_id(mode=mode)).now
        operations.open_for(user_id=user_id, currency=form.cleaned_data["currency"], mode=mode, now=now)
        return HttpResponseRedirect(home, status=303)
    if queries.consumer_of(user_id=user_id, mode=mode) is not None:
        return HttpResponseRedirect(home)
    other = TEST if mode == LIVE else LIVE
    has_other = queries.consumer_of(user_id=user_id, mode=other) is not None
    context = {"form": form, "other_url": address("wallet_home", mode=other) if has_other else ""}
    return render(request, "wallet/opening.html", frame(mode) | context)
