"""Middleware of pages, which an API request passes by: no session, message or language work there."""

from collections.abc import Callable

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware
from django.middleware.locale import LocaleMiddleware
from django_permissions_policy import PermissionsPolicyMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

API_PREFIX = "/v1/"


def _pages_only(middleware: type) -> type:
    def call(self, request):
        if request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        return middleware.__call__(self, request)

    members = {"__call__": call, "__doc__": f"{middleware.__name__} for pages.", "async_capable": False}
    return type(middleware.__name__.removesuffix("Middleware"), (middleware,), members)


class ResourcePolicyMiddleware:
    """No other site loads a page, a picture or a program of ours into its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class UncachedMiddleware:
    """No cache keeps a page that says nothing of that: a page is somebody's own unless its view says otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


ResourcePolicy = _pages_only(ResourcePolicyMiddleware)
Uncached = _pages_only(UncachedMiddleware)
WhiteNoise = _pages_only(WhiteNoiseMiddleware)
ContentSecurityPolicy = _pages_only(CSPMiddleware)
PermissionsPolicy = _pages_only(PermissionsPolicyMiddleware)
Session = _pages_only(SessionMiddleware)
Locale = _pages_only(LocaleMiddleware)
Common = _pages_only(CommonMiddleware)
Authentication = _pages_only(AuthenticationMiddleware)
Message = _pages_only(MessageMiddleware)
