"""The page of approvals: what waits for a second person, and who decided what."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from security.approvals import operations, queries
from security.approvals.models import Approval
from security.approvals.states import REQUESTED
from security.web.attention import Attention
from security.web.desk import Desk, desk_page
from security.web.parts import Tab, Ways
from security.web.step_up import Binding, step_up

PAGE = 25
NOTE_MAX = 500
# Why it is not decided; whatever else there is comes of somebody having been faster.
_WORDS: dict[type[PlatformError], Any] = {
    operations.OwnRequest: gettext_lazy("You asked for this yourself: somebody else has to decide."),
    operations.MayNotDecide: gettext_lazy("Your role does not decide this."),
    operations.TooLate: gettext_lazy("Nobody decided in time. It has to be asked for again."),
    operations.AskerGone: gettext_lazy("Who asked may not do this any more. Refuse it."),
}
# The page of what an approval is about, by how its id begins.
_PAGES = {"pi": "payment", "ord": "order"}


@require_safe
@desk_page("approval.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Those that wait, or those that are decided, newest first."""
    is_waiting = request.GET.get("status") != "decided"
    with tenancy.within(desk.book.pk):
        found = queries.approvals(book_id=desk.book.pk, is_waiting=is_waiting)
        before = _parsed(request.GET.get("before", ""))
        if before is not None:
            found = found.filter(pk__lt=before)
        rows = list(found[: PAGE + 1])
    here = desk.url("approvals")
    older = ids.show(Approval.id_prefix, rows[PAGE - 1].pk) if len(rows) > PAGE else ""
    status = "" if is_waiting else "&status=decided"
    context = {
        "rows": rows[:PAGE],
        "is_waiting": is_waiting,
        "tabs": [
            Tab(_("Waiting"), here, is_current=is_waiting),
            Tab(_("Decided"), f"{here}?status=decided", is_current=not is_waiting),
        ],
        "ways": Ways(
            newer=here + status.replace("&", "?") if before else "",
            older=f"{here}?before={older}{status}" if older else "",
        ),
    }
    return desk.render(request, "approvals/list.html", context)


@require_safe
@desk_page("approval.view")
def show(request: HttpRequest, desk: Desk, approval: str) -> HttpResponse:
    """One of them: who asked for what and why, and the two answers."""
    with tenancy.within(desk.book.pk):
        found = _get(desk, approval)
    may_decide = found.status == REQUESTED and operations.may_decide(approval=found, staff=desk.staff)
    context = {"approval": found, "may_decide": may_decide, "object_url": _object_url(desk, found)}
    return desk.render(request, "approvals/detail.html", context)


def _binds(request: HttpRequest, desk: Desk, approval: str) -> Binding | None:
    with tenancy.within(desk.book.pk):
        found = _get(desk, approval)
    if found.status != REQUESTED:
        return None
    return Binding(
        object_id=approval,
        amount_minor=found.facts.get("amount_minor"),
        currency=found.facts.get("currency", ""),
        payee=found.facts.get("payee", ""),
        what=found.what,
    )


@desk_page("approval.decide")
@step_up("approval.decide", binds=_binds)
def approve(request: HttpRequest, desk: Desk, approval: str) -> HttpResponse:
    """Allow it: the page that asks once more, and the deed."""
    if request.method == "POST":
        reply = _decide(request, desk, approval, operations.approve, _("Approved."))
        identifier = _parsed(approval)
        assert identifier is not None, "it was found"
        operations.carry_out(book_id=desk.book.pk, approval_id=identifier)
        return reply
    with tenancy.within(desk.book.pk):
        found = _get(desk, approval)
    context = {"approval": found, "object_url": _object_url(desk, found)}
    return desk.render(request, "approvals/approve.html", context)


@require_POST
@desk_page("approval.decide")
def refuse(request: HttpRequest, desk: Desk, approval: str) -> HttpResponse:
    """Refuse it."""
    return _decide(request, desk, approval, operations.refuse, _("Refused."))


def attention(desk: Desk) -> list[Attention]:
    """What waits for this person's word (settings.DASHBOARD_ATTENTION)."""
    with tenancy.within(desk.book.pk):
        count = queries.waiting_for(book_id=desk.book.pk, staff=desk.staff)
    return [Attention("approval", _("Approvals wait for your decision"), desk.url("approvals"), count)]


def _decide(request: HttpRequest, desk: Desk, approval: str, decide, done: str) -> HttpResponse:
    note = request.POST.get("note", "")[:NOTE_MAX].replace("\0", "").strip()
    try:
        with tenancy.within(desk.book.pk):
            decide(approval=_get(desk, approval), staff=desk.staff, note=note, now=desk.now, actor=desk.actor)
    except PlatformError as refused:
        messages.error(request, _WORDS.get(type(refused)) or _("Somebody decided this before."))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(desk.url("approval", approval=approval))


def _get(desk: Desk, approval: str) -> Approval:
    identifier = _parsed(approval)
    found = Approval.objects.select_related("requested_by__user", "decided_by__user")
    try:
        return found.get(book_id=desk.book.pk, pk=identifier)
    except Approval.DoesNotExist as error:
        raise Http404 from error


def _parsed(text: str):
    try:
        return ids.parse(Approval.id_prefix, text)
    except ids.MalformedId:
        return None


def _object_url(desk: Desk, approval: Approval) -> str:
    prefix = approval.object_id.partition("_")[0]
    page = _PAGES.get(prefix)
    return desk.url(page, **{page: approval.object_id}) if page else ""
