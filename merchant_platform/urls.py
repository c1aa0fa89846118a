"""Every address of the platform."""

from importlib import import_module

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from merchant_platform import health
from merchant_platform.kernel.api import doors, sealed
from merchant_platform.kernel.api.openapi import schema

for register in ("security.web.tables", "payments.web.tables"):
    import_module(register)

urlpatterns = [
    # First, because the resolver tries one after the other.
    path("", include("payments.api.urls")),
    path("", include("members.api.urls")),
    path("", include("analytics.api.urls")),
    path("", include("payments.web.urls")),
    path("", include("members.web.urls")),
    path("", include("security.web.urls")),
    path("", include("analytics.web.urls")),
    path("v1/schema", schema),
    path("v1/encryption_key", sealed.show),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("accounts/", include("security.web.accounts.urls")),
    path("", include("merchant_platform.docs.urls")),
    re_path(r"^v1(/(?P<rest>.*))?$", csrf_exempt(doors.unknown_address)),
]

handler400 = "merchant_platform.docs.refusals.bad_request"
handler403 = "merchant_platform.docs.refusals.permission_denied"
handler404 = "merchant_platform.docs.refusals.page_not_found"
handler500 = "merchant_platform.docs.refusals.server_error"
