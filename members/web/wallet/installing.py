"""What lets a phone keep the wallet like an app: its description, and the program that holds the frame when offline."""

import hashlib
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from members.web.wallet.purse import address, frame

# What the program keeps: files that are the same for everybody. No page of anybody's is among them.
SHELL = (
    "css/tokens.css",
    "css/dark.css",
    "css/base.css",
    "css/parts/button.css",
    "css/parts/empty.css",
    "css/parts/theme.css",
    "css/parts/language.css",
    "css/parts/wallet.css",
    "vendor/icons/sprite.svg",
    "vendor/inter/inter-latin.woff2",
    "img/mark.svg",
)


@cache
def version() -> str:
    """Changes with what the program keeps. Read once a process."""
    folder = settings.BASE_DIR / "merchant_platform" / "static"
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in SHELL)).hexdigest()[:16]


@require_safe
@cache_control(max_age=3600)
def manifest(request: HttpRequest, mode: str) -> HttpResponse:
    """The wallet as an app: name, pictures, where it begins."""
    home = address("wallet_home", mode=mode)
    said: dict[str, Any] = {
        "id": home,
        "name": _("Wallet") + f" · {settings.SITE_NAME}",
        "short_name": _("Wallet"),
        "start_url": home,
        "scope": home,
        "display": "standalone",
        "background_color": "#f6f7f9",
        "theme_color": "#0b2a4a",
        "icons": [
            {"src": static("img/icon-192.png"), "sizes": "192x192", "type": "image/png", "purpose": "any"},
            {"src": static("img/icon-512.png"), "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
        ],
        "shortcuts": [{"name": _("Payment code"), "url": address("wallet_code", mode=mode)}],
    }
    return JsonResponse(said, content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def worker(request: HttpRequest, mode: str) -> HttpResponse:
    """The program: it keeps the frame's files and one page that says there is no connection, and nothing else."""
    files = [*(static(name) for name in SHELL), address("wallet_offline", mode=mode)]
    return render(
        request,
        "wallet/worker.js",
        {"files": files, "offline": address("wallet_offline", mode=mode), "version": version()},
        content_type="text/javascript",
    )


@require_safe
@never_cache
def offline(request: HttpRequest, mode: str) -> HttpResponse:
    """The page that is shown without a connection."""
    return render(request, "wallet/offline.html", frame(mode))
