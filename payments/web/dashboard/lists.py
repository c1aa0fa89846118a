"""What the lists of money have in common: filters in the address, a page of rows, and the CSV that equals it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from merchant_platform.kernel import ids, tenancy
from payments.listing.windows import Page
from payments.web.dashboard import sheets, standing
from security.web.desk import Desk
from security.web.parts import Ways

SELECTED_MAX = 200


@dataclass(frozen=True, kw_only=True)
class List:
    """A list: where its rows come from, and how they are shown."""

    # Names its route, the views saved of it, and its file.
    name: str
    template: str
    # What its ids begin with.
    prefix: str
    # One of `filters`: a ListFilter whose `filters` are as `rows` takes them.
    filter: Callable[[HttpRequest, Desk], Any]
    # A module of `payments.listing`: `page`, `lines`, `batches`, and `selected` where rows can be ticked.
    rows: ModuleType
    shown: Callable[[Any, Desk], dict[str, Any]]
    titles: Callable[[Desk], list[str]]
    cells: Callable[[Any, Desk], list[Any]]


def index(request: HttpRequest, desk: Desk, listed: List, *, beside: Callable[[Any], dict[str, Any]]) -> HttpResponse:
    """A page of the list, newest first, and what `beside` reads for the filters in the same unit of work.

    Empty filters are taken out of the address; wrong ones are told and nothing is listed.
    """
    if standing.has_empty(request):
        return HttpResponseRedirect(request.path + standing.query(request))
    form = listed.filter(request, desk)
    after, before = (standing.cursor(request, name, listed.prefix) for name in standing.CURSORS)
    context: dict[str, Any] = {"form": form, "page_name": listed.name}
    if not form.is_valid():
        return desk.render(request, listed.template, {**context, "tabs": form.tab_links(None)}, status=400)
    with tenancy.within(desk.book.pk):
        page = listed.rows.page(form.filters, after=after, before=before)
        lines = listed.rows.lines(page.rows)
        context |= beside(form)
    context |= {
        "chips": form.chips(),
        "lines": [listed.shown(line, desk) for line in lines],
        "ways": ways(request, page, listed.prefix),
        "looked_back_to": page.looked_back_to,
        "query": standing.query(request),
        "is_narrowed": form.is_set or form.tab != "all",
        "is_newest": after is None and before is None,
        "removed_view": _removed_view(request),
    }
    return desk.render(request, listed.template, context)


def export(
    request: HttpRequest, desk: Desk, listed: List, *, action: str, selected: Sequence[UUID] | None = None
) -> HttpResponseBase:
    """The list as it is filtered, or the selected rows of it, as CSV; the audit log says who took it."""
    form = listed.filter(request, desk)
    if not form.is_valid():
        return HttpResponse(_("These filters cannot be read."), status=400, content_type="text/plain; charset=utf-8")
    details: dict[str, Any] = {"filters": sorted(name for name, _value in form.values())}
    if len(form.tabs) > 1:
        details["tab"] = form.tab
    if selected is not None:
        details["selected_count"] = len(selected)
    with tenancy.within(desk.book.pk):
        standing.hand(desk).sign(action, "", **details)

    def batch(cursor: UUID | None) -> tuple[Iterable[Sequence[Any]], UUID | None]:
        if selected:
            rows, older = listed.rows.selected(selected), None
        else:
            page = listed.rows.batches(form.filters, after=cursor)
            rows, older = page.rows, page.older
        return [listed.cells(line, desk) for line in listed.rows.lines(rows)], older

    name = f"{listed.name}-{desk.merchant.slug}"
    return sheets.stream(name=name, book_id=desk.book.pk, titles=listed.titles(desk), batch=batch)


def selection(request: HttpRequest) -> list[UUID]:
    """The payments whose boxes were ticked, as the address says. Raises Http404 for what is no id, or for too many."""
    texts = request.GET.getlist("selected")
    if len(texts) > SELECTED_MAX:
        raise Http404
    return [standing.object_id("pi", text) for text in texts]


def ways(request: HttpRequest, page: Page[Any], prefix: str) -> Ways:
    """The addresses of the pages beside a page."""
    return Ways(
        newer=standing.query(request, before=ids.show(prefix, page.newer)) if page.newer else "",
        older=standing.query(request, after=ids.show(prefix, page.older)) if page.older else "",
    )


def _removed_view(request: HttpRequest) -> str:
    """The view that was removed a moment ago, which can be brought back; empty where none was."""
    text = request.GET.get("removed", "")
    return ids.show("view", standing.object_id("view", text)) if text else ""
