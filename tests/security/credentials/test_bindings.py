"""A key that alone is not enough: bound to client certificates, or to signed requests."""

import secrets
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from django.conf import settings
from django.core.management import call_command
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms

from merchant_platform.kernel.api.wsgi import ApiApplication
from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.web.proxy import CLIENT_CERTIFICATE
from payments.customers.models import Customer
from security.credentials import certificates, keys, limits, signatures
from security.credentials.authentication import memory
from security.credentials.models import SECRET, ApiKey
from tests.cast import NOW, Api, shown
from tests.merchant_platform.kernel.web.test_proxy import PROXY, STRANGER, ask

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A44")]

OURS, OTHER = "ab" * 32, "cd" * 32
PRIVATE = ed25519.Ed25519PrivateKey.generate()
BODY = orjson.dumps({"name": "Lin Mei"})


def pem(private):
    return (
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


@pytest.fixture
def made(book):
    memory.polled_at = float("-inf")
    return keys.make(book=book, kind=SECRET, now=NOW)


class TestCertificates:
    def ask(self, text, peer, **headers):
        return ask(ApiApplication(), "/v1/customers", peer, HTTP_AUTHORIZATION=f"Bearer {text}", **headers)[0]

    def test_open_for_the_certificate_that_the_proxy_names(self, made):
        key, text = made
        certificates.bind(key=key, fingerprints=[":".join(["AB"] * 32), OURS])

        assert key.certificates == [OURS]
        assert self.ask(text, PROXY, **{CLIENT_CERTIFICATE: OURS}) == 200
        assert self.ask(text, PROXY) == 401
        assert self.ask(text, PROXY, **{CLIENT_CERTIFICATE: OTHER}) == 403
        # Whoever is no proxy may claim what they like.
        assert self.ask(text, STRANGER, **{CLIENT_CERTIFICATE: OURS}) == 401

    def test_need_none_once_none_is_bound(self, made):
        key, text = made
        certificates.bind(key=key, fingerprints=[OURS])
        certificates.bind(key=key, fingerprints=[])
        memory.polled_at = float("-inf")

        assert self.ask(text, STRANGER) == 200

    @pytest.mark.parametrize("wrong", ["", "ab" * 20, "zz" * 32, "\x00"])
    def test_refuse_what_is_no_fingerprint(self, made, wrong):
        with pytest.raises(Invalid):
            certificates.bind(key=made[0], fingerprints=[OURS, wrong])

        assert ApiKey.objects.get(pk=made[0].pk).certificates == []


def signed(
    body=BODY,
    *,
    method="POST",
    path="/v1/customers",
    private=PRIVATE,
    covered=None,
    created=None,
    nonce=None,
    **headers,
):
    """The headers of a request as an integrator's library signs it."""
    message = SimpleNamespace(method=method, url=f"{settings.PUBLIC_URL}{path}", headers=dict(headers))
    signer = HTTPMessageSigner(
        signature_algorithm=algorithms.ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={"ours": private}),
    )
    signer.sign(
        message,
        key_id="ours",
        created=created or datetime.now(UTC),
        nonce=nonce or secrets.token_urlsafe(16),
        covered_component_ids=covered or ("@method", "@target-uri", *(name.lower() for name in headers)),
        body=body,
    )
    return dict(message.headers)


class TestSignatures:
    @pytest.fixture
    def api(self, made):
        key, text = made
        signatures.require(key=key, public_pem=pem(PRIVATE))
        return Api(text)

    def send(self, api, headers, *, body=BODY, method="POST", path="customers", query=""):
        reply = api.request(method, path, body, "application/json" if body else "", query=query, headers=headers)
        return reply.status, (reply.json.get("error") or {}).get("code")

    def test_open_for_a_request_that_is_signed(self, api):
        assert self.send(api, signed()) == (200, None)
        assert self.send(api, signed(**{"Idempotency-Key": "one"})) == (200, None)
        got = signed(b"", method="GET", path="/v1/customers?limit=1")
        assert self.send(api, got, body=b"", method="GET", query="limit=1") == (200, None)

    def test_are_needed(self, api):
        assert self.send(api, {}) == (401, "signature_required")

    def test_are_good_for_once(self, api):
        headers = signed()

        assert [self.send(api, headers) for _ in range(2)] == [(200, None), (401, "signature_replayed")]
        assert self.send(api, signed()) == (200, None)

    @pytest.mark.parametrize(
        ("headers", "sent"),
        [
            (lambda: signed(), {"body": orjson.dumps({"name": "Somebody"})}),
            (lambda: signed(), {"path": "products"}),
            (lambda: signed(), {"query": "expand[]=x"}),
            (lambda: signed(method="GET"), {}),
            (lambda: signed(b""), {}),
            (lambda: signed(private=ed25519.Ed25519PrivateKey.generate()), {}),
            (lambda: signed(created=datetime.now(UTC) - timedelta(minutes=6)), {}),
            (lambda: signed(created=datetime.now(UTC) + timedelta(minutes=6)), {}),
            (lambda: signed(covered=("@method",)), {}),
            (lambda: signed(covered=("@target-uri",)), {}),
            # What decides whether it is done twice has to be covered.
            (lambda: {**signed(), "Idempotency-Key": "another"}, {}),
            (lambda: signed(nonce="short"), {}),
            (lambda: {**signed(), "Signature": "pyhms=:AAAA:"}, {}),
            (lambda: {"Signature": "?", "Signature-Input": "\x7f"}, {}),
        ],
    )
    def test_refuse_what_was_not_signed_as_it_came(self, api, headers, sent):
        assert self.send(api, headers(), **sent) == (401, "signature_invalid")
        assert not Customer.objects.using("platform").exists()

    def test_refuse_where_nobody_can_say_whether_it_came_before(self, api, settings, monkeypatch):
        down = limits.redis.Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.1)
        monkeypatch.setattr("security.credentials.signatures.server", lambda: down)

        assert self.send(api, signed()) == (503, "service_unavailable")

    @pytest.mark.parametrize("wrong", ["a key", pem(ec.generate_private_key(ec.SECP256R1()))])
    def test_are_by_an_ed25519_key(self, made, wrong):
        with pytest.raises(Invalid):
            signatures.require(key=made[0], public_pem=wrong)

        assert ApiKey.objects.get(pk=made[0].pk).signing_key == ""

    def test_stay_with_a_key_that_was_replaced(self, made):
        key, _ = made
        certificates.bind(key=key, fingerprints=[OURS])
        signatures.require(key=key, public_pem=pem(PRIVATE))

        new, _ = keys.rotate(key=ApiKey.objects.select_related("book").get(pk=key.pk), overlap=timedelta(0), now=NOW)

        new.refresh_from_db()
        assert (new.certificates, new.signing_key) == ([OURS], pem(PRIVATE).strip())


class TestCommand:
    def test_binds_a_key(self, made, tmp_path):
        key, _ = made
        named = shown("key", key)
        public = tmp_path / "public.pem"
        public.write_text(pem(PRIVATE))

        call_command("keys", "certificates", named, OURS)
        call_command("keys", "sign", named, str(public))

        key.refresh_from_db()
        assert (key.certificates, key.signing_key) == ([OURS], pem(PRIVATE).strip())
        call_command("keys", "certificates", named)
        call_command("keys", "sign", named)
        key.refresh_from_db()
        assert (key.certificates, key.signing_key) == ([], "")
