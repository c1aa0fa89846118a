"""What is shown where a page cannot be, and that the API's answers stay JSON."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.test import Client
from django.urls import path
from django.views.decorators.http import require_POST

from merchant_platform.urls import handler400, handler403, handler404, handler500
from merchant_platform.urls import urlpatterns as real
from tests.merchant_platform.docs.reading import Page


def fail(error):
    def view(request):
        raise error

    return view


ERRORS = {
    400: SuspiciousOperation("odd"),
    403: PermissionDenied("no"),
    500: RuntimeError("broken"),
    503: OperationalError("gone"),
}
# This module as the urls of the tests below: the real ones, and addresses that fail.
urlpatterns = [
    *(path(f"fails/{status}", fail(error)) for status, error in ERRORS.items()),
    *(path(f"v1/fails/{status}", fail(error)) for status, error in ERRORS.items()),
    path("fails/405", require_POST(fail(RuntimeError("not reached")))),
    path("fails/413", fail(RequestDataTooBig("much"))),
    *real,
]
pytestmark = pytest.mark.urls(__name__)
HEADINGS = {
    400: ("请求", "The request cannot be read"),
    403: ("您不能查看这个页面", "You may not see this page"),
    404: ("这里没有页面", "There is no page here"),
    405: ("无法直接打开此地址", "This address cannot be opened like this"),
    413: ("提交的内容过大", "What was sent is too large"),
    500: ("我们这边出了问题", "Something went wrong on our side"),
    503: ("暂时无法显示", "This cannot be shown just now"),
}
CODES = {
    400: "request_malformed",
    403: "permission_denied",
    404: "url_unknown",
    500: "api_error",
    503: "service_unavailable",
}


def get(address, language="en"):
    return Client(raise_request_exception=False).get(address, headers={"Accept-Language": language})


class TestPages:
    @pytest.mark.parametrize("status", HEADINGS)
    def test_say_it_in_both_languages(self, status, language):
        response = get(f"/fails/{status}", language)
        page = Page(response.content.decode())

        assert response.status_code == status
        assert page.one("html")["lang"] == language
        assert HEADINGS[status][language == "en"] in page.one("h1").text
        # A page that only has to wait leads nobody away: somebody may be paying.
        away = [] if status == 503 else ["/"]
        assert [link["href"] for link in page.all("a") if "button" in (link.attributes.get("class") or "")] == away
        assert response.headers.get("Retry-After") == ("30" if status == 503 else None)

    def test_say_nothing_of_the_mistake(self):
        assert "broken" not in get("/fails/500").content.decode()

    def test_say_which_methods_there_are(self):
        assert get("/fails/405")["Allow"] == "POST"

    def test_stand_for_everything_unknown(self):
        assert get("/docs/").status_code == 404
        assert get("/v2/customers")["Content-Type"] == "text/html; charset=utf-8"


class TestApi:
    @pytest.mark.parametrize("status", CODES)
    def test_answers_in_its_own_envelope(self, status):
        response = get(f"/v1/fails/{status}")

        assert response.status_code == status
        assert response["Content-Type"] == "application/json"
        assert response.json()["error"]["code"] == CODES[status]


assert all((handler400, handler403, handler404, handler500)), "the urls above stand in for the real ones, handlers too"
