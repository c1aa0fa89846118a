"""Middleware of pages, which an API request passes by: no session, message, language or CSRF work there."""

from csp.middleware import CSPMiddleware
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.middleware.security import SecurityMiddleware
from django_permissions_policy import PermissionsPolicyMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

API_PREFIX = "/v1/"


def _pages_only(middleware: type) -> type:
    def call(self, request):
        if request.path_info.startswith(API_PREFIX):
            return self.get_response(request)
        return middleware.__call__(self, request)

    members = {"__call__": call, "__doc__": f"{middleware.__name__} for pages.", "async_capable": False}
    if hasattr(middleware, "process_view"):

        def process_view(self, request, *view):
            if request.path_info.startswith(API_PREFIX):
                return None
            return middleware.process_view(self, request, *view)

        members["process_view"] = process_view
    return type(middleware.__name__.removesuffix("Middleware"), (middleware,), members)


Security = _pages_only(SecurityMiddleware)
WhiteNoise = _pages_only(WhiteNoiseMiddleware)
ContentSecurityPolicy = _pages_only(CSPMiddleware)
PermissionsPolicy = _pages_only(PermissionsPolicyMiddleware)
Session = _pages_only(SessionMiddleware)
Locale = _pages_only(LocaleMiddleware)
Common = _pages_only(CommonMiddleware)
Csrf = _pages_only(CsrfViewMiddleware)
Authentication = _pages_only(AuthenticationMiddleware)
Message = _pages_only(MessageMiddleware)
XFrameOptions = _pages_only(XFrameOptionsMiddleware)
