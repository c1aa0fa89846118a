"""The pages that anybody may read: what this is, how to use it, and what an error means."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant_platform.docs import error_codes, guide, prose, snippets
from merchant_platform.docs.snippets import CURL, JSON, LANGUAGES, Snippet

QUERY_LENGTH_MAX = 100


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this platform is, and the doors it has."""
    shown = snippets.chosen(CURL)
    context = {"address": settings.PUBLIC_URL, "request_shown": shown["pay"], "answer_shown": shown["pay_answer"]}
    return render(request, "docs/home.html", context)


@require_safe
def read_guide(request: HttpRequest) -> HttpResponse:
    """From the first key to the last event, in one page. `?in=python` tells it in Python."""
    language = request.GET.get("in")
    if language not in LANGUAGES:
        language = CURL
    context = {
        "sections": guide.SECTIONS,
        "snippets": snippets.chosen(language),
        "language": language,
        "languages": LANGUAGES,
        "expandable": guide.EXPANDABLE,
        "event_types": guide.event_types(),
        "statuses": guide.STATUSES,
        "figures": guide.figures(),
    }
    return render(request, "docs/guide.html", context)


@require_safe
def list_errors(request: HttpRequest) -> HttpResponse:
    """All codes, or those that `?q=` finds."""
    return render(request, "docs/errors.html", _listed(request.GET.get("q", "")))


@require_safe
def explain_error(request: HttpRequest, code: str) -> HttpResponse:
    """One code: what it means, why it happens, how to mend it. An unknown one is 404, with the list."""
    each = error_codes.CODES.get(code)
    if each is None:
        return render(request, "docs/errors.html", {**_listed(""), "unknown_code": code}, status=404)
    context = {
        "each": each,
        "meaning": prose.html(each.meaning),
        "cause": prose.html(each.cause),
        "mend": prose.html(each.mend),
        "example": Snippet("example", JSON, json.dumps(each.example(), indent=2)),
        "section": next((section for section in guide.SECTIONS if section.name == each.guide), None),
    }
    return render(request, "docs/error.html", context)


def _listed(query: str) -> dict[str, Any]:
    query = query.strip()[:QUERY_LENGTH_MAX]
    groups = list(error_codes.search(query))
    return {
        "groups": groups,
        "query": query,
        "query_length_max": QUERY_LENGTH_MAX,
        "found_count": sum(len(codes) for _, codes in groups),
    }
