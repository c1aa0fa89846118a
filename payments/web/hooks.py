"""The inbound door of outside providers: verify, keep, acknowledge. What it means is worked out later."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from merchant_platform.kernel import clock, tenancy
from payments.providers import port
from payments.providers.notices import operations as notices
from payments.providers.port import NoticeRefused
from security.merchants import queries as merchants
from security.merchants.models import Book

BODY_BYTES_MAX = 64 * 1024


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str, account: str) -> HttpResponse:
    """Take in a notice for a book. 200 acknowledges it, also the second time."""
    book = _book(account, provider) if provider in settings.PAYMENT_PROVIDERS else None
    if book is None:
        return _plain(404, "unknown account")
    if int(request.META.get("CONTENT_LENGTH") or 0) > BODY_BYTES_MAX:
        return _plain(413, "too large")
    try:
        notice = port.find(provider).read_notice(headers=request.headers, body=request.body)
        text = request.body.decode()
    except (NoticeRefused, UnicodeDecodeError):
        return _plain(400, "refused")
    if notice.report.account != account:
        return _plain(400, "refused")
    with tenancy.within(book.pk):
        notices.receive(provider=provider, notice_id=notice.id, body=text, received_at=clock.wall(), now=book.now)
    return _plain(200, "taken")


def _book(account: str, provider: str) -> Book | None:
    """The book behind an account, which is its id in hex. A provider of play money has no account of a live one."""
    try:
        identifier = UUID(hex=account)
        book = merchants.book(identifier) if identifier.hex == account else None
    except (ValueError, Book.DoesNotExist):
        return None
    return None if book and book.livemode and not port.find(provider).serves_live else book


def _plain(status: int, word: str) -> HttpResponse:
    return HttpResponse(word, status=status, content_type="text/plain")
