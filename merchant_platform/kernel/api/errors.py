"""Errors on the wire: Stripe's envelope, one status a kind."""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf

from merchant_platform.kernel import errors
from merchant_platform.kernel.api.bodies import UnsupportedMedia

logger = logging.getLogger(__name__)

# The first kind that an error is decides its status and its type.
STATUSES: tuple[tuple[type[errors.PlatformError], int, str], ...] = (
    (errors.Unauthenticated, 401, "invalid_request_error"),
    (errors.Forbidden, 403, "invalid_request_error"),
    (errors.NotFound, 404, "invalid_request_error"),
    (errors.Conflict, 409, "invalid_request_error"),
    (errors.TooMany, 429, "invalid_request_error"),
    (errors.Unavailable, 503, "api_error"),
    (UnsupportedMedia, 415, "invalid_request_error"),
    (errors.Declined, 402, "card_error"),
    (errors.Invalid, 400, "invalid_request_error"),
)


def status_and_body(error: Exception) -> tuple[int, dict[str, Any]]:
    """The status and the envelope of an error. What nobody expected is logged and says nothing of itself."""
    if isinstance(error, errors.PlatformError):
        for kind, status, error_type in STATUSES:
            if isinstance(error, kind):
                # An unknown id is 404 in the path and 400 in a parameter.
                if kind is errors.NotFound and error.param:
                    status = 400
                if error.code == "idempotency_error":
                    error_type = "idempotency_error"
                return status, envelope(error_type, error.code, error.message, param=error.param, **error.details)
    if isinstance(error, Http404 | drf.NotFound):
        return 404, envelope("invalid_request_error", "resource_missing", "There is nothing at this address.")
    if isinstance(error, drf.MethodNotAllowed):
        return 405, envelope("invalid_request_error", "method_not_allowed", str(error.detail))
    if isinstance(error, drf.NotAcceptable):
        return 406, envelope("invalid_request_error", "not_acceptable", "The API answers in application/json.")
    if isinstance(error, RequestDataTooBig):
        limit = f"The request body is larger than {settings.API_BODY_MAX} bytes."
        return 413, envelope("invalid_request_error", "request_too_large", limit)
    if isinstance(error, drf.APIException):
        return error.status_code, envelope("invalid_request_error", "request_malformed", str(error.detail))
    if isinstance(error, OperationalError | InterfaceError):
        # The server was restarted, or is too busy to answer: with its key a client may repeat the request.
        logger.error("the database did not answer an API request", exc_info=error)
        return 503, envelope("api_error", "service_unavailable", "The platform cannot answer just now. Try again.")
    logger.error("an API request failed unexpectedly", exc_info=error)
    return 500, envelope(
        "api_error", "api_error", "Something went wrong on our side. Nothing was charged twice: retry."
    )


def envelope(error_type: str, code: str, message: str, *, param: str | None = None, **details: Any) -> dict[str, Any]:
    """Stripe's error object. `doc_url` opens our own page on how to mend it."""
    body: dict[str, Any] = {"type": error_type, "code": code, "message": message}
    if param:
        body["param"] = param
    body["doc_url"] = errors.doc_url(code)
    body.update({name: value for name, value in details.items() if name != "retry_after"})
    return {"error": body}
