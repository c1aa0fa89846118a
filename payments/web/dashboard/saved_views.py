"""Save a list's filters under a name, remove them, and bring them back."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import NotFound, PlatformError
from payments.saved_views import operations
from payments.web.dashboard import standing, words
from security.web.desk import Desk, desk_page

# The lists that have views: the names of their pages.
PAGES = ("payments", "refunds")


@require_POST
@desk_page("payment.view")
def save(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Save the filters that the form carries."""
    page = request.POST.get("page", "")
    if page not in PAGES:
        raise Http404
    query = _canonical(request.POST.get("query", ""))
    try:
        with tenancy.within(desk.book.pk):
            operations.save(
                page=page,
                name=request.POST.get("name", ""),
                query=query,
                is_shared=request.POST.get("is_shared") == "on",
                staff_id=desk.staff.pk,
                hand=standing.hand(desk),
            )
    except PlatformError as refused:
        context = {"why": words.refused(refused), "back_url": f"{desk.url(page)}?{query}"}
        return desk.render(request, "payments/refused.html", context, status=400)
    messages.success(request, _("The view was saved."))
    return HttpResponseRedirect(f"{desk.url(page)}?{query}")


@require_POST
@desk_page("payment.view")
def remove(request: HttpRequest, desk: Desk, view: str) -> HttpResponse:
    """Remove one's own view; what is shown next offers to bring it back."""
    view_id = standing.object_id("view", view)
    try:
        with tenancy.within(desk.book.pk):
            removed = operations.remove(view_id=view_id, staff_id=desk.staff.pk, hand=standing.hand(desk))
    except NotFound as gone:
        raise Http404 from gone
    return HttpResponseRedirect(f"{desk.url(removed.page)}?removed={view}")


@require_POST
@desk_page("payment.view")
def bring_back(request: HttpRequest, desk: Desk, view: str) -> HttpResponse:
    """Undo a removal."""
    view_id = standing.object_id("view", view)
    try:
        with tenancy.within(desk.book.pk):
            back = operations.bring_back(view_id=view_id, staff_id=desk.staff.pk, hand=standing.hand(desk))
    except NotFound as gone:
        raise Http404 from gone
    except PlatformError as refused:
        context = {"why": words.refused(refused), "back_url": desk.url("payments")}
        return desk.render(request, "payments/refused.html", context, status=400)
    messages.success(request, _("The view is back."))
    return HttpResponseRedirect(f"{desk.url(back.page)}?{back.query}")


def _canonical(text: str) -> str:
    """The filters of an address: nothing that is no filter, nothing empty."""
    given = QueryDict(text.removeprefix("?"), mutable=True)
    for name in standing.NO_FILTERS:
        given.pop(name, None)
    for name in list(given):
        values = [value for value in given.getlist(name) if value]
        if values:
            given.setlist(name, values)
        else:
            given.pop(name)
    return given.urlencode()
