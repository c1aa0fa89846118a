"""A passkey in software: answers as a phone does, or wrongly in one way that a test chooses."""

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256

USER_PRESENT, USER_VERIFIED, HAS_KEY = 0x01, 0x04, 0x40
_AAGUID = bytes(16)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass
class Passkey:
    """One key pair at one site. `counter` is what it says next, and grows; one that is synchronised always says 0."""

    origin: str = "http://localhost:8000"
    rp_id: str = "localhost"
    counter: int = 1
    is_verified: bool = True
    user_handle: str = ""
    credential_id: bytes = field(default_factory=lambda: os.urandom(16))
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def register(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to `navigator.credentials.create`."""
        asked = options["publicKey"]
        self.user_handle = asked["user"]["id"]
        public = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        attested = _AAGUID + struct.pack(">H", len(self.credential_id)) + self.credential_id + public
        signed = self._data(HAS_KEY) + attested
        return self._credential(
            {
                "clientDataJSON": b64(self._client("webauthn.create", asked["challenge"])),
                "attestationObject": b64(cbor.encode({"fmt": "none", "attStmt": {}, "authData": signed})),
            }
        )

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to `navigator.credentials.get`."""
        client = self._client("webauthn.get", options["publicKey"]["challenge"])
        data = self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._credential(
            {
                "clientDataJSON": b64(client),
                "authenticatorData": b64(data),
                "signature": b64(signature),
                "userHandle": self.user_handle,
            }
        )

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.is_verified else 0)
        said = hashlib.sha256(self.rp_id.encode()).digest() + struct.pack(">BI", flags, self.counter)
        self.counter += bool(self.counter)
        return said

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        return {
            "id": b64(self.credential_id),
            "rawId": b64(self.credential_id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {"credProps": {"rk": True}},
        }
