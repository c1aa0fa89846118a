"""The first page: what is in the wallet, what to do with it, and what moved lately."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from members.portal import queries as portal
from members.web.wallet.movements import movements
from members.web.wallet.purse import Purse, wallet_page
from payments.ledger import queries as ledger
from payments.top_ups import operations as top_ups

LATEST = 5


@require_safe
@wallet_page
def page(request: HttpRequest, purse: Purse) -> HttpResponse:
    """Balance, four ways on, cards and the latest movements of the chosen wallet."""
    wallet = purse.wallet(request.GET.get("wallet"))
    latest, _ = movements(wallet, limit=LATEST)
    return purse.render(
        request,
        "wallet/home.html",
        {
            "current": "home",
            "wallet": wallet,
            "balance": ledger.guarded(wallet.account),
            "movements": latest,
            "cards": portal.cards(purse.viewer, now=purse.now)[:4],
            "may_top_up": top_ups.limits(wallet.currency) is not None,
        },
    )
