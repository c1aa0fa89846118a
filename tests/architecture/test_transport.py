"""What a browser is told on every page, and that no page needs more than that.

Pages of the dashboard are walked in tests/browser/test_page_walk.py; here are all other
addresses that answer a GET, and every template, also one that no test renders.
"""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.urls import URLResolver, get_resolver

from security.identity.models import User
from tests.browser.walk import name_of
from tests.staff import make_staff, sign_in, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A44")]

# Programs that are only data for one: a browser runs nothing of them.
DATA = "application/json"
POLICY = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CONTENT = {"default-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "object-src 'none'"}
# Stricter than the others, for a page whose address is a secret.
REFERRERS = {"same-origin", "no-referrer"}
# A table's row, which nobody changes: each answers alike.
ROW = re.compile("/admin/.*/(add|history|delete|change|1)/")
GIVEN = {"code": "nothing", "name": "customers", "secret": "nothing", "token": "nothing", "demand": "nothing"}


class Inline(HTMLParser):
    """What a strict policy would refuse: programs, styles and handlers in the page itself, or from another host."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given and given.get("type") != DATA):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name == "style" or name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{name} of <{tag}>")
            if tag in ("script", "link", "img", "iframe") and name in ("src", "href") and "//" in (value or ""):
                self.found.append(f"{value} in <{tag}>")


def addresses(resolver=None, before=""):
    """Every address outside the API and the desks, a route that asks for words filled with some."""
    for pattern in (resolver or get_resolver()).url_patterns:
        route = before + re.sub(r"^\^|\$$", "", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route)
        elif not route.startswith(("v1", "dashboard/", "admin/(")):
            filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda named: GIVEN.get(named[1], "1"), route)
            yield f"/{filled}"


@pytest.fixture
def browsers(platform, merchant, client):
    operator = User.objects.create_user("operator@example.com", is_operator=True)
    return {"nobody": client, "owner": signed_in(make_staff(merchant)), "operator": sign_in(operator)}


class TestPages:
    def test_say_the_policy_and_have_nothing_inline(self, browsers):
        wrong, routes, pages = [], list(addresses()), 0
        for who, browser in browsers.items():
            for url in routes:
                is_table = url.startswith("/admin/")
                if "logout" in url or ROW.search(url) or is_table is not (who == "operator"):
                    continue
                reply = browser.get(url, secure=True)
                if not reply.headers.get("Content-Type", "").startswith("text/html"):
                    continue
                pages += 1
                said = {name: reply.headers.get(name) for name in POLICY}
                inline = [] if reply.streaming else Inline(reply.content.decode()).found
                content = set(reply.headers.get("Content-Security-Policy", "").split("; "))
                if said != POLICY or content != CONTENT or reply.headers["Referrer-Policy"] not in REFERRERS or inline:
                    wrong.append((who, url, inline, said, content))

        assert wrong == []
        assert pages > 80
        assert {name_of(url) for url in ("/", "/docs", "/accounts/login/", "/pay/nothing")} <= set(map(name_of, routes))

    def test_are_written_without_anything_inline(self):
        inline = {}
        for path in (settings.BASE_DIR / "templates").rglob("*.html"):
            # Conditions inside a tag would read as attributes.
            found = Inline(re.sub(r"\{[%#].*?[%#]\}|\{\{.*?\}\}", "", path.read_text(), flags=re.DOTALL)).found
            if found:
                inline[path.name] = found

        assert inline == {}

    def test_show_the_permissions_that_no_page_asks_for(self, client):
        said = client.get("/accounts/login/").headers["Permissions-Policy"]

        assert {"camera=()", "microphone=()", "geolocation=()", "payment=()", "usb=()"} <= set(said.split(", "))


class TestStatic:
    def test_is_read_by_our_pages_alone(self, client):
        headers = client.get("/static/vendor/htmx/htmx.min.js").headers

        assert "Access-Control-Allow-Origin" not in headers
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


class TestProduction:
    def test_passes_the_checks_of_a_deployment(self):
        done = manage("check", "--deploy", "--fail-level", "WARNING", TRUSTED_PROXIES="127.0.0.1,::1")

        assert (done.returncode, done.stderr) == (0, "")

    def test_refuses_a_proxy_that_is_no_network(self):
        done = manage("check", TRUSTED_PROXIES="proxy.internal")

        assert done.returncode == 1
        assert "TRUSTED_PROXIES: 'proxy.internal' does not appear to be an IPv4 or IPv6 network." in done.stderr


def manage(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A management command as a host in production runs it."""
    given = {
        **os.environ,
        "PUBLIC_URL": "https://pay.example.com",
        "SECRET_KEY": "made for this test alone: fifty characters and some, as `up` would make one",
        "LOG_LEVEL": "ERROR",
        **environment,
    }
    return subprocess.run(
        [sys.executable, "manage.py", *command], env=given, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
