"""Give a consent and take it back. Both are one call, and doing either twice changes nothing."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import Conflict, Invalid
from merchant_platform.kernel.events.outbox import publish, row
from security.audit import operations as audit
from security.merchants import queries as merchants
from security.privacy.models import Consent
from security.privacy.wording import PURPOSES


class UnknownPurpose(Invalid):
    """Nobody is asked for a consent to this."""


def grant(*, customer_id: UUID, purpose: str, source: str, now: datetime, actor: audit.Actor) -> Consent:
    """Say yes to a purpose, in its present words. This will write the consent and tell `consent.granted`.

    A yes that stands already stays as it is; one to older words is replaced by this one.
    The caller has read the customer in the open book. Raises UnknownPurpose, and Conflict
    where it is being withdrawn at this very moment.
    """
    version = _wording_version(purpose)
    standing = _standing(customer_id, purpose).select_for_update().first()
    if standing is not None:
        if standing.wording_version == version:
            return standing
        _end(standing, source=source, now=now)
    consent = Consent(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        customer_id=customer_id,
        purpose=purpose,
        wording_version=version,
        source=source,
        granted_at=now,
    )
    Consent.objects.bulk_create([consent], ignore_conflicts=True)
    written = _standing(customer_id, purpose).first()
    if written is None:
        raise Conflict("This consent was given and withdrawn meanwhile. Try again.")
    if written.pk == consent.pk:
        _tell(consent, "granted", now=now, actor=actor)
    return written


def withdraw(*, customer_id: UUID, purpose: str, source: str, now: datetime, actor: audit.Actor) -> None:
    """Take a yes back. This will end the consent and tell `consent.withdrawn`; without one there is nothing to do.

    Who keeps something for the purpose forgets it when the event arrives, and asks
    `queries.allows` before keeping anything anew. Raises UnknownPurpose.
    """
    _wording_version(purpose)
    standing = _standing(customer_id, purpose).select_for_update().first()
    if standing is None:
        return
    _end(standing, source=source, now=now)
    _tell(standing, "withdrawn", now=now, actor=actor)


def _wording_version(purpose: str) -> int:
    if purpose not in PURPOSES:
        raise UnknownPurpose(f"'{purpose}' is no purpose that people are asked about.", param="purpose")
    return PURPOSES[purpose].version


def _standing(customer_id: UUID, purpose: str) -> QuerySet[Consent]:
    return Consent.objects.filter(
        book_id=tenancy.book_id(), customer_id=customer_id, purpose=purpose, withdrawn_at__isnull=True
    )


def _end(consent: Consent, *, source: str, now: datetime) -> None:
    # A test clock may have gone back since.
    consent.withdrawn_at, consent.withdrawn_source = max(now, consent.granted_at), source
    consent.save(update_fields=["withdrawn_at", "withdrawn_source"])


def _tell(consent: Consent, moved: str, *, now: datetime, actor: audit.Actor) -> None:
    customer = ids.show("cus", consent.customer_id)
    told = {
        "id": ids.show(Consent.id_prefix, consent.pk),
        "object": "consent",
        "created": clock.unix(consent.granted_at),
        "customer": customer,
        "purpose": consent.purpose,
        "wording_version": consent.wording_version,
        "withdrawn_at": clock.unix(consent.withdrawn_at) if consent.withdrawn_at else None,
    }
    publish(row(f"consent.{moved}", told, now=now, is_public=False))
    audit.record(
        actor=actor,
        action=f"consent.{moved}",
        object_id=customer,
        detail={"purpose": consent.purpose, "wording_version": consent.wording_version},
        book_id=consent.book_id,
        merchant_id=merchants.book(consent.book_id).merchant_id,
    )
