import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string


def passed_through(path: str) -> HttpResponse:
    """An empty answer that went through all of the middleware, outermost last."""

    def answer(request):
        return HttpResponse("done")

    for name in reversed(settings.MIDDLEWARE):
        answer = import_string(name)(answer)
    return answer(RequestFactory().get(path))


class TestMiddleware:
    def test_leaves_an_api_answer_as_it_is(self):
        assert dict(passed_through("/v1/customers").headers) == {
            "Content-Type": "text/html; charset=utf-8",
            # Of the three that Django's checks look for by name; on the API's own way there is none.
            "Cross-Origin-Opener-Policy": "same-origin",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }

    @pytest.mark.parametrize("path", ["/", "/v1", "/v10/customers", "/dashboard/v1/"])
    def test_works_on_every_page(self, path):
        headers = passed_through(path).headers

        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Content-Language"] == "en"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"

    def test_checks_no_csrf_token_of_an_api_request(self, db):
        client = Client(enforce_csrf_checks=True)

        assert client.post("/v1/customers").status_code == 401
        assert client.post("/v1/nothing").status_code == 404
        assert client.post("/accounts/login/").status_code == 403
