"""Notes that staff write on a payment."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import Forbidden, NotFound, PlatformError
from payments.notes import operations, queries
from payments.notes.models import BODY_MAX
from payments.story.queries import find
from payments.web.dashboard import standing, words
from security.web.desk import Desk, desk_page


@require_POST
@desk_page("note.write")
def add(request: HttpRequest, desk: Desk, payment: str) -> HttpResponse:
    """Add a note, once a form."""
    intent_id, token = standing.object_id("pi", payment), standing.token(request)

    def act() -> None:
        if find(intent_id) is None:
            raise Http404
        operations.add(
            intent_id=intent_id,
            body=request.POST.get("body", ""),
            author_id=desk.staff.pk,
            token=token,
            hand=standing.hand(desk),
        )

    return _done(request, desk, payment, act, _("The note was added."))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("note.write")
def change(request: HttpRequest, desk: Desk, payment: str, note: str) -> HttpResponse:
    """The note to be changed, and the change. What it said before stays in its history."""
    intent_id, note_id = standing.object_id("pi", payment), standing.object_id("note", note)
    with tenancy.within(desk.book.pk):
        found = next((each for each in queries.of_payment(intent_id) if each.note.pk == note_id), None)
    if found is None:
        raise Http404
    if request.method != "POST":
        is_own = found.note.author_id == desk.staff.pk
        context = {"note": found, "payment_id": payment, "is_own": is_own, "body_max": BODY_MAX}
        return desk.render(request, "payments/note.html", context, status=200 if is_own else 403)
    hand = standing.hand(desk)
    if request.POST.get("act") == "remove":
        return _done(
            request,
            desk,
            payment,
            lambda: operations.remove(note_id=note_id, author_id=desk.staff.pk, hand=hand),
            _("The note was removed."),
        )
    return _done(
        request,
        desk,
        payment,
        lambda: operations.change(
            note_id=note_id, body=request.POST.get("body", ""), author_id=desk.staff.pk, hand=hand
        ),
        _("The note was changed."),
    )


def _done(request: HttpRequest, desk: Desk, payment: str, act: Callable[[], object], words_: str) -> HttpResponse:
    """Do it, say so, and go back to the payment."""
    try:
        with tenancy.within(desk.book.pk):
            act()
    except NotFound as gone:
        raise Http404 from gone
    except Forbidden as refused:
        return desk.render(request, "payments/refused.html", {"why": words.refused(refused)}, status=403)
    except PlatformError as refused:
        context = {"why": words.refused(refused), "back_url": desk.url("payment", payment=payment)}
        return desk.render(request, "payments/refused.html", context, status=400)
    messages.success(request, words_)
    return HttpResponseRedirect(desk.url("payment", payment=payment) + "#notes")
