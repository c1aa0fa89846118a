"""What an endpoint was sent, and one delivery: the request, every answer to it, and send it again.

An endpoint's page costs the desk's statements and five more (the unit of work, the
endpoint, a page of deliveries, their events), however long its history; a delivery's five.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.events import objects as event_objects
from merchant_platform.kernel.wire import dump
from payments.web.dashboard.endpoints import MANAGE, VIEW, find, said, shown
from payments.webhooks import operations as webhooks
from payments.webhooks import queries, retries, sending
from payments.webhooks.courier import NOT_SENT, USER_AGENT
from payments.webhooks.models import CANCELED, FAILED, PENDING, SUCCEEDED, WebhookAttempt, WebhookDelivery
from payments.webhooks.queries import WantedDeliveries
from security.web import paging
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.parts import Chip, Tab, Ways

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
STATUSES: dict[str, tuple[str, Any]] = {
    PENDING: ("info", pgettext_lazy("delivery", "On its way")),
    SUCCEEDED: ("success", pgettext_lazy("delivery", "Arrived")),
    FAILED: ("danger", pgettext_lazy("delivery", "Failed")),
    CANCELED: ("neutral", pgettext_lazy("delivery", "Canceled")),
}
ANSWERS = {2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx", 0: _("No answer")}
SLOW_MS = (1_000, 5_000)


@require_safe
@desk_page(VIEW)
def of_endpoint(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """An endpoint and what it was sent, newest first, by what is asked."""
    wanted = _wanted(request, desk)
    with tenancy.within(desk.book.pk):
        row = find(webhook)
        found = queries.deliveries(
            endpoint_id=row.pk, wanted=wanted, below=paging.cursor(request, paging.OLDER, "whd"), limit=paging.SIZE
        )
    below = found.goes_on_below
    context = {
        "endpoint": shown(row),
        "deliveries": [delivery_line(each, *found.last[each.pk]) for each in found.rows],
        "tabs": _tabs(request),
        "chips": _chips(request),
        "clear_url": desk.url("webhook", webhook=webhook),
        "ways": Ways(
            newer=paging.with_params(request, {}) if paging.OLDER in request.GET else "",
            older=paging.with_params(request, {paging.OLDER: ids.show("whd", below)}) if below else "",
        ),
        "looks_further": below is not None and len(found.rows) < paging.SIZE,
        "looked_at_max": queries.LOOKED_AT_MAX,
        "answers": ANSWERS,
        "slow": [(ms, ms // 1_000) for ms in SLOW_MS],
        "asked": request.GET.dict(),
        "kept_days": webhooks.KEPT.days,
        "signs_with_old": bool(row.old_secret_until and row.old_secret_until > clock.wall()),
    }
    return desk.render(request, "developers/webhook.html", context)


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
        "delivery": delivery_line(row, last.http_status if last else None, last.duration_ms if last else None),
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
            note(desk, "webhook.resend", webhook, event=ids.show("evt", event_id))
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


def delivery_line(row: Any, http_status: int | None, duration_ms: int | None) -> dict[str, Any]:
    """A delivery as lists show it."""
    colour, word = STATUSES[row.status]
    return {
        "id": ids.show("whd", row.pk),
        "event_id": ids.show("evt", row.event_id),
        "type": row.event.type,
        "row": row,
        "colour": colour,
        "word": word,
        "http_status": http_status,
        "duration_ms": duration_ms,
        "attempts_max": retries.ATTEMPTS_MAX,
    }


def _wanted(request: HttpRequest, desk: Desk) -> WantedDeliveries:
    asked = request.GET
    answer, slow = asked.get("answer", ""), asked.get("slow", "")
    return WantedDeliveries(
        status=asked["status"] if asked.get("status") in STATUSES else "",
        answer_class=int(answer) if answer in map(str, ANSWERS) else None,
        slower_than_ms=int(slow) if slow in map(str, SLOW_MS) else None,
        was_retried=asked.get("retried") == "1",
        since=paging.moment(request, "since", desk.zone),
        before=paging.moment(request, "before", desk.zone),
    )


def _tabs(request: HttpRequest) -> list[Tab]:
    current = request.GET.get("status", "")
    tabs = [Tab(title=_("All"), url=paging.with_params(request, {"status": ""}), is_current=current not in STATUSES)]
    return tabs + [
        Tab(title=word, url=paging.with_params(request, {"status": status}), is_current=current == status)
        for status, (_colour, word) in STATUSES.items()
    ]


def _chips(request: HttpRequest) -> list[Chip]:
    asked = request.GET
    words: list[tuple[str, Any, Any]] = [
        ("answer", _("Answer"), {str(each): word for each, word in ANSWERS.items()}.get(asked.get("answer", ""))),
        ("slow", _("Took"), f"≥ {asked['slow']} ms" if asked.get("slow", "") in map(str, SLOW_MS) else None),
        ("retried", _("Attempts"), f"≥ {queries.TRIED_AGAIN}" if asked.get("retried") == "1" else None),
        ("since", _("Since"), asked.get("since")),
        ("before", _("Until"), asked.get("before")),
    ]
    return [
        Chip(title=title, value=str(value)[:64], remove_url=paging.with_params(request, {name: ""}))
        for name, title, value in words
        if value
    ]
