"""The API's short way answers what Django's own handler answers, and outlives a broken connection."""

from contextlib import closing

import psycopg2
import pytest
from django.db import connections
from django.test import Client, RequestFactory
from django.urls import resolve

from merchant_platform.kernel.api.wsgi import ApiApplication
from tests.cast import FORM

# Of pages: how a browser may frame, open and leave them. A door answers below what says so.
OF_PAGES = {"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin", "X-Frame-Options": "DENY"}
pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def answer(application, method: str, path: str, body: bytes = b"", **headers: str):
    environ = RequestFactory(headers=headers).generic(method, path, body, FORM).environ
    head: list = []
    content = b"".join(application(environ, lambda status, headers: head.extend((status, headers))))
    return int(head[0][:3]), dict(head[1]), content


@pytest.fixture
def application():
    return ApiApplication()


class TestApiApplication:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/v1/customers", b""),
            ("GET", "/v1/customers?limit=0", b""),
            ("GET", "/v1/customers/cus_0000000000000000000000", b""),
            ("DELETE", "/v1/customers", b""),
            ("OPTIONS", "/v1/customers", b""),
            ("POST", "/v1/customers", b"name=%ff"),
            ("POST", "/v1/customers", b"x" * (1 << 20) + b"x"),
            ("GET", "/v1/schema", b""),
            ("GET", "/v1/nothing/here", b""),
            ("GET", "/v1/", b""),
            ("GET", "/v1/%ff%00", b""),
            ("GET", "/v1/customers/", b""),
        ],
    )
    def test_answers_as_djangos_handler_does(self, application, api, method, path, body):
        headers = {"Authorization": f"Bearer {api.key}"}

        status, shown, content = answer(application, method, path, body, **headers)
        other = Client(headers=headers).generic(method, path, body, FORM)

        shown.pop("Request-Id", None)
        assert status == other.status_code
        assert {**shown, **OF_PAGES} == {name: value for name, value in other.headers.items() if name != "Request-Id"}
        assert content == other.content

    def test_remembers_the_addresses_of_doors_and_no_ids(self, application, api):
        for path in ("customers", "customers", "customers/cus_1", "customers/cus_2", "nothing", "nothing/more"):
            answer(application, "GET", f"/v1/{path}", Authorization=f"Bearer {api.key}")

        assert application._views == {"/v1/customers": resolve("/v1/customers").func}

    def test_answers_again_after_the_database_cut_a_connection(self, application, api):
        headers = {"Authorization": f"Bearer {api.key}"}
        assert answer(application, "GET", "/v1/customers", **headers)[0] == 200
        with closing(psycopg2.connect(**connections["default"].get_connection_params())) as second:
            ours = connections["default"].connection.info.backend_pid
            second.cursor().execute("SELECT pg_terminate_backend(%s)", [ours])

        statuses = [answer(application, "GET", "/v1/customers", **headers)[0] for _ in range(3)]

        assert statuses == [503, 200, 200]

    def test_refuses_in_the_envelope_what_fails_outside_of_a_door(self, application, monkeypatch, caplog):
        def failing(path):
            raise RuntimeError("the walk through the addresses failed")

        monkeypatch.setattr(application, "_resolver", type("Resolver", (), {"resolve": staticmethod(failing)}))

        status, _, content = answer(application, "GET", "/v1/customers")

        assert status == 500
        assert b'"type":"api_error"' in content
        assert b"walk" not in content
