"""A consumer's points at one merchant: what there is, the way to the next tier, and every entry."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from members.loyalty import portal
from members.web.programme_words import KINDS
from members.web.standing import object_id
from members.web.wallet.purse import Purse, wallet_page

PAGE = 20


@require_safe
@wallet_page
def page(request: HttpRequest, purse: Purse, programme: str) -> HttpResponse:
    """The statement, a page at a time. Another consumer's, or a programme that one is no member of, is 404."""
    before = request.GET.get("before", "")
    held = portal.account(purse.viewer, object_id("prog", programme), after=before or None, limit=PAGE)
    if held is None:
        raise Http404
    context = {
        "current": "cards",
        "held": held,
        "zone": held.book.merchant.zone,
        "expiring": list(held.expiring.items()),
        "percent": portal.percent(held.tier),
        "lines": [(KINDS.get(line.kind, line.kind), line) for line in held.lines],
        "is_first": not before,
    }
    return purse.render(request, "wallet/points.html", context)
