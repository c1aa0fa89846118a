"""Questions about consents, in the open book."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from merchant_platform.kernel import tenancy
from security.privacy.models import Consent


def allows(customer_id: UUID, purpose: str) -> bool:
    """Whether a customer's yes to a purpose stands. Without one nothing personal is kept for it."""
    return _standing().filter(customer_id=customer_id, purpose=purpose).exists()


def allowing(customer_ids: Collection[UUID], purpose: str) -> set[UUID]:
    """Those of many customers whose yes stands, in one statement."""
    return set(_standing().filter(customer_id__in=customer_ids, purpose=purpose).values_list("customer_id", flat=True))


def standing(customer_id: UUID) -> dict[str, Consent]:
    """What a customer allows at present, by purpose."""
    return {consent.purpose: consent for consent in _standing().filter(customer_id=customer_id)}


def _standing() -> QuerySet[Consent]:
    return Consent.objects.filter(book_id=tenancy.book_id(), withdrawn_at__isnull=True)
