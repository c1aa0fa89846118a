"""/v1/webhook_endpoints: Stripe's, and ours in the same style (rotate, deliveries, resend, backfill, test).

A secret is shown by the answer that makes it. That answer is stored under its
idempotency key with the secret sealed, and unsealed again when it is sent or replayed.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel import clock, idempotency, ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import API_VERSION, Answer, Call, body, door, endpoint
from merchant_platform.kernel.api.params import (
    Boolean,
    Emptied,
    Id,
    Integer,
    InvalidParameter,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    UpTo,
)
from merchant_platform.kernel.wire import dump, load
from payments.api.addresses import not_here, path_id
from payments.webhooks import objects, queries, secrets
from payments.webhooks import operations as webhooks
from payments.webhooks.models import WebhookDelivery, WebhookEndpoint

Url = Annotated[str, UpTo(5000)]
OVERLAP_SECONDS_MAX = int(webhooks.OVERLAP_MAX.total_seconds())
Types = Listed[Annotated[str, UpTo(100)]]


class CreateEndpoint(Params):
    api_version: Literal[API_VERSION] | None = None  # type: ignore[valid-type]
    description: Emptied[Annotated[str, UpTo(5000)]] = None
    enabled_events: Types
    metadata: Metadata = {}
    url: Url


class UpdateEndpoint(Params):
    description: Emptied[Annotated[str, UpTo(5000)]] = None
    disabled: Boolean = False
    enabled_events: Types = []
    metadata: Metadata = {}
    url: Url = ""


class RotateSecret(Params):
    # Seconds for which the old secret signs too.
    expires_in: Annotated[Integer, AfterValidator(lambda value: _overlap(value))] = int(
        webhooks.OVERLAP_DEFAULT.total_seconds()
    )


def _overlap(value: int) -> int:
    if not 0 <= value <= OVERLAP_SECONDS_MAX:
        raise PydanticCustomError(
            "parameter_invalid_integer", "This value must be between 0 and {n}.", {"n": OVERLAP_SECONDS_MAX}
        )
    return value


class ListDeliveries(ListParams):
    status: Literal["pending", "succeeded", "failed", "canceled"] | None = None


class Resend(Params):
    event: Id


class Range(Nested):
    """Unix seconds of the book's time, from `gte` until before `lt`."""

    gte: Integer
    lt: Integer


class Backfill(Params):
    created: Range
    include_succeeded: Boolean = False
    types: Types | None = None


@endpoint(permission="webhook_endpoints:write", params=CreateEndpoint, returns="webhook_endpoint", answers_itself=True)
def create(call: Call) -> Answer:
    """Create a webhook endpoint"""
    fields = {"url": call.params.url, "enabled_events": call.params.enabled_events}
    fields |= call.params.given("url", "enabled_events")
    return _with_secret(call, lambda: webhooks.create(fields=fields, livemode=call.caller.livemode, now=clock.wall()))


@endpoint(permission="webhook_endpoints:read", returns="webhook_endpoint")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a webhook endpoint"""
    return objects.endpoint(_endpoint(call), livemode=call.caller.livemode)


@endpoint(permission="webhook_endpoints:write", params=UpdateEndpoint, returns="webhook_endpoint")
def update(call: Call) -> dict[str, Any]:
    """Update a webhook endpoint"""
    fields = call.params.given("disabled")
    if "disabled" in call.params.model_fields_set:
        fields["is_disabled"] = call.params.disabled
    row = webhooks.update(endpoint_id=path_id(call, "we"), fields=fields, livemode=call.caller.livemode)
    return objects.endpoint(row, livemode=call.caller.livemode)


@endpoint(permission="webhook_endpoints:write", returns="webhook_endpoint")
def delete(call: Call) -> dict[str, Any]:
    """Delete a webhook endpoint"""
    return objects.deleted(webhooks.delete(endpoint_id=path_id(call, "we"), now=clock.wall()))


@endpoint(permission="webhook_endpoints:read", params=ListParams, returns="webhook_endpoint", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all webhook endpoints"""
    return paging.page(
        WebhookEndpoint.objects.filter(deleted_at__isnull=True),
        call.params,
        prefix="we",
        url=call.url,
        render=lambda rows: [objects.endpoint(row, livemode=call.caller.livemode) for row in rows],
    )


