"""Pictures of products, for whoever knows their hash: shops show them to everybody."""

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from payments.catalog import pictures

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FOR_GOOD = "public, max-age=31536000, immutable"


@require_safe
def show(request: HttpRequest, digest: str) -> HttpResponse:
    """One of them. It never changes, so a browser asks once."""
    png = pictures.read(digest) if _DIGEST.fullmatch(digest) else None
    if png is None:
        raise Http404
    headers = {"Cache-Control": _FOR_GOOD, "Content-Security-Policy": "default-src 'none'"}
    return HttpResponse(png, content_type="image/png", headers=headers)
