"""Keep endpoints, and have events sent again. Webhooks live in the world's time: `now` is wall time here."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import Q

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, TooMany, WrongState, missing
from merchant_platform.kernel.events import router
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.metadata import merge
from payments.webhooks import addresses, objects, queries, secrets
from payments.webhooks.models import (
    BY_MERCHANT,
    CANCELED,
    DISABLED,
    ENABLED,
    FAILED,
    PENDING,
    SUCCEEDED,
    WebhookDelivery,
    WebhookEndpoint,
)

EVERY = "*"
ENDPOINTS_MAX = 16
BACKFILL_MAX = 10_000
# As long as events are listed.
BACKFILL_AGE_MAX = timedelta(days=30)
OVERLAP_DEFAULT, OVERLAP_MAX = timedelta(hours=24), timedelta(days=7)
TEST_TYPE = "webhook_endpoint.test"
DISABLED_TYPE = "webhook_endpoint.disabled"
KEPT = timedelta(days=30)
PURGE_BATCH = 10_000
# Between two tests of an endpoint.
TEST_PAUSE = timedelta(seconds=15)


class TooManyEndpoints(Invalid):
    """The book has as many endpoints as it may have."""

    code = "webhook_endpoint_limit"


class EndpointDisabled(WrongState):
    """Nothing is sent to a disabled endpoint."""

    code = "webhook_endpoint_disabled"


class TestedJustNow(TooMany):
    """The endpoint is being tried, or was a moment ago."""

    code = "webhook_test_running"


class BackfillTooLarge(Invalid):
    """The range holds more events than one back-fill sends."""

    code = "backfill_too_large"


def create(*, fields: dict[str, Any], livemode: bool, now: datetime) -> tuple[WebhookEndpoint, str]:
    """Register an endpoint. This will write it and return it with its sealed secret.

    Raises InvalidUrl, Invalid for an unknown type, and TooManyEndpoints.
    """
    addresses.check_form(fields["url"], livemode=livemode)
    book_id = tenancy.book_id()
    with connections["default"].cursor() as cursor:
        # Counting and adding is one act: two at once would both find the last place free.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"webhook_endpoints:{book_id}"])
    if WebhookEndpoint.objects.filter(deleted_at__isnull=True).count() >= ENDPOINTS_MAX:
        raise TooManyEndpoints(f"A merchant has up to {ENDPOINTS_MAX} webhook endpoints a mode: delete one first.")
    endpoint_id = ids.new(now)
    endpoint = WebhookEndpoint.objects.create(
        id=endpoint_id,
        book_id=book_id,
        url=fields["url"],
        enabled_events=_types(fields["enabled_events"]),
        description=fields.get("description"),
        metadata=merge({}, fields.get("metadata")),
        api_version=fields.get("api_version"),
        sealed_secret=secrets.seal(secrets.new(), endpoint_id=endpoint_id),
        listens_since=_present(),
        created_at=now,
    )
    return endpoint, endpoint.sealed_secret


def update(*, endpoint_id: UUID, fields: dict[str, Any], livemode: bool) -> WebhookEndpoint:
    """Change an endpoint. This will write the given fields; `is_disabled` switches it off or on.

    Switched on, it is told of what happens from now on, and of what it was owed before. Raises NotFound,
    InvalidUrl, and Invalid for an unknown type.
    """
    endpoint = _locked(endpoint_id)
    if "url" in fields:
        addresses.check_form(fields["url"], livemode=livemode)
    if "enabled_events" in fields:
        fields["enabled_events"] = _types(fields["enabled_events"])
    if "metadata" in fields:
        fields["metadata"] = merge(endpoint.metadata, fields["metadata"])
    is_disabled = fields.pop("is_disabled", None)
    if is_disabled is True and endpoint.is_enabled:
        fields |= {"status": DISABLED, "disabled_reason": BY_MERCHANT}
    if is_disabled is False and not endpoint.is_enabled:
        fields |= {"status": ENABLED, "disabled_reason": "", "failing_since": None, "listens_since": _present()}
    for name, value in fields.items():
        setattr(endpoint, name, value)
    endpoint.save(update_fields=list(fields))
    return endpoint


def delete(*, endpoint_id: UUID, now: datetime) -> WebhookEndpoint:
    """Forget an endpoint. This will hide it, cancel what it was still owed, and wipe its secrets. Raises NotFound."""
    endpoint = _locked(endpoint_id)
    endpoint.deleted_at = now
    endpoint.sealed_secret, endpoint.sealed_old_secret = "", None
    endpoint.save(update_fields=["deleted_at", "sealed_secret", "sealed_old_secret"])
    WebhookDelivery.objects.filter(endpoint=endpoint, status=PENDING).update(status=CANCELED, finished_at=now)
    return endpoint


def rotate_secret(*, endpoint_id: UUID, overlap: timedelta, now: datetime) -> tuple[WebhookEndpoint, str]:
    """Give an endpoint a new secret. This will sign with the old one too for `overlap`; returns the sealed new one.

    Raises NotFound, and Invalid for an overlap over a week.
    """
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        raise Invalid(
            f"The old secret can sign beside the new one for {OVERLAP_MAX.days} days at most.", param="expires_in"
        )
    endpoint = _locked(endpoint_id)
    endpoint.sealed_old_secret, endpoint.old_secret_until = endpoint.sealed_secret, now + overlap
    endpoint.sealed_secret = secrets.seal(secrets.new(), endpoint_id=endpoint_id)
    endpoint.save(update_fields=["sealed_secret", "sealed_old_secret", "old_secret_until"])
    return endpoint, endpoint.sealed_secret


def switch_off(*, endpoint_id: UUID, reason: str, now: datetime, failing_before: datetime | None = None) -> bool:
    """Stop sending to an endpoint that refuses it. This will disable it and tell its people; False where it was off.

    With `failing_before`, only if it began to fail before that.
    """
    endpoints = WebhookEndpoint.objects.filter(pk=endpoint_id, status=ENABLED, deleted_at__isnull=True)
    if failing_before is not None:
        endpoints = endpoints.filter(failing_since__lte=failing_before)
    if not endpoints.update(status=DISABLED, disabled_reason=reason):
        return False
    endpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
    # No door asks for it, so its mode is not told.
    told = {name: value for name, value in objects.endpoint(endpoint, livemode=False).items() if name != "livemode"}
    publish(row(DISABLED_TYPE, told, now=now, is_public=False))
    return True


def resend(*, endpoint_id: UUID, event_id: UUID, now: datetime) -> WebhookDelivery:
    """Send one event to one endpoint, whatever types it asks for. This will make or reopen its delivery.

    Raises NotFound for the endpoint, `resource_missing` of `event`, and EndpointDisabled.
    """
    endpoint = _listening(endpoint_id)
    if not Event.objects.filter(pk=event_id, is_public=True).exists():
        raise missing("event", ids.show("evt", event_id), param="event")
    return _owe(endpoint, event_id, now=now)


def send_test(*, endpoint_id: UUID, livemode: bool, now: datetime) -> WebhookDelivery:
    """Send an event that says nothing happened. This will write it for this endpoint alone: no list shows it.

    Raises NotFound and EndpointDisabled.
    """
    endpoint = _listening(endpoint_id)
    event = row(TEST_TYPE, objects.endpoint(endpoint, livemode=livemode), now=now, is_public=False)
    publish(event)
    return _owe(endpoint, event.id, now=now)


def begin_test(*, endpoint_id: UUID, now: datetime) -> WebhookEndpoint:
    """Take the right to try an endpoint (tester.py). This will stamp it and return it.

    Raises NotFound, EndpointDisabled, and TestedJustNow: a form sent twice tries once.
    """
    endpoint = _listening(endpoint_id)
    free = WebhookEndpoint.objects.filter(
        Q(tested_at__isnull=True) | Q(tested_at__lte=now - TEST_PAUSE), pk=endpoint_id
    )
    if not free.update(tested_at=now):
        seconds = int(TEST_PAUSE.total_seconds())
        raise TestedJustNow(f"This endpoint was tried within the last {seconds} seconds.", retry_after=seconds)
    return endpoint


def backfill(
    *,
    endpoint_id: UUID,
    since: datetime,
    before: datetime,
    types: Sequence[str] | None,
    includes_succeeded: bool,
    now: datetime,
    book_now: datetime,
) -> int:
    """Send the events of a time range [since, before) of the book's time. This will return how many are sent.

    `types` may name some that the endpoint does not ask for; without, they are those it asks for now.
    What is on its way already is left alone, what arrived too unless `includes_succeeded`.
    Raises NotFound, EndpointDisabled, Invalid for an unknown type, and BackfillTooLarge.
    """
    endpoint = _listening(endpoint_id)
    wanted = _types(types, param="types") if types is not None else endpoint.enabled_events
    events = Event.objects.filter(
        is_public=True, pk__gte=ids.first_at(max(since, book_now - BACKFILL_AGE_MAX)), pk__lt=ids.first_at(before)
    )
    if EVERY not in wanted:
        events = events.filter(type__in=wanted)
    found = list(events.order_by("pk").values_list("pk", flat=True)[: BACKFILL_MAX + 1])
    if len(found) > BACKFILL_MAX:
        raise BackfillTooLarge(
            f"The range holds more than {BACKFILL_MAX} events: ask for a shorter one.", param="created"
        )
    again = [FAILED, CANCELED, *([SUCCEEDED] if includes_succeeded else [])]
    return _owe_all(endpoint, found, again=again, now=now)


def purge(*, now: datetime) -> int:
    """Delete attempts older than 30 days, and deliveries of that age that nobody will send, of all books.

    This will return how many rows went; in batches, so that no lock lasts.
    """
    before = now - KEPT
    return _purge("payments_webhookattempt", "id < %(oldest)s", before) + _purge(
        "payments_webhookdelivery",
        # An old one that is sent again is due again.
        "id < %(oldest)s AND (status <> 'pending' OR due_at < %(before)s)"
        " AND NOT EXISTS (SELECT 1 FROM payments_webhookattempt a"
        " WHERE a.book_id = payments_webhookdelivery.book_id AND a.delivery_id = payments_webhookdelivery.id)",
        before,
    )


def _purge(table: str, condition: str, before: datetime) -> int:
    gone = 0
    while True:
        with connections["platform"].cursor() as cursor:
            cursor.execute(
                f"DELETE FROM {table} WHERE id IN"
                f" (SELECT id FROM {table} WHERE {condition} ORDER BY id LIMIT %(limit)s)",
                {"oldest": ids.first_at(before), "before": before, "limit": PURGE_BATCH},
            )
            gone += cursor.rowcount
            if cursor.rowcount < PURGE_BATCH:
                return gone


def _owe(endpoint: WebhookEndpoint, event_id: UUID, *, now: datetime) -> WebhookDelivery:
    _owe_all(endpoint, [event_id], again=[PENDING, FAILED, CANCELED, SUCCEEDED], now=now)
    return WebhookDelivery.objects.select_related("event").get(endpoint=endpoint, event_id=event_id)


def _owe_all(endpoint: WebhookEndpoint, event_ids: Sequence[UUID], *, again: list[str], now: datetime) -> int:
    """One statement: new deliveries, and those in a state of `again` from the beginning of the schedule."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_webhookdelivery AS d"
            " (id, book_id, endpoint_id, event_id, status, attempts_count, due_at, created_at)"
            " SELECT n.id, %s, %s, n.event_id, 'pending', 0, %s, %s"
            " FROM unnest(%s::uuid[], %s::uuid[]) AS n (id, event_id)"
            " ON CONFLICT (book_id, endpoint_id, event_id) DO UPDATE SET status = 'pending', attempts_count = 0,"
            " due_at = excluded.due_at, claimed_until = NULL, finished_at = NULL WHERE d.status = ANY (%s)",
            [endpoint.book_id, endpoint.pk, now, now, [ids.new(now) for _ in event_ids], list(event_ids), again],
        )
        return cursor.rowcount


def _types(names: Iterable[str], *, param: str = "enabled_events") -> list[str]:
    """Each type once, in the order given. Raises Invalid for none, and for one that nobody publishes."""
    wanted = list(dict.fromkeys(names))
    if not wanted:
        raise Invalid("Name at least one type, or '*' for all of them.", code="parameter_missing", param=param)
    known = {EVERY, *router.public_types()}
    for position, name in enumerate(wanted):
        if name not in known:
            raise Invalid(
                f"Invalid {param}[{position}]: '{name[:100]}' is no event type.", param=f"{param}[{position}]"
            )
    return wanted


def _present() -> str:
    """What is visible now, as a pg_snapshot: an endpoint is not told of what was there before it."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return cursor.fetchone()[0]


def _locked(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id, deleted_at__isnull=True).first()
    if endpoint is None:
        raise missing("webhook_endpoint", ids.show("we", endpoint_id))
    return endpoint


def _listening(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = queries.find(endpoint_id)
    if endpoint is None:
        raise missing("webhook_endpoint", ids.show("we", endpoint_id))
    if not endpoint.is_enabled:
        raise EndpointDisabled("This endpoint is disabled: enable it first (disabled=false).")
    return endpoint
