"""A membership as a pass that a phone keeps: Apple's format, a signed archive. Pure but for the certificate's file.

The signature is by a certificate that Apple gives to whoever runs this platform
(WALLET_PASS_CERTIFICATE); without one no pass is offered, since a phone refuses an
unsigned one.
"""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from django.conf import settings

from members.portal.port import Card
from merchant_platform.kernel import ids

CONTENT_TYPE = "application/vnd.apple.pkpass"
PICTURES = {"icon.png": "icon-58.png", "icon@2x.png": "icon-58.png", "logo.png": "icon-58.png"}


def is_configured() -> bool:
    """Whether passes can be signed here."""
    return bool(settings.WALLET_PASS_CERTIFICATE and settings.WALLET_PASS_AUTHORITY)


def build(card: Card) -> bytes:
    """The archive of a membership: what it says, its pictures, a digest of each, and the signature over those."""
    folder = settings.BASE_DIR / "merchant_platform" / "static" / "img"
    files = {name: (folder / file).read_bytes() for name, file in PICTURES.items()}
    files["pass.json"] = json.dumps(described(card), ensure_ascii=False).encode()
    # Apple's own format asks for SHA-1 here; what protects the pass is the signature over this list.
    digests = {name: hashlib.sha1(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    files["manifest.json"] = json.dumps(digests, sort_keys=True).encode()
    files["signature"] = signed(files["manifest.json"])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return archive.getvalue()


def described(card: Card) -> dict[str, Any]:
    """What the pass says: whose member, the number, and the code that a till reads."""
    merchant = card.book.merchant
    return {
        "formatVersion": 1,
        "passTypeIdentifier": settings.WALLET_PASS_TYPE,
        "teamIdentifier": settings.WALLET_PASS_TEAM,
        "organizationName": settings.SITE_NAME,
        "serialNumber": f"{ids.show('bk', card.book.pk)}:{card.code}",
        "description": f"{merchant.name}: {card.title}",
        "logoText": merchant.name,
        "foregroundColor": "rgb(255, 255, 255)",
        "labelColor": "rgb(182, 198, 218)",
        "backgroundColor": "rgb(11, 42, 74)",
        "barcodes": [
            {"format": "PKBarcodeFormatQR", "message": card.code, "messageEncoding": "utf-8", "altText": card.code}
        ],
        "storeCard": {
            "primaryFields": [{"key": "title", "label": merchant.name, "value": card.title}],
            "secondaryFields": [
                {"key": f"line{number}", "label": "", "value": line} for number, line in enumerate(card.lines[:3])
            ],
        },
    }


def signed(manifest: bytes) -> bytes:
    """A detached PKCS #7 signature, with the time of signing and the authority's certificate."""
    text = Path(settings.WALLET_PASS_CERTIFICATE).read_bytes()
    authority = x509.load_pem_x509_certificate(Path(settings.WALLET_PASS_AUTHORITY).read_bytes())
    key: Any = serialization.load_pem_private_key(text, password=None)
    return (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(manifest)
        .add_signer(x509.load_pem_x509_certificate(text), key, hashes.SHA256())
        .add_certificate(authority)
        .sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )
