"""Doors of the API: parse, one call, answer.

    @endpoint(permission="customers:write", params=CreateCustomer, returns="customer")
    def create(call: Call) -> dict: ...

    urlpatterns = [door("customers", GET=list_, POST=create), door("customers/<id>", GET=retrieve)]

A door reads the parameters, checks what the key may do, opens the book's unit of work,
runs the endpoint once an idempotency key, and writes the answer. Everything that
refuses leaves in the same envelope.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions as drf
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from merchant_platform.kernel import clock, idempotency, ids, tenancy
from merchant_platform.kernel.api import bodies, expand, sealed
from merchant_platform.kernel.api.errors import status_and_body
from merchant_platform.kernel.api.params import InvalidParameter, Params
from merchant_platform.kernel.errors import Forbidden, NotFound, PlatformError, Unauthenticated
from merchant_platform.kernel.events import outbox
from merchant_platform.kernel.idempotency import Answer
from merchant_platform.kernel.idempotency import Request as KeyedRequest
from merchant_platform.kernel.request_log.buffer import log
from merchant_platform.kernel.request_log.lines import HEAD_BYTES, HEAD_BYTES_OF_ERROR
from merchant_platform.kernel.wire import API_VERSION, dump

PREFIX = "v1/"
# In a body without it nothing is encrypted.
_SEALED = f'"{sealed.NAME}"'.encode()
_RENDERER = JSONRenderer()
_IN_ROUTE = re.compile(r"<(?:\w+:)?(\w+)>")


class Caller(Protocol):
    """Who asks: an API key, as authentication found it."""

    key_id: UUID
    book_id: UUID
    livemode: bool
    kind: str
    merchant_id: UUID
    default_currency: str
    merchant_name: str
    # The SHA-256 of the key, and the public key that its owner wants answers encrypted to.
    digest: bytes
    encryption_key: Mapping[str, Any] | None

    def may(self, permission: str) -> bool: ...

    @property
    def now(self) -> datetime: ...


@dataclass(slots=True)
class Call:
    """One request, read and checked: what an endpoint needs and nothing of HTTP."""

    caller: Caller
    params: Any
    path: dict[str, str]
    request_id: str
    now: datetime
    idempotency: KeyedRequest | None = None
    url: str = ""

    @property
    def book_id(self) -> UUID:
        return self.caller.book_id

    @property
    def idempotency_key(self) -> str | None:
        return self.idempotency.key if self.idempotency else None


@dataclass(frozen=True)
class Endpoint:
    """A function behind one method of one address, and what is said of it."""

    function: Callable[..., Any]
    permission: str
    params: type[Params]
    returns: str
    tag: str
    is_list: bool = False
    publishable: bool = False
    answers_itself: bool = False
    moves_money: bool = False
    summary: str = ""
    extra_statuses: dict[int, str] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        return self.permission.endswith(":write")


def endpoint(
    *,
    permission: str,
    returns: str,
    params: type[Params] = Params,
    is_list: bool = False,
    publishable: bool = False,
    answers_itself: bool = False,
    moves_money: bool = False,
    extra_statuses: dict[int, str] | None = None,
) -> Callable[[Callable[..., Any]], Endpoint]:
    """Describe a function as an endpoint.

    It gets a Call and returns the answer's object. With `answers_itself` it opens its
    own units of work and returns an Answer. `permission` is `resource:read` or
    `resource:write`; `publishable` lets `pk_` keys in, which must then show a secret.
    """

    def describe(function: Callable[..., Any]) -> Endpoint:
        return Endpoint(
            function=function,
            permission=permission,
            params=params,
            returns=returns,
            tag=permission.partition(":")[0],
            is_list=is_list,
            publishable=publishable,
            answers_itself=answers_itself,
            moves_money=moves_money,
            summary=(function.__doc__ or "").strip().partition("\n")[0],
            extra_statuses=extra_statuses or {},
        )

    return describe


def door(address: str, **methods: Endpoint) -> URLPattern:
    """An address under /v1 with an endpoint for each of its methods."""
    names = [name.lower() for name in methods]
    if any(described.publishable for described in methods.values()):
        names.append("options")
    shown = template_of(PREFIX + address)
    view: type[Door] = type("Door", (Door,), {"endpoints": methods, "http_method_names": names, "address": shown})
    return path(PREFIX + address, csrf_exempt(view.as_view()))


def template_of(route: str) -> str:
    """A route as people write it: `/v1/refunds/{id}`."""
    return "/" + _IN_ROUTE.sub(r"{\1}", route)


class Door(APIView):
    """The view behind every address of the API."""

    endpoints: dict[str, Endpoint] = {}
    address = ""
    renderer_classes = [JSONRenderer]
    permission_classes: list = []

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self._began_ns = time.perf_counter_ns()
        self._drafted: list[UUID] = []
        outbox.note_drafts(self._drafted)
        return super().initialize_request(request, *args, **kwargs)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """What every client sends needs no negotiating."""
        if request._request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", "application/json", sealed.MEDIA):
            return _RENDERER, _RENDERER.media_type
        return super().perform_content_negotiation(request, force)

    def get(self, request: Request, **path_ids: str) -> HttpResponse:
        return self._answer(request, path_ids)

    post = delete = get

    def options(self, request: Request, *args: Any, **path_ids: Any) -> HttpResponse:  # type: ignore[override]
        """A browser asks whether a page of another site may call: with a publishable key, where one is let in."""
        response = HttpResponse(status=204)
        open_to = [name for name, described in self.endpoints.items() if described.publishable]
        response["Access-Control-Allow-Methods"] = ", ".join(open_to)
        response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, Stripe-Version"
        response["Access-Control-Max-Age"] = "600"
        return response

    @cached_property
    def _request_uuid(self) -> UUID:
        return ids.new(clock.wall())

    @cached_property
    def _request_id(self) -> str:
        return ids.show("req", self._request_uuid)

    def _answer(self, request: Request, path_ids: dict[str, str]) -> HttpResponse:
        described = self.endpoints[request.method or "GET"]
        caller: Caller = request.auth  # type: ignore[assignment]
        if caller is None:
            raise Unauthenticated(
                "You did not provide an API key. Use HTTP Basic or Bearer authentication with your secret key.",
                code="api_key_missing",
            )
        if not caller.may(described.permission) and not (caller.kind == "publishable" and described.publishable):
            raise Forbidden(f"The provided key does not have the permission '{described.permission}'.")
        if wants_sealed(request) and caller.encryption_key is None:
            # Before anything is done: what was done must be answered.
            raise drf.NotAcceptable
        data, is_typed = self._read(request, caller)
        call = Call(
            caller=caller,
            params=described.params.read(data, is_typed=is_typed),
            path=path_ids,
            request_id=self._request_id,
            now=caller.now,
            idempotency=self._idempotency(request, data) if request.method == "POST" else None,
            url=request._request.path,
        )
        answer = run(described, call)
        return self._respond(request, answer)

    def _read(self, request: Request, caller: Caller) -> tuple[dict[str, Any], bool]:
        headers = request._request.META
        query = headers.get("QUERY_STRING", "").encode("latin-1")
        body = request._request.body
        data, is_typed = bodies.parse(body, headers.get("CONTENT_TYPE", ""))
        if is_typed and _SEALED in body:
            data = sealed.opened(data, key_digest=caller.digest)
        if query:
            extra = bodies.parse_form(query)
            if data and is_typed:
                raise InvalidParameter("Send the parameters in the body or in the query, not in both.")
            data = {**extra, **data}
        return data, is_typed

    def _idempotency(self, request: Request, data: dict[str, Any]) -> idempotency.Request | None:
        key = request._request.META.get("HTTP_IDEMPOTENCY_KEY")
        if not key:
            return None
        if len(key) > idempotency.KEY_LENGTH_MAX or not key.isprintable():
            raise InvalidParameter(
                f"Idempotency keys have at most {idempotency.KEY_LENGTH_MAX} printable characters.",
                code="idempotency_key_invalid",
            )
        digest = idempotency.fingerprint(request.method or "POST", request._request.path, data)
        return idempotency.Request(key=key, fingerprint=digest, request_id=self._request_id)

    def _respond(self, request: Request, answer: Answer) -> HttpResponse:
        response = json_response(answer.body.encode(), answer.status)
        if answer.is_replay:
            response["Idempotent-Replayed"] = "true"
            response["Stripe-Should-Retry"] = "false"
            response["Original-Request"] = answer.request_id or ""
        elif answer.status >= 400:
            response["Stripe-Should-Retry"] = "false"
        return response

    def finalize_response(self, request, response, *args, **kwargs) -> HttpResponse:  # type: ignore[override]
        response["Request-Id"] = self._request_id
        response["Stripe-Version"] = API_VERSION
        response["Cache-Control"] = "no-store"
        described = self.endpoints.get(request.method or "")
        is_asking = request.method == "OPTIONS" and response.status_code == 204
        if is_asking or (described is not None and described.publishable):
            # Any site: the key says whose page it is, and no cookie counts here.
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = "Request-Id, Idempotent-Replayed, Stripe-Should-Retry"
        key = request._request.META.get("HTTP_IDEMPOTENCY_KEY")
        if key and key.isprintable():
            response["Idempotency-Key"] = key[: idempotency.KEY_LENGTH_MAX]
        self._note(request, response)
        caller = getattr(request, "_auth", None)
        if wants_sealed(request) and caller is not None and caller.encryption_key:
            response.content = sealed.seal(response.content, caller.encryption_key)
            response["Content-Type"] = sealed.MEDIA
            response["Content-Length"] = str(len(response.content))
        return response

    def _note(self, request: Request, response: HttpResponse) -> None:
        """Leave a line for the request log: references alone, in the order of `lines.Noted`."""
        outbox.note_drafts(None)
        caller = getattr(request, "_auth", None)
        if caller is None:
            return  # nobody's book: nobody could read it
        headers = request._request.META
        status = response.status_code
        log.append(
            (
                self._request_uuid,
                caller.book_id,
                request.method,
                self.address,
                tuple(self.kwargs.values()),
                status,
                response.content[: HEAD_BYTES if status < 400 else HEAD_BYTES_OF_ERROR],
                caller.key_id,
                caller.kind,
                headers.get("HTTP_IDEMPOTENCY_KEY", ""),
                response.headers.get("Original-Request", ""),
                headers.get("REMOTE_ADDR", ""),
                headers.get("HTTP_USER_AGENT", ""),
                time.perf_counter_ns() - self._began_ns,
                tuple(self._drafted),
            )
        )

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        response = refuse(exc)
        if isinstance(exc, drf.MethodNotAllowed):
            response["Allow"] = ", ".join(self.allowed_methods)
        return response


def wants_sealed(request: Request) -> bool:
    """Whether the answer is to be for its caller's eyes alone."""
    return request._request.META.get("HTTP_ACCEPT") == sealed.MEDIA


