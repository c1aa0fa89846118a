"""All that a consumer owns here, by unit: money, points, stored value."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from members.portal import queries as portal
from members.web.wallet.purse import Purse, wallet_page


@require_safe
@wallet_page
def page(request: HttpRequest, purse: Purse) -> HttpResponse:
    """A total a unit, and what it is made of."""
    owned = portal.holdings(purse.viewer, now=purse.now)
    return purse.render(
        request, "wallet/assets.html", {"current": "assets", "holdings": owned, "totals": portal.totals(owned)}
    )
