"""All that a key is bound to, changed together: networks, certificates, the key that signs, the key to seal for."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from merchant_platform.kernel import versions
from security.credentials import certificates, keys, networks, signatures
from security.credentials.models import ApiKey


def version(key: ApiKey) -> str:
    """What somebody saw who changes it."""
    return versions.of([key.networks, key.certificates, key.signing_key, key.encryption_key])


def change(
    *,
    key_id: UUID,
    allowed: Sequence[str],
    fingerprints: Sequence[str],
    public_pem: str,
    jwk: dict[str, Any] | None,
    seen: str | None,
) -> list[str]:
    """Bind a key to this and nothing else. This will write what differs and return its names.

    It holds everywhere within a second. Raises Invalid, keys.AlreadyRevoked, and
    versions.ChangedMeanwhile where `seen` is not how it is.
    """
    with transaction.atomic():
        key = ApiKey.objects.select_for_update(no_key=True).get(pk=key_id)
        if key.revoked_at is not None:
            raise keys.AlreadyRevoked("This key was revoked before.")
        versions.check_seen(seen, version(key))
        before = _of(key)
        networks.allow(key=key, networks=allowed)
        certificates.bind(key=key, fingerprints=fingerprints)
        signatures.require(key=key, public_pem=public_pem)
        keys.encrypt_to(key=key, jwk=jwk)
        after = _of(key)
    return sorted(name for name, value in after.items() if value != before[name])


def _of(key: ApiKey) -> dict[str, Any]:
    names = ("networks", "certificates", "signing_key", "encryption_key")
    return {name: getattr(key, name) for name in names}
