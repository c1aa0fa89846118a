"""The API below WSGI: nothing of what pages need stands between the server and a door."""

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections
from django.http import HttpResponse
from django.urls import get_resolver
from django.utils import translation

from merchant_platform.kernel.api.doors import refuse
from merchant_platform.kernel.errors import Forbidden

View = Callable[..., HttpResponse]


class PlainText(Forbidden):
    """The request came over HTTP, where everybody on the way reads the key in it."""

    code = "https_required"


class ApiApplication:
    """A WSGI application for every address under /v1/.

    It answers what Django's own handler answers there, without its signals, its nine
    middlewares (which pass the API by anyway) and its walk through all addresses: a
    fifth of what Python does for a payment.
    """

    def __init__(self) -> None:
        self._is_https_only = settings.SECURE_SSL_REDIRECT
        # What the middleware of pages says on every answer, as far as it concerns JSON.
        self._headers = [("X-Content-Type-Options", "nosniff")]
        if settings.SECURE_HSTS_SECONDS:
            self._headers.append(("Strict-Transport-Security", settings.STRICT_TRANSPORT_SECURITY))
        self._resolver = get_resolver()
        # The addresses without an id in them: as many as there are doors, and no more.
        self._views: dict[str, View] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        # The thread may have written a page before, in its reader's language.
        translation.deactivate()
        response = self._answer(WSGIRequest(environ))
        if response.status_code >= 500:
            # What signals do after every request: a broken connection must not meet the next one.
            close_old_connections()
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items(), *self._headers])
        return [response.content]

    def _answer(self, request: WSGIRequest) -> HttpResponse:
        try:
            if self._is_https_only and request.scheme != "https":
                # No redirect: the key was sent in the open, and the client has to learn that.
                raise PlainText("The API is spoken over HTTPS alone. Replace the key that this request carried.")
            view = self._views.get(request.path_info)
            if view is not None:
                return view(request)
            match = self._resolver.resolve(request.path_info)
            if not match.kwargs:
                self._views[request.path_info] = match.func
            return match.func(request, *match.args, **match.kwargs)
        except Exception as error:  # a door refuses by itself; this is what failed outside of one
            return refuse(error)
