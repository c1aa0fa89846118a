"""Find an object, a page or an action; see what waits."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from security.web import attention
from security.web import palette as palettes
from security.web import search as searching
from security.web.desk import Desk, desk_page

# Longer texts name nothing that we keep.
TEXT_MAX = 200


@require_safe
@desk_page()
def search(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What was found. A text that names one object, by its id, goes straight to it."""
    text = _text(request)
    hits = searching.find(desk, text)
    if len(hits) == 1 and hits[0].is_exact:
        return HttpResponseRedirect(hits[0].url)
    return desk.render(request, "dashboard/search.html", {"search_text": text, "hits": hits})


@require_safe
@desk_page()
def palette(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What the palette shows for a text."""
    return render(request, "dashboard/_palette.html", {"found": palettes.find(desk, _text(request))})


@require_safe
@desk_page()
def notifications(request: HttpRequest, desk: Desk) -> HttpResponse:
    """What needs somebody's attention, and where it is dealt with."""
    return desk.render(request, "dashboard/notifications.html", {"waiting": attention.waiting(desk)})


@require_safe
@desk_page()
def notification_count(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The number on the bell."""
    count = sum(each.count for each in attention.waiting(desk))
    return render(request, "dashboard/_count.html", {"count": count})


def _text(request: HttpRequest) -> str:
    """What was typed, as far as it can name anything: NUL ends no text of ours."""
    return request.GET.get("q", "").replace("\0", "")[:TEXT_MAX].strip()
