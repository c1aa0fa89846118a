"""One act on the selected payments: confirm, start, and watch what becomes of each."""

import hashlib
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from payments.bulk import operations, queries
from payments.bulk.queries import Progress
from payments.intents import states
from payments.listing import payments as listing
from payments.listing.payments import Line
from payments.story.pieces import left_of
from payments.web.dashboard import lists, payments, standing, words
from payments.web.dashboard.refund import is_large
from security.authentication.step_up import Binding
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up


def _binds(request: HttpRequest, desk: Desk) -> Binding | None:
    """What a step-up on the way is for: all the refunds together. None for the other acts."""
    if request.GET.get("act") != "refund" or not desk.may("payment.refund"):
        return None
    selected = lists.selection(request)
    with tenancy.within(desk.book.pk):
        sums = _sums(_rows("refund", selected, desk))
    is_one = len(sums) == 1
    return Binding(
        object_id=hashlib.sha256(",".join(str(each) for each in selected).encode()).hexdigest(),
        amount_minor=sums[0][1] if is_one else None,
        currency=sums[0][0] if is_one else "",
        what=_("Refund %(amount)s") % {"amount": ", ".join(Money(sum_, code).text(locale()) for code, sum_ in sums)},
        is_required=any(is_large(sum_, code) for code, sum_ in sums),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("payment.view")
@step_up("payment.refund", binds=_binds)
def confirm(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What would be done to each selected payment; then the job. The selection stands in the address."""
    act = request.GET.get("act", "")
    if act not in words.ACTS:
        return HttpResponseRedirect(desk.url("payments"))
    if not desk.may(f"payment.{act}"):
        return desk.render(request, "dashboard/forbidden.html", status=403)
    selected = lists.selection(request)
    if request.method == "POST":
        try:
            with tenancy.within(desk.book.pk):
                job = operations.ask(
                    act=act,
                    intent_ids=selected,
                    staff_id=desk.staff.pk,
                    token=standing.token(request),
                    hand=standing.hand(desk),
                    at=clock.wall(),
                )
        except PlatformError as refused:
            context = {"why": words.refused(refused), "back_url": desk.url("payments")}
            return desk.render(request, "payments/refused.html", context, status=400)
        return HttpResponseRedirect(desk.url("bulk_job", job=ids.show("bulk", job.pk)))
    with tenancy.within(desk.book.pk):
        rows = _rows(act, selected, desk)
    possible = [row for row in rows if row["amount_minor"] is not None]
    shown: dict[str, Any] = {
        "act": act,
        "act_word": words.ACTS[act],
        "rows": rows,
        "possible_count": len(possible),
        "sums": _sums(rows) if act != "cancel" else [],
        "token": standing.new_token(),
    }
    return desk.render(request, "payments/bulk.html", shown)


@require_safe
@desk_page("payment.view")
def show(request: HttpRequest, desk: Desk, job: str) -> HttpResponse:
    """How far a job is, and what became of each payment. The page asks again until it is finished."""
    with tenancy.within(desk.book.pk):
        progress = queries.progress(standing.object_id("bulk", job))
    if progress is None:
        raise Http404
    context = {
        "job_id": job,
        "progress": progress,
        "act_word": words.ACTS[progress.job.act],
        "items": _items(progress),
    }
    if request.headers.get("HX-Request"):
        return render(request, "payments/_bulk_progress.html", {"desk": desk, **context})
    return desk.render(request, "payments/bulk_job.html", context)


def _rows(act: str, selected: list[UUID], desk: Desk) -> list[dict[str, Any]]:
    """The selected payments, each with what the act moves of it: two statements."""
    lines = listing.lines(listing.selected(selected))
    return [{**payments.shown(line, desk), "amount_minor": _amount(act, line)} for line in lines]


def _amount(act: str, line: Line) -> int | None:
    """What the act moves of a payment; None where it is not possible as the payment stands."""
    intent: Any = line.intent
    if act == "refund":
        return left_of(line.attempt) or None
    if act == "capture":
        return intent.capturable_minor if intent.status == states.REQUIRES_CAPTURE else None
    return intent.amount_minor if intent.status in states.CANCELABLE else None


def _sums(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """What is moved in all, by currency."""
    sums: dict[str, int] = {}
    for row in (row for row in rows if row["amount_minor"] is not None):
        sums[row["intent"].currency] = sums.get(row["intent"].currency, 0) + row["amount_minor"]
    return sorted(sums.items())


def _items(progress: Progress) -> list[dict[str, Any]]:
    shown = []
    for item in progress.items:
        kind, word = words.ITEM_STATES[item.status]
        intent: Model = item.intent
        shown.append(
            {
                "payment_id": ids.show("pi", intent.pk),
                "intent": intent,
                "kind": kind,
                "word": word,
                "why": words.refusal(item.code) if item.code else "",
            }
        )
    return shown
