"""The code to show at a till: a picture and eighteen digits, new every minute, for one payment."""

from uuid import UUID

import segno
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_POST, require_safe

from members.web.wallet.purse import Purse, wallet_page
from merchant_platform.kernel import clock, ids
from payments.ledger import queries as ledger
from payments.payment_codes import digits
from payments.payment_codes import operations as codes
from security.web.accounts.views import is_strong

# A fresh code comes before the present one runs out.
RENEW_SECONDS = 50
POLL_SECONDS = 2


@require_safe
@wallet_page
def page(request: HttpRequest, purse: Purse) -> HttpResponse:
    """The page around the code. A program in the browser asks for one at once, without one a button does."""
    wallet = purse.wallet(request.GET.get("wallet"))
    return purse.render(request, "wallet/code.html", _context(request, wallet))


@require_POST
@wallet_page
def fresh(request: HttpRequest, purse: Purse) -> HttpResponse:
    """A fresh code in the place of the one before."""
    wallet = purse.wallet(request.POST.get("wallet"))
    shown = codes.show(wallet=wallet, is_strong=is_strong(request), recorded=clock.wall())
    context = _context(request, wallet) | {
        "shown": shown,
        "grouped": digits.grouped(shown.code),
        "picture": drawing(shown.code),
    }
    is_fragment = bool(request.headers.get("HX-Request"))
    return purse.render(request, "wallet/_code.html" if is_fragment else "wallet/code.html", context)


@require_safe
@wallet_page
def paid(request: HttpRequest, purse: Purse, token: UUID) -> HttpResponse:
    """Whether a code was paid by: what was paid to whom, or nothing new."""
    wallet = purse.wallet(request.GET.get("wallet"))
    code = codes.find(wallet=wallet, token=token)
    if code is None or code.redeemed_at is None:
        return HttpResponse(status=204)
    context = {"wallet": wallet, "code": code, "payee": codes.payee_of(code)}
    return purse.render(request, "wallet/_code_paid.html", context)


def drawing(text: str) -> SafeString:
    """A QR code as a drawing in the page itself. Its text is ours: digits, or an id."""
    picture = segno.make_qr(text, error="m").svg_inline(
        scale=1, border=3, svgclass="code-picture", lineclass=None, omitsize=True, dark="#000", light="#fff"
    )
    return mark_safe(picture)  # noqa: S308


def _context(request: HttpRequest, wallet) -> dict[str, object]:
    strong = is_strong(request)
    return {
        "current": "code",
        "wallet": wallet,
        "wallet_id": ids.show("wal", wallet.pk),
        "balance": ledger.guarded(wallet.account),
        "limit_minor": codes.limit_of(wallet.currency, is_strong=strong),
        "is_strong": strong,
        "renew_seconds": RENEW_SECONDS,
        "poll_seconds": POLL_SECONDS,
    }
