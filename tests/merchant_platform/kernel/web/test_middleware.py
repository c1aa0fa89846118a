import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.module_loading import import_string

from merchant_platform.kernel.web import middleware


def passed_through(path: str) -> HttpResponse:
    """An empty answer that went through all of the middleware, outermost last."""

    def answer(request):
        return HttpResponse("done")

    for name in reversed(settings.MIDDLEWARE):
        answer = import_string(name)(answer)
    return answer(RequestFactory().get(path))


class TestMiddleware:
    def test_leaves_an_api_answer_as_it_is(self):
        assert dict(passed_through("/v1/customers").headers) == {"Content-Type": "text/html; charset=utf-8"}

    @pytest.mark.parametrize("path", ["/", "/v1", "/v10/customers", "/dashboard/v1/"])
    def test_works_on_every_page(self, path):
        headers = passed_through(path).headers

        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Content-Language"] == "en"

    def test_checks_no_csrf_token_of_an_api_request(self):
        csrf = middleware.Csrf(lambda request: HttpResponse("done"))
        view = lambda request: HttpResponse("done")  # noqa: E731

        api, page = (RequestFactory(enforce_csrf_checks=True).post(path) for path in ("/v1/customers", "/pay"))

        assert csrf.process_view(api, view, (), {}) is None
        assert csrf.process_view(page, view, (), {}).status_code == 403