@endpoint(permission="webhook_endpoints:write", params=RotateSecret, returns="webhook_endpoint", answers_itself=True)
def rotate_secret(call: Call) -> Answer:
    """Rotate the signing secret of a webhook endpoint"""
    return _with_secret(
        call,
        lambda: webhooks.rotate_secret(
            endpoint_id=path_id(call, "we"), overlap=timedelta(seconds=call.params.expires_in), now=clock.wall()
        ),
    )


@endpoint(permission="webhook_endpoints:read", params=ListDeliveries, returns="webhook_delivery", is_list=True)
def list_deliveries(call: Call) -> dict[str, Any]:
    """List the deliveries of a webhook endpoint, with their attempts"""
    rows = WebhookDelivery.objects.select_related("event").filter(endpoint=_endpoint(call))
    if call.params.status:
        rows = rows.filter(status=call.params.status)
    return paging.page(
        rows,
        call.params,
        prefix="whd",
        url=call.url,
        render=lambda found: _deliveries(found, livemode=call.caller.livemode),
    )


@endpoint(permission="webhook_endpoints:write", params=Resend, returns="webhook_delivery")
def resend(call: Call) -> dict[str, Any]:
    """Send one event to a webhook endpoint again"""
    row = webhooks.resend(
        endpoint_id=path_id(call, "we"),
        event_id=paging.identifier("evt", call.params.event, param="event"),
        now=clock.wall(),
    )
    return _deliveries([row], livemode=call.caller.livemode)[0]


@endpoint(permission="webhook_endpoints:write", returns="webhook_delivery")
def send_test(call: Call) -> dict[str, Any]:
    """Send a test event to a webhook endpoint"""
    row = webhooks.send_test(endpoint_id=path_id(call, "we"), livemode=call.caller.livemode, now=clock.wall())
    return _deliveries([row], livemode=call.caller.livemode)[0]


@endpoint(permission="webhook_endpoints:write", params=Backfill, returns="webhook_backfill")
def backfill(call: Call) -> dict[str, Any]:
    """Send the events of a time range to a webhook endpoint"""
    created = call.params.created
    if created.lt <= created.gte:
        raise InvalidParameter("The range ends before it begins.", param="created[lt]")
    count = webhooks.backfill(
        endpoint_id=path_id(call, "we"),
        since=paging.moment(created.gte),
        before=paging.moment(created.lt),
        types=call.params.types,
        includes_succeeded=call.params.include_succeeded,
        now=clock.wall(),
        book_now=call.now,
    )
    return {
        "object": "webhook_backfill",
        "created": {"gte": created.gte, "lt": created.lt},
        "deliveries_count": count,
        "livemode": call.caller.livemode,
        "webhook_endpoint": call.path["id"],
    }


def _with_secret(call: Call, operation: Callable[[], tuple[WebhookEndpoint, str]]) -> Answer:
    """Run an operation that makes a secret, once a key, and show the secret in the answer."""

    def sealed() -> Answer:
        row, secret = operation()
        shown = objects.endpoint(row, livemode=call.caller.livemode)
        return Answer(status=200, body=body(call, {**shown, "secret": secret}))

    answer = idempotency.run_once(call.book_id, call.idempotency, sealed)
    shown = load(answer.body)
    shown["secret"] = secrets.unseal(shown["secret"], endpoint_id=ids.parse("we", shown["id"]))
    return Answer(status=answer.status, body=dump(shown), is_replay=answer.is_replay, request_id=answer.request_id)


def _endpoint(call: Call) -> WebhookEndpoint:
    row = queries.find(path_id(call, "we"))
    if row is None:
        raise not_here(call, "we")
    return row


def _deliveries(rows: Sequence[WebhookDelivery], *, livemode: bool) -> list[dict[str, Any]]:
    attempts = queries.attempts_of(rows)
    return [objects.delivery(row, attempts[row.pk], livemode=livemode) for row in rows]


urlpatterns = [
    door("webhook_endpoints", GET=list_, POST=create),
    door("webhook_endpoints/<id>", GET=retrieve, POST=update, DELETE=delete),
    door("webhook_endpoints/<id>/rotate_secret", POST=rotate_secret),
    door("webhook_endpoints/<id>/deliveries", GET=list_deliveries),
    door("webhook_endpoints/<id>/resend", POST=resend),
    door("webhook_endpoints/<id>/backfill", POST=backfill),
    door("webhook_endpoints/<id>/test", POST=send_test),
]
