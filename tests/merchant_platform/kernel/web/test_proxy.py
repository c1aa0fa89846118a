"""Only a configured proxy is believed about a client; what anybody else says of itself is removed unread."""

import ipaddress

import pytest
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

from merchant_platform.kernel.api.wsgi import ApiApplication
from merchant_platform.kernel.web.proxy import CLIENT_CERTIFICATE, Proxies
from security.credentials import keys, limits, networks
from security.credentials.authentication import memory
from security.credentials.models import SECRET
from tests.cast import NOW

pytestmark = pytest.mark.requirement("A44")

CLIENT, STRANGER, PROXY, INNER = "203.0.113.7", "198.51.100.1", "10.0.0.1", "10.0.0.2"
TRUSTED = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
# All that a client could write to seem another one.
FORGED = {
    "HTTP_X_FORWARDED_FOR": CLIENT,
    "HTTP_X_REAL_IP": CLIENT,
    "HTTP_FORWARDED": f"for={CLIENT};proto=https",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "elsewhere.example",
    CLIENT_CERTIFICATE: "00" * 32,
}


def settled(peer, **headers):
    """What an application behind the proxies is told."""
    told = {}
    Proxies(lambda environ, start_response: told.update(environ) or [], trusted=TRUSTED)(
        {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}, None
    )
    return told


def ask(application, path, peer, method="GET", **headers):
    """Status and headers of an answer that went below everything that Django's client knows."""
    heard = []
    environ = RequestFactory().generic(method, path, **{"REMOTE_ADDR": peer, **headers}).environ
    body = Proxies(application, trusted=TRUSTED)(environ, lambda status, sent, *_: heard.append((status, dict(sent))))
    list(body)
    if hasattr(body, "close"):
        body.close()
    ((status, sent),) = heard
    return int(status[:3]), sent


class TestProxies:
    @pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1", "2001:db8::1", "", "unix:"])
    def test_believe_nobody_else(self, peer):
        assert settled(peer, **FORGED) == {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http"}

    @pytest.mark.parametrize(
        ("told", "found"),
        [
            (CLIENT, CLIENT),
            (f"{STRANGER}, {CLIENT}", CLIENT),
            (f"{STRANGER},{CLIENT} , {INNER}", CLIENT),
            (f"{CLIENT}, not-an-address", PROXY),
            ("2001:db8::7", "2001:db8::7"),
            (INNER, INNER),
            ("", PROXY),
        ],
    )
    def test_believe_a_trusted_one_about_the_address(self, told, found):
        assert settled(PROXY, HTTP_X_FORWARDED_FOR=told) == {"REMOTE_ADDR": found, "wsgi.url_scheme": "http"}

    @pytest.mark.parametrize("peer", [PROXY, "fd00::1", f"::ffff:{PROXY}"])
    @pytest.mark.parametrize(("told", "found"), [("https", "https"), ("https, http", "http"), ("ftp", "http")])
    def test_believe_a_trusted_one_about_the_scheme(self, peer, told, found):
        assert settled(peer, HTTP_X_FORWARDED_PROTO=told)["wsgi.url_scheme"] == found

    def test_believe_a_trusted_one_about_the_certificate(self):
        assert settled(PROXY, **{CLIENT_CERTIFICATE: "ab" * 32})[CLIENT_CERTIFICATE] == "ab" * 32


@pytest.mark.django_db(transaction=True)
class TestDoors:
    def key(self, book):
        made, text = keys.make(book=book, kind=SECRET, now=NOW)
        memory.polled_at = float("-inf")
        return made, {"HTTP_AUTHORIZATION": f"Bearer {text}"}

    def test_keep_a_key_within_its_networks(self, book):
        made, bearer = self.key(book)
        networks.allow(key=made, networks=[CLIENT])
        api = ApiApplication()

        assert ask(api, "/v1/customers", STRANGER, **bearer, **FORGED)[0] == 403
        assert ask(api, "/v1/customers", PROXY, **bearer, HTTP_X_FORWARDED_FOR=f"{CLIENT}, {STRANGER}")[0] == 403
        assert ask(api, "/v1/customers", PROXY, **bearer, HTTP_X_FORWARDED_FOR=f"{STRANGER}, {CLIENT}")[0] == 200

    def test_count_a_key_once_whatever_it_claims(self, book, settings):
        settings.API_RATE_LIMIT = 1
        made, bearer = self.key(book)
        limits.server().delete(f"rate:{made.pk}")
        claims = [{**FORGED, "HTTP_X_FORWARDED_FOR": f"203.0.113.{number}"} for number in range(3)]

        statuses = [ask(ApiApplication(), "/v1/customers", STRANGER, **bearer, **claim)[0] for claim in claims]

        assert statuses == [200, 429, 429]

    def test_redirect_what_was_not_spoken_over_tls(self, settings):
        settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
        settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
        pages = get_wsgi_application()

        forged, sent = ask(pages, "/docs", STRANGER, **FORGED)
        spoken, headers = ask(pages, "/docs", PROXY, HTTP_X_FORWARDED_PROTO="https")

        assert (forged, sent["Location"]) == (301, "https://testserver/docs")
        assert "Strict-Transport-Security" not in sent
        assert spoken == 200
        assert headers["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
        assert ask(pages, "/healthz", STRANGER)[0] == 200

    def test_refuse_a_key_that_was_sent_in_the_open(self, book, settings):
        settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
        _, bearer = self.key(book)
        api = ApiApplication()

        assert ask(api, "/v1/customers", STRANGER, **bearer, **FORGED)[0] == 403
        status, headers = ask(api, "/v1/customers", PROXY, HTTP_X_FORWARDED_PROTO="https", **bearer)
        assert status == 200
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Strict-Transport-Security"] == settings.STRICT_TRANSPORT_SECURITY
