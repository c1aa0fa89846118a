"""Send the past to an endpoint, and watch it go."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from payments.web.dashboard.endpoints import MANAGE, find, said, shown
from payments.web.dashboard.webhook_forms import BackfillForm
from payments.webhooks import operations as webhooks
from payments.webhooks import queries
from security.web.deeds import note
from security.web.desk import Desk, desk_page


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
def backfill(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """Send what a time range held; then watch it go. What is on its way already is not sent again."""
    with tenancy.within(desk.book.pk):
        row = find(webhook)
        waiting = queries.waiting_count(row.pk) if "sent" in request.GET else 0
    local = desk.now.astimezone(desk.zone).replace(tzinfo=None, second=0, microsecond=0)
    initial = {"since": local - timedelta(days=1), "before": local + timedelta(minutes=1)}
    form = BackfillForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            count = _backfill(request, desk, row.pk, form.cleaned_data)
        except PlatformError as error:
            form.add_error(None, said(error))
        else:
            return HttpResponseRedirect(f"{desk.url('webhook_backfill', webhook=webhook)}?sent={count}")
    sent = request.GET.get("sent", "")
    total = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 7 else None
    context = {
        "endpoint": shown(row),
        "form": form,
        "total": total,
        "done": max(0, (total or 0) - waiting),
        "is_over": waiting == 0,
        "events_max": webhooks.BACKFILL_MAX,
        "days_max": webhooks.BACKFILL_AGE_MAX.days,
    }
    if request.headers.get("HX-Request"):
        return desk.render(request, "developers/_backfill.html", context)
    return desk.render(request, "developers/webhook_backfill.html", context, status=400 if form.errors else 200)


def _backfill(request: HttpRequest, desk: Desk, endpoint_id: UUID, asked: dict[str, Any]) -> int:
    since, before = (asked[name].replace(tzinfo=desk.zone) for name in ("since", "before"))
    with tenancy.within(desk.book.pk):
        count = webhooks.backfill(
            endpoint_id=endpoint_id,
            since=since,
            before=before,
            types=None,
            includes_succeeded=asked["includes_succeeded"],
            now=clock.wall(),
            book_now=desk.now,
        )
        note(
            *(desk, "webhook.backfill", ids.show("we", endpoint_id)),
            since=clock.unix(since),
            before=clock.unix(before),
            count=count,
        )
    return count
