"""Refunds that need a second person, at the desk: what a page says of it, and asking for one."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from merchant_platform.kernel import ids, tenancy
from payments.intents import second_person
from payments.web.dashboard import words
from security.approvals import queries
from security.approvals.models import Approval
from security.approvals.operations import AlreadyAsked
from security.web.desk import Desk


class Refund:
    """What a second person allowed (settings.APPROVAL_DEEDS)."""

    do = staticmethod(second_person.carry_out)
    why = staticmethod(words.refusal)


def waiting(desk: Desk, object_id: str) -> str:
    """The page of the refund of an object that waits already; nothing where the merchant asks for no second person."""
    if desk.merchant.refund_alone_max_minor is None:
        return ""
    with tenancy.within(desk.book.pk):
        found = queries.waiting_on(book_id=desk.book.pk, action=second_person.ACTION, object_id=object_id)
    return _page(desk, found) if found else ""


def ask(request: HttpRequest, desk: Desk, object_id: str, ask_once: Callable[[], Approval]) -> HttpResponse:
    """Ask for a refund, and go to the page where it waits. Somebody asked before: to that one."""
    try:
        with tenancy.within(desk.book.pk):
            asked = ask_once()
    except AlreadyAsked:
        messages.info(request, _("A refund of this waits for a second person already."))
        return HttpResponseRedirect(waiting(desk, object_id) or desk.url("approvals"))
    messages.success(request, _("Somebody else has to allow this refund now. It is made when they do."))
    return HttpResponseRedirect(_page(desk, asked))


def _page(desk: Desk, approval: Approval) -> str:
    return desk.url("approval", approval=ids.show(Approval.id_prefix, approval.pk))
