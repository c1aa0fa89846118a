"""The WSGI entry point that granian serves."""

import gc
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant_platform.settings")

_pages = get_wsgi_application()

from django.conf import settings  # noqa: E402

from merchant_platform.kernel.api.wsgi import ApiApplication  # noqa: E402  (needs the apps that were just loaded)
from merchant_platform.kernel.web import proxy  # noqa: E402
from merchant_platform.kernel.web.middleware import API_PREFIX  # noqa: E402

_api = ApiApplication()


def _serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The API by its short way, pages by Django's."""
    serve = _api if environ.get("PATH_INFO", "").startswith(API_PREFIX) else _pages
    return serve(environ, start_response)


application = proxy.Proxies(_serve, trusted=settings.TRUSTED_PROXIES)


# What was imported stays for good: the collector need not walk it again. A request leaves
# next to no cycles behind, so it need not look every seven hundred objects either.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