def run(described: Endpoint, call: Call) -> Answer:
    """Run an endpoint in its unit of work, once a key."""
    if described.answers_itself:
        return described.function(call)

    def operation() -> Answer:
        obj = described.function(call)
        return Answer(status=200, body=body(call, obj), moved_money=described.moves_money)

    if described.writes:
        return idempotency.run_once(call.book_id, call.idempotency, operation)
    with tenancy.within(call.book_id):
        return operation()


def body(call: Call, obj: dict[str, Any]) -> str:
    """An answer's JSON, expanded as the request asked. Needs the open unit of work where it expands."""
    return dump(expand.apply(obj, call.params.expand) if call.params.expand else obj)


def json_response(body: bytes, status: int) -> HttpResponse:
    """JSON with its length, which no middleware adds on the API's way."""
    response = HttpResponse(body, status=status, content_type="application/json")
    response["Content-Length"] = str(len(body))
    # A refusal is an answer: what is unexpected was logged where it was caught.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def refuse(error: Exception) -> HttpResponse:
    """The response of an error."""
    status, envelope = status_and_body(error)
    response = json_response(orjson.dumps(envelope), status)
    if status < 500 and status not in (409, 429):
        response["Stripe-Should-Retry"] = "false"
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="API key"'
    if isinstance(error, PlatformError) and "retry_after" in error.details:
        response["Retry-After"] = str(error.details["retry_after"])
    return response


def unknown_address(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Everything under /v1 that is no door."""
    response = refuse(
        NotFound(f"Unrecognized request URL ({request.method}: {request.path[:200]}).", code="url_unknown")
    )
    response["Request-Id"] = ids.show("req", ids.new(clock.wall()))
    response["Stripe-Version"] = API_VERSION
    return response


__all__ = ["API_VERSION", "Answer", "Call", "Caller", "Door", "Endpoint", "body", "door", "endpoint"]
