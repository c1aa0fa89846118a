"""What a person sees where a page cannot be shown. Under /v1 the same refusal leaves in the API's own envelope."""

import sys
from collections.abc import Callable

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from merchant_platform.kernel.api import doors
from merchant_platform.kernel.api.bodies import MalformedBody
from merchant_platform.kernel.errors import Forbidden
from merchant_platform.kernel.web.middleware import API_PREFIX

# When a page that the database did not answer is worth another look.
RETRY_SECONDS = 30


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the browser sent what cannot be read."""
    if _is_api(request):
        return doors.refuse(MalformedBody("The request cannot be read."))
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: who asks may not see this."""
    if _is_api(request):
        return doors.refuse(Forbidden("This request is not allowed."))
    return render(request, "403.html", status=403)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is nothing at this address."""
    if _is_api(request):
        return doors.unknown_address(request)
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: we made a mistake; 503: the database does not answer. Neither page reads what could fail a second time."""
    error = sys.exc_info()[1]
    if _is_api(request):
        return doors.refuse(error if isinstance(error, Exception) else RuntimeError("a request left no exception"))
    if isinstance(error, OperationalError | InterfaceError):
        page = render(request, "503.html", status=503)
        page.headers["Retry-After"] = str(RETRY_SECONDS)
        return page
    return render(request, "500.html", status=500)


class WrongMethods:
    """405: Django's own refusal is an empty page, and people come to one: a form that asked them to sign in first."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content or _is_api(request):
            return response
        page = render(request, "405.html", status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)
