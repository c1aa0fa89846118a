import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf

from merchant_platform.kernel import errors
from merchant_platform.kernel.api.bodies import MalformedBody, UnsupportedMedia
from merchant_platform.kernel.api.errors import status_and_body
from merchant_platform.kernel.idempotency import KeyInUse, KeyReused, LockTimeout

INVALID, API = "invalid_request_error", "api_error"


class TestStatusAndBody:
    @pytest.mark.parametrize(
        ("error", "status", "error_type", "code"),
        [
            (errors.Invalid("no"), 400, INVALID, "parameter_invalid"),
            (errors.WrongState("no"), 400, INVALID, "unexpected_state"),
            (errors.NotFound("no"), 404, INVALID, "resource_missing"),
            (errors.NotFound("no", param="customer"), 400, INVALID, "resource_missing"),
            (errors.Unauthenticated("no"), 401, INVALID, "api_key_invalid"),
            (errors.Forbidden("no"), 403, INVALID, "permission_denied"),
            (errors.Conflict("no"), 409, INVALID, "conflict"),
            (errors.TooMany("no"), 429, INVALID, "rate_limit"),
            (errors.Unavailable("no"), 503, API, "service_unavailable"),
            (MalformedBody("no"), 400, INVALID, "request_malformed"),
            (UnsupportedMedia("no"), 415, INVALID, "unsupported_media_type"),
            (KeyReused("no"), 400, "idempotency_error", "idempotency_error"),
            (KeyInUse("no"), 409, INVALID, "idempotency_key_in_use"),
            (LockTimeout("no"), 409, INVALID, "lock_timeout"),
            (Http404("no"), 404, INVALID, "resource_missing"),
            (drf.NotFound("no"), 404, INVALID, "resource_missing"),
            (drf.MethodNotAllowed("PUT"), 405, INVALID, "method_not_allowed"),
            (drf.NotAcceptable(), 406, INVALID, "not_acceptable"),
            (drf.ParseError("no"), 400, INVALID, "request_malformed"),
            (RequestDataTooBig("no"), 413, INVALID, "request_too_large"),
            (OperationalError("no"), 503, API, "service_unavailable"),
            (InterfaceError("no"), 503, API, "service_unavailable"),
            (IntegrityError("no"), 500, API, "api_error"),
            (RuntimeError("no"), 500, API, "api_error"),
        ],
    )
    def test_gives_each_kind_its_status_type_and_code(self, error, status, error_type, code):
        found, body = status_and_body(error)

        assert (found, body["error"]["type"], body["error"]["code"]) == (status, error_type, code)

    def test_takes_the_code_the_parameter_and_the_details_of_the_error(self, settings):
        settings.PUBLIC_URL = "http://here"

        _, body = status_and_body(
            errors.Invalid("Too much.", code="amount_too_large", param="amount", decline_code="x", retry_after=3)
        )

        assert body == {
            "error": {
                "type": INVALID,
                "code": "amount_too_large",
                "message": "Too much.",
                "param": "amount",
                "doc_url": "http://here/docs/errors/amount_too_large",
                "decline_code": "x",
            }
        }

    @pytest.mark.parametrize(
        "error", [RuntimeError("password=swordfish"), OperationalError("host=db user=merchant_app")]
    )
    def test_repeats_nothing_of_what_nobody_expected(self, error, caplog):
        _, body = status_and_body(error)

        assert str(error) not in str(body)
        assert [record.exc_info[1] for record in caplog.records] == [error]

    def test_logs_nothing_of_what_was_expected(self, caplog):
        status_and_body(errors.Invalid("no"))

        assert caplog.records == []
