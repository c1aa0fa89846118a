"""A key that only shows itself with a client certificate: mutual TLS, ended by a trusted proxy.

The proxy verifies the certificate and passes on its SHA-256; from anybody else that
header is removed before it gets here (kernel/web/proxy.py).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from merchant_platform.kernel.errors import Forbidden, Invalid, Unauthenticated
from merchant_platform.kernel.web.proxy import CLIENT_CERTIFICATE
from security.credentials.models import ApiKey, CredentialsVersion

CERTIFICATES_MAX = 10
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class CertificateRequired(Unauthenticated):
    """The key works with a client certificate alone, and none was shown."""

    code = "client_certificate_required"


class CertificateNotAllowed(Forbidden):
    """A client certificate was shown, and it is none of the key's."""

    code = "client_certificate_not_allowed"


def bind(*, key: ApiKey, fingerprints: Iterable[str]) -> None:
    """Let a key be used with these certificates alone; with any or none for none. This will hold within a second.

    `fingerprints` are SHA-256, in hexadecimal, with or without colons. Raises Invalid for what is none, or over ten.
    """
    written = list(dict.fromkeys(text.strip().replace(":", "").lower() for text in fingerprints))
    for text in written:
        if not _FINGERPRINT.fullmatch(text):
            raise Invalid(f"This is no SHA-256 fingerprint: {text[:70]}", param="certificates")
    if len(written) > CERTIFICATES_MAX:
        raise Invalid(f"A key has {CERTIFICATES_MAX} certificates at the most.", param="certificates")
    with transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(certificates=written)
        CredentialsVersion.bump()
    key.certificates = written


def check(fingerprints: Sequence[str], headers: Mapping[str, Any]) -> None:
    """Compare a request with a key's certificates. Raises CertificateRequired and CertificateNotAllowed."""
    if not fingerprints:
        return
    shown = headers.get(CLIENT_CERTIFICATE, "").lower()
    if not shown:
        raise CertificateRequired("This key is used with a client certificate: show one in the TLS handshake.")
    if shown not in fingerprints:
        raise CertificateNotAllowed("The client certificate is none of those that this key is bound to.")
