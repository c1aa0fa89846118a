"""A membership as a signed pass: what a phone checks holds, and without a certificate none is offered."""

import hashlib
import io
import json
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from members.portal import passes
from members.portal.port import MEMBERSHIP, Card
from tests.needs import program


@pytest.fixture
def authority(tmp_path, settings):
    """A certificate of our own making and its authority, named in settings."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    keys = [rsa.generate_private_key(public_exponent=65_537, key_size=2_048) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("Authority", "Pass")]
    made = [
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(names[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(ca=name == names[0], path_length=None), critical=True)
        .sign(keys[0], hashes.SHA256())
        for name, key in zip(names, keys, strict=True)
    ]
    pem = [each.public_bytes(serialization.Encoding.PEM) for each in made]
    (tmp_path / "authority.pem").write_bytes(pem[0])
    (tmp_path / "pass.pem").write_bytes(
        pem[1]
        + keys[1].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    settings.WALLET_PASS_CERTIFICATE = str(tmp_path / "pass.pem")
    settings.WALLET_PASS_AUTHORITY = str(tmp_path / "authority.pem")
    settings.WALLET_PASS_TEAM = "TEAM123456"
    return tmp_path


@pytest.mark.requirement("A24")
class TestBuild:
    def test_is_what_a_phone_checks(self, db, merchant, book, authority):
        card = Card(book, MEMBERSHIP, "Member", ["since 2026"], code="28000417")

        archive = zipfile.ZipFile(io.BytesIO(passes.build(card)))

        files = {name: archive.read(name) for name in archive.namelist()}
        said = json.loads(files["pass.json"])
        listed = json.loads(files["manifest.json"])
        assert sorted(files) == ["icon.png", "icon@2x.png", "logo.png", "manifest.json", "pass.json", "signature"]
        assert listed == {
            name: hashlib.sha1(content).hexdigest()
            for name, content in files.items()
            if name not in ("manifest.json", "signature")
        }
        assert (said["barcodes"][0]["message"], said["teamIdentifier"]) == ("28000417", "TEAM123456")
        (authority / "manifest.json").write_bytes(files["manifest.json"])
        (authority / "signature").write_bytes(files["signature"])
        signature = [*("-in", authority / "signature"), *("-content", authority / "manifest.json")]
        verified = subprocess.run(
            [program("openssl", package="openssl"), "smime", "-verify", "-binary", "-inform", "DER", "-purpose", "any",
             *("-CAfile", authority / "authority.pem"), *signature],
            capture_output=True,
            check=False,
        )  # fmt: skip
        assert (verified.returncode, verified.stdout) == (0, files["manifest.json"])


def test_without_a_certificate_none_is_offered(settings):
    settings.WALLET_PASS_CERTIFICATE = ""

    assert not passes.is_configured()
