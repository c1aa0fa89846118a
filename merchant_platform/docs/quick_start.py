"""The quick start on the dashboard: the guide's own snippets, which a test runs, beside the merchant's own key."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from merchant_platform.docs import snippets
from merchant_platform.docs.snippets import CURL, LANGUAGES
from merchant_platform.kernel import clock
from security.credentials import queries as credentials
from security.web.desk import Desk, address, desk_page


@require_safe
@desk_page("request.view")
def show(request: HttpRequest, desk: Desk) -> HttpResponse:
    """From a key to a first payment and the webhook that tells of it. One statement beside the desk's."""
    language = request.GET.get("in")
    language = language if language in LANGUAGES else CURL
    context = {
        "snippets": snippets.chosen(language),
        "language": language,
        "languages": LANGUAGES,
        "first": {"name": "first"},
        "told": {"name": "webhook"},
        "address": settings.PUBLIC_URL,
        "publishable": credentials.publishable_text(book_id=desk.book.pk, now=clock.wall()),
        "test_url": address("quick_start", merchant=desk.merchant.slug, mode="test"),
    }
    return desk.render(request, "developers/quick_start.html", context)
