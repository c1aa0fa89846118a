"""One delivery: what was sent, what came back, each time; and send it again. Nine statements with the desk's."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.events import objects as event_objects
from merchant_platform.kernel.wire import dump
from payments.web.dashboard.webhooks import MANAGE, VIEW, delivery_line, find, said, shown
from payments.webhooks import operations as webhooks
from payments.webhooks import queries, sending
from payments.webhooks.courier import NOT_SENT, USER_AGENT
from payments.webhooks.models import WebhookAttempt, WebhookDelivery
from security.web import paging
from security.web.deeds import note
from security.web.desk import Desk, desk_page

# A page shows no more of a body.
BODY_SHOWN_MAX = 32 * 1024
OUTCOMES: dict[str, Any] = {
    sending.SUCCEEDED: _("It answered well"),
    sending.HTTP_ERROR: _("It answered with an error"),
    sending.REDIRECTED: _("It answered with a redirect, which is not followed"),
    sending.TIMED_OUT: _("It did not answer in time"),
    sending.UNREACHABLE: _("It could not be reached"),
    sending.REFUSED_ADDRESS: _("Its name leads to where no webhook may go"),
    NOT_SENT: _("It could not be sent: a fault of ours"),
}


@require_safe
@desk_page(VIEW)
def show(request: HttpRequest, desk: Desk, webhook: str, delivery: str) -> HttpResponse:
    """The request as it was sent and every answer to it."""
    with tenancy.within(desk.book.pk):
        endpoint = find(webhook)
        row = _find(delivery, endpoint.pk)
        attempts = queries.attempts_of([row])[row.pk]
    last = attempts[-1] if attempts else None
    event = event_objects.event(row.event, livemode=desk.book.livemode)
    # The very bytes that are signed: not made pretty.
    body = dump(event)
    context = {
        "endpoint": shown(endpoint),
        "delivery": delivery_line(row, last and last.http_status, last and last.duration_ms),
        "attempts": [_attempt(each) for each in reversed(attempts)],
        "headers": _sent_headers(event["id"], last),
        "body": body[:BODY_SHOWN_MAX],
        "body_left_out": max(0, len(body) - BODY_SHOWN_MAX),
        "kept_days": webhooks.KEPT.days,
    }
    return desk.render(request, "developers/webhook_delivery.html", context)


@require_POST
@desk_page(MANAGE)
def resend(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """Send one event again: `event` names it. Twice in a row it is still one delivery that waits to be sent."""
    event_id = paging.identifier("evt", request.POST.get("event", ""))
    if event_id is None:
        raise Http404
    try:
        with tenancy.within(desk.book.pk):
            endpoint = find(webhook)
            row = webhooks.resend(endpoint_id=endpoint.pk, event_id=event_id, now=clock.wall())
            note(request, desk, "webhook.resend", webhook, event=ids.show("evt", event_id))
    except PlatformError as error:
        messages.error(request, said(error))
        return HttpResponseRedirect(desk.url("webhook", webhook=webhook))
    messages.success(request, gettext("It is on its way again."))
    return HttpResponseRedirect(desk.url("webhook_delivery", webhook=webhook, delivery=ids.show("whd", row.pk)))


def _find(shown_id: str, endpoint_id: Any) -> WebhookDelivery:
    delivery_id = paging.identifier("whd", shown_id)
    row = queries.delivery(delivery_id) if delivery_id else None
    if row is None or row.endpoint_id != endpoint_id:
        raise Http404
    return row


def _attempt(row: WebhookAttempt) -> dict[str, Any]:
    is_good = row.outcome == sending.SUCCEEDED
    return {"row": row, "is_good": is_good, "outcome": OUTCOMES.get(row.outcome, row.outcome)}


def _sent_headers(event_id: str, last: WebhookAttempt | None) -> list[tuple[str, str]]:
    """What the last request said before its body. Signatures are made when it is sent and kept nowhere."""
    sent_at = str(clock.unix(last.attempted_at)) if last else "…"
    return [
        ("Content-Type", "application/json; charset=utf-8"),
        ("User-Agent", USER_AGENT),
        ("Stripe-Signature", f"t={sent_at},v1=…"),
        ("webhook-id", event_id),
        ("webhook-timestamp", sent_at),
        ("webhook-signature", "v1,…"),
    ]
