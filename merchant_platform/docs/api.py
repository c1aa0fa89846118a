"""The pages of the API reference: /docs/api, and one page a resource. Server-rendered, so that they need no program."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from merchant_platform.docs import guide, reference
from merchant_platform.docs.snippets import CURL, LANGUAGES

QUERY_LENGTH_MAX = 100


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every operation by its resource, or those that `?q=` finds."""
    query = request.GET.get("q", "").strip()[:QUERY_LENGTH_MAX]
    found = reference.search(query)
    context = {
        "found": found,
        "query": query,
        "query_length_max": QUERY_LENGTH_MAX,
        "found_count": sum(len(operations) for _, operations in found),
        "figures": guide.figures(),
    }
    return render(request, "docs/api.html", context)


@require_safe
def resource(request: HttpRequest, name: str) -> HttpResponse:
    """One resource: its operations, their parameters, what they answer, how they refuse. `?in=python` for Python."""
    shown = reference.resources().get(name)
    if shown is None:
        raise Http404
    language = request.GET.get("in")
    context = {
        "resource": shown,
        "resources": reference.resources(),
        "language": language if language in LANGUAGES else CURL,
        "languages": LANGUAGES,
        "address": reference.address(),
    }
    return render(request, "docs/resource.html", context)
