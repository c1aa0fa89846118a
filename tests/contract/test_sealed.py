"""What an integrator encrypts to us, and we to them, seen by a proxy between the two that writes everything down."""

import base64
import hashlib
import http.client
import os
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from urllib.parse import urlsplit

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwe
from joserfc.jwk import ECKey

from merchant_platform.docs import snippets
from merchant_platform.kernel.errors import Invalid
from security.credentials import keys, signatures
from security.credentials.authentication import memory
from security.credentials.models import ApiKey
from tests.contract.server import Wire

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("B26")]

NUMBER, EMAIL, PHONE = "4242424242424242", "lin.mei@example.com", "+8613800138000"
CARD = {"number": NUMBER, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
ALGORITHM = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}


class Recorder:
    """A proxy that opened TLS: it passes on and keeps every byte of both ways."""

    def __init__(self, address):
        self.kept = bytearray()
        self._behind = urlsplit(address)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            behind = socket.create_connection((self._behind.hostname, self._behind.port))
            for source, target in ((client, behind), (behind, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source, target):
        # Whoever is done first closes both.
        with closing(target), suppress(OSError):
            while data := source.recv(65_536):
                self.kept += data
                target.sendall(data)

    def close(self):
        self._listening.close()


@pytest.fixture
def recorder(server):
    made = Recorder(server)
    yield made
    made.close()


@pytest.fixture
def ours():
    return ECKey.generate_key("P-256")


@pytest.fixture
def wire(recorder, key, ours):
    """An integrator behind the proxy, with a key of their own for answers."""
    row = ApiKey.objects.get(digest=keys.digest(key))
    keys.encrypt_to(key=row, jwk={**ours.as_dict(private=False), "kid": "ours"})
    memory.polled_at = float("-inf")
    return Wire(key, address=recorder.address)


def sealed(wire, plain, *, to=None, sender=None, **header):
    apu = base64.urlsafe_b64encode(hashlib.sha256((sender or wire.key).encode()).digest()).rstrip(b"=").decode()
    public = to or ECKey.import_key(wire.get("encryption_key").json)
    # What a careless integrator's library would do as well.
    registry = jwe.JWERegistry(algorithms=[*ALGORITHM.values(), "ECDH-ES", "A128GCM", "DEF"])
    data = plain if isinstance(plain, bytes) else orjson.dumps(plain)
    return {"jwe": jwe.encrypt_compact({**ALGORITHM, "apu": apu, **header}, data, public, registry=registry)}


class TestCapture:
    def test_sees_ciphertext_alone(self, wire, recorder, ours):
        """A card and a customer's contact, sent and answered."""
        card = wire.post("payment_methods", json={"type": "card", "card": sealed(wire, CARD)})
        assert (card.status, card.json["card"]["last4"]) == (200, "4242")

        whole = sealed(wire, {"name": "Lin Mei", "email": EMAIL, "phone": PHONE, "address": {"city": "Hangzhou"}})
        media, answer = raw(wire, "POST", "customers", whole)

        assert media == "application/jose"
        opened = orjson.loads(jwe.decrypt_compact(answer, ours, algorithms=list(ALGORITHM.values())).plaintext)
        assert (opened["email"], opened["phone"], opened["address"]["city"]) == (EMAIL, PHONE, "Hangzhou")
        kept = bytes(recorder.kept)
        for secret in (NUMBER, EMAIL, PHONE, "Lin Mei", "Hangzhou"):
            assert secret.encode() not in kept
        assert b'{"jwe":"' in kept

    def test_is_of_no_use_to_who_copied_it(self, wire, other_key):
        copied = sealed(wire, CARD)
        thief = Wire(other_key, address=wire.address)

        refused = thief.post("payment_methods", json={"type": "card", "card": copied})

        assert (refused.status, refused.error["code"]) == (400, "jwe_invalid")


class TestGuide:
    def test_tells_a_program_that_runs(self, server, key, tmp_path):
        private = Ed25519PrivateKey.generate()
        (tmp_path / "private.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        signatures.require(key=ApiKey.objects.get(digest=keys.digest(key)), public_pem=public)
        _, told = snippets.ALONE["sealed_request"]
        program = told.replace(snippets.ADDRESS, server)

        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "API_KEY": key},
            capture_output=True,
            text=True,
        )

        assert done.stdout.startswith("pm_"), done.stderr


class TestOpened:
    @pytest.mark.parametrize(
        "part",
        [
            lambda wire: {"jwe": "a.b.c.d.e"},
            lambda wire: {"jwe": ""},
            lambda wire: sealed(wire, CARD, to=ECKey.generate_key("P-256")),
            lambda wire: sealed(wire, CARD, sender="sk_test_another"),
            # No compression: a small text that unpacks to a large one is not read.
            lambda wire: sealed(wire, b"{" + b" " * 500_000 + b"}", zip="DEF"),
            lambda wire: sealed(wire, CARD, alg="ECDH-ES"),
            lambda wire: sealed(wire, CARD, enc="A128GCM"),
            lambda wire: {"jwe": sealed(wire, CARD)["jwe"][:-6] + "AAAAAA"},
        ],
    )
    def test_refuses_what_is_not_for_us(self, wire, part):
        reply = wire.post("payment_methods", json={"type": "card", "card": part(wire)})

        assert (reply.status, reply.error["code"]) == (400, "jwe_invalid")

    @pytest.mark.parametrize("plain", [b"[]", b"4242", b"{", b'{"a":"\\u0000"}', b'{"number":1,"number":2}'])
    def test_holds_what_was_inside_to_the_bounds_of_a_body(self, wire, plain):
        reply = wire.post("payment_methods", json={"type": "card", "card": sealed(wire, plain)})

        assert (reply.status, reply.error["code"]) == (400, "request_malformed")

    def test_takes_eight_parts_at_the_most(self, wire):
        parts = {f"key{number}": sealed(wire, {}) for number in range(9)}

        assert wire.post("customers", json={"metadata": parts}).error["code"] == "jwe_invalid"

    def test_answers_nobody_in_secret_who_has_no_key(self, wire, other_key):
        other = Wire(other_key, address=wire.address)

        assert other.request("POST", "customers", headers={"Accept": "application/jose"}).status == 406
        assert other.get("customers").json["data"] == []

    @pytest.mark.parametrize(
        "jwk",
        [{"kty": "EC"}, {"kty": "oct", "k": "AA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": 1}],
    )
    def test_registers_a_public_key_on_the_curve_alone(self, key, jwk):
        row = ApiKey.objects.get(digest=keys.digest(key))

        for wrong in (jwk, ECKey.generate_key("P-256").as_dict(private=True)):
            with pytest.raises(Invalid):
                keys.encrypt_to(key=row, jwk=wrong)

        assert ApiKey.objects.get(pk=row.pk).encryption_key is None


def raw(wire, method, path, json):
    """An answer as it came, for who asks to be told in secret."""
    connection = http.client.HTTPConnection(urlsplit(wire.address).netloc, timeout=120)
    with closing(connection):
        headers = {**wire._authorization(), "Content-Type": "application/json", "Accept": "application/jose"}
        connection.request(method, f"/v1/{path}", orjson.dumps(json), headers)
        response = connection.getresponse()
        return response.headers["Content-Type"], response.read()
