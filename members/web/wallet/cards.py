"""What a consumer has with merchants: membership, tier, points, coupons; and the membership as a pass for the phone."""

from dataclasses import dataclass
from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from members.portal import passes
from members.portal import queries as portal
from members.portal.port import MEMBERSHIP, Card
from members.web.wallet.code import drawing
from members.web.wallet.purse import Purse, wallet_page
from merchant_platform.kernel import ids
from security.merchants.models import Merchant


@dataclass(frozen=True, slots=True)
class Group:
    """All that a consumer has with one merchant."""

    merchant: Merchant
    book_id: str
    cards: list[Card]

    @property
    def membership(self) -> Card | None:
        return next((card for card in self.cards if card.kind == MEMBERSHIP and card.code), None)

    @property
    def picture(self) -> SafeString:
        """The member's code, as a till reads it."""
        return drawing(self.membership.code or "") if self.membership else SafeString()


@require_safe
@wallet_page
def page(request: HttpRequest, purse: Purse) -> HttpResponse:
    """Merchant by merchant."""
    found = groupby(portal.cards(purse.viewer, now=purse.now), key=lambda card: card.book)
    groups = [Group(book.merchant, ids.show("bk", book.pk), list(cards)) for book, cards in found]
    return purse.render(
        request, "wallet/cards.html", {"current": "cards", "groups": groups, "has_passes": passes.is_configured()}
    )


@require_safe
@wallet_page
def phone_pass(request: HttpRequest, purse: Purse, book: str) -> HttpResponse:
    """The membership at a merchant as a signed pass."""
    mine = (card for card in portal.cards(purse.viewer, now=purse.now) if card.kind == MEMBERSHIP and card.code)
    card = next((card for card in mine if ids.show("bk", card.book.pk) == book), None)
    if card is None or not passes.is_configured():
        raise Http404
    response = HttpResponse(passes.build(card), content_type=passes.CONTENT_TYPE)
    response["Content-Disposition"] = 'attachment; filename="membership.pkpass"'
    return response
