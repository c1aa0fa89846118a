"""Sealing against published vectors, and what a seal is bound to."""

import base64
import os
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from merchant_platform.kernel.errors import Unavailable
from security.vault import keys
from security.vault.keys import Sealed, Tampered

KEY = bytes(range(32))


class TestSeal:
    def test_opens_a_published_vector(self):
        """Test case 16 of "The Galois/Counter Mode of Operation" (McGrew and Viega): AES-256 with associated data."""
        key = bytes.fromhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")
        about = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
        nonce = bytes.fromhex("cafebabefacedbaddecaf888")
        text = bytes.fromhex(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b"
        )

        clear = keys.unseal(key, Sealed(nonce, text), about=about)

        assert clear.hex() == (
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        )

    def test_takes_a_fresh_nonce_each_time(self):
        sealed = [keys.seal(KEY, b"text", about=b"a") for _ in range(50)]

        assert len({each.nonce for each in sealed}) == len({each.text for each in sealed}) == 50
        assert {len(each.nonce) for each in sealed} == {12}

    def test_is_bound_to_key_text_nonce_and_what_it_is_about(self):
        sealed = keys.seal(KEY, b"text", about=b"a")
        changed = bytes([sealed.text[0] ^ 1]) + sealed.text[1:]
        elsewhere = keys.seal(KEY, b"text", about=b"a")

        assert keys.unseal(KEY, sealed, about=b"a") == b"text"
        for key, each, about in (
            (os.urandom(32), sealed, b"a"),
            (KEY, sealed, b"b"),
            (KEY, Sealed(sealed.nonce, changed), b"a"),
            (KEY, Sealed(sealed.nonce, sealed.text[:-1]), b"a"),
            (KEY, Sealed(elsewhere.nonce, sealed.text), b"a"),
        ):
            with pytest.raises(Tampered):
                keys.unseal(key, each, about=about)


class TestFingerprint:
    def test_is_an_hmac_under_a_derived_key(self):
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"card fingerprint").derive(KEY)
        again = keys.fingerprint(KEY, "4242424242424242")

        assert again == keys.fingerprint(KEY, "4242424242424242")
        assert len(again) == 32
        assert again != keys.fingerprint(derived, "4242424242424242")
        assert again != keys.fingerprint(KEY, "5555555555554444")


class TestRing:
    def test_wraps_by_the_first_and_unwraps_by_each(self, settings):
        old, new = keys.as_setting("old", KEY), keys.as_setting("new", os.urandom(32))
        book_id, key_id, data_key = uuid4(), uuid4(), keys.new_key()
        settings.VAULT_KEYS = old
        wrapped = keys.ring().wrap(data_key, book_id=book_id, key_id=key_id)
        settings.VAULT_KEYS = f"{new}, {old}"

        ring = keys.ring()

        assert ring.current_id == "new"
        assert ring.unwrap(wrapped, book_id=book_id, key_id=key_id, wrapped_by="old") == data_key
        for where in (
            {"book_id": uuid4(), "key_id": key_id},
            {"book_id": book_id, "key_id": uuid4()},
        ):
            with pytest.raises(Tampered):
                ring.unwrap(wrapped, wrapped_by="old", **where)
        with pytest.raises(Unavailable, match="'gone' is missing"):
            ring.unwrap(wrapped, book_id=book_id, key_id=key_id, wrapped_by="gone")

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "nameless",
            ":" + base64.b64encode(KEY).decode(),
            "short:" + base64.b64encode(KEY[:16]).decode(),
            "crooked:!!!!",
            f"{keys.as_setting('twice', KEY)},{keys.as_setting('twice', KEY)}",
        ],
    )
    def test_refuses_what_is_no_key_and_repeats_none(self, settings, text):
        settings.VAULT_KEYS = text

        with pytest.raises(Unavailable) as refused:
            keys.ring()

        assert base64.b64encode(KEY).decode() not in refused.value.message
