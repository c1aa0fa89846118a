"""OpenAPI 3.1 of every door, from the same descriptions that the doors run by.

Parameters are pydantic models, whose JSON Schema (draft 2020-12) is OpenAPI 3.1's own;
the answers' shapes are Stripe's, named by their `object`.
"""

import re
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.translation import gettext_noop
from pydantic.json_schema import models_json_schema

from merchant_platform.kernel.api.doors import API_VERSION, PREFIX, Endpoint, template_of
from merchant_platform.kernel.wire import dump

REF = "#/components/schemas/{model}"
ERROR_STATUSES = {
    400: gettext_noop("A parameter is missing, unknown or wrong, or the object's state does not allow it."),
    401: gettext_noop("The key is missing or invalid."),
    403: gettext_noop("The key may not do this."),
    404: gettext_noop("No such object here."),
    405: gettext_noop("The address has no such method."),
    406: gettext_noop("The API answers in application/json."),
    409: gettext_noop("Another request on the same object or with the same key is at work."),
    413: gettext_noop("The body is too large."),
    415: gettext_noop("The body is neither a form nor JSON."),
    429: gettext_noop("Too many requests."),
    500: gettext_noop("Something went wrong on our side."),
    503: gettext_noop("The platform cannot do this just now."),
}


def schema(request: HttpRequest) -> HttpResponse:
    """GET /v1/schema, open to all."""
    return HttpResponse(_text(), content_type="application/vnd.oai.openapi+json")


@cache
def _text() -> str:
    return dump(document())


def document() -> dict[str, Any]:
    """The whole description."""
    described = list(endpoints())
    modes = [(each.params, "validation") for _, _, each in described]
    references, definitions = models_json_schema(list(dict.fromkeys(modes)), ref_template=REF)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for address, method, each in described:
        reference = references[each.params, "validation"]["$ref"].rpartition("/")[2]
        parameters = definitions["$defs"][reference]
        paths.setdefault(address, {})[method.lower()] = _operation(address, method, each, reference, parameters)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Merchant platform API",
            "version": API_VERSION,
            "description": "Speaks Stripe's wire format: point an unmodified Stripe SDK at this address.",
        },
        "servers": [{"url": settings.PUBLIC_URL}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "The key as user name, no password."},
            },
            "schemas": {**definitions.get("$defs", {}), **_objects({each.returns for _, _, each in described})},
        },
    }


def endpoints() -> Any:
    """Every (address, method, endpoint) of the API."""
    for pattern in _patterns(get_resolver().url_patterns):
        view = getattr(pattern.callback, "cls", None)
        route = str(pattern.pattern)
        if view is None or not hasattr(view, "endpoints") or not route.startswith(PREFIX):
            continue
        address = template_of(route)
        for method, each in view.endpoints.items():
            yield address, method, each


def _patterns(patterns: Any) -> Any:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield pattern


def _operation(address: str, method: str, each: Endpoint, reference: str, parameters: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{method}_{re.sub(r'[^a-z0-9]+', '_', address.removeprefix('/v1/').lower()).strip('_')}",
        "summary": each.summary,
        "tags": [each.tag],
        "x-permission": each.permission,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", address)
        ],
        "responses": _responses(each),
    }
    if method == "POST":
        operation["parameters"].append(
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}
        )
        body = {"schema": {"$ref": REF.format(model=reference)}}
        operation["requestBody"] = {
            "content": {
                "application/x-www-form-urlencoded": {
                    **body,
                    "encoding": {
                        name: {"style": "deepObject", "explode": True} for name in parameters.get("properties", {})
                    },
                },
                "application/json": body,
            }
        }
    else:
        required = set(parameters.get("required", ()))
        operation["parameters"] += [
            {
                "name": name,
                "in": "query",
                "required": name in required,
                "schema": shape,
                "style": "deepObject",
                "explode": True,
            }
            for name, shape in parameters.get("properties", {}).items()
        ]
    return operation


def _responses(each: Endpoint) -> dict[str, Any]:
    answer: dict[str, Any] = {"$ref": REF.format(model=each.returns)}
    if each.is_list:
        answer = {
            "type": "object",
            "required": ["object", "data", "has_more", "url"],
            "properties": {
                "object": {"enum": ["list", "search_result"]},
                "data": {"type": "array", "items": answer},
                "has_more": {"type": "boolean"},
                "url": {"type": "string"},
            },
        }
    statuses = {**ERROR_STATUSES, **each.extra_statuses}
    return {
        "200": {"description": each.summary, "content": {"application/json": {"schema": answer}}},
        **{
            str(status): {
                "description": meaning,
                "content": {"application/json": {"schema": {"$ref": REF.format(model="error")}}},
            }
            for status, meaning in sorted(statuses.items())
        },
    }


# What is worked out when it is asked for has no id of its own.
_WITHOUT_ID = frozenset(
    {
        "balance",
        "member_contacts",
        "metric_catalogue",
        "metric_report",
        "offer.preview",
        "points_balance",
        "tier",
        "tier_standing",
    }
)


def _objects(names: set[str]) -> dict[str, Any]:
    shapes: dict[str, Any] = {
        name: {
            "type": "object",
            "required": ["object"] if name in _WITHOUT_ID else ["id", "object"],
            "properties": {"id": {"type": "string"}, "object": {"const": name.removeprefix("deleted_")}},
        }
        for name in sorted(names)
    }
    shapes["error"] = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["type", "message", "code", "doc_url"],
                "properties": {
                    "type": {"enum": ["api_error", "card_error", "idempotency_error", "invalid_request_error"]},
                    "code": {"type": "string"},
                    "decline_code": {"type": "string"},
                    "doc_url": {"type": "string"},
                    "message": {"type": "string"},
                    "param": {"type": "string"},
                },
            }
        },
    }
    return shapes
