"""What happens to a login, in the audit of whom it concerns: each merchant the person works for, the platform."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from merchant_platform.kernel import ids
from security.audit import operations as audit
from security.audit.models import USER
from security.identity.models import User
from security.merchants.models import Staff


def note(*, user: User, action: str, ip: str, detail: Mapping[str, Any] | None = None, is_proven: bool = True) -> None:
    """Record something that happened to a login. This will write a record a place; a consumer's concerns nobody.

    Without `is_proven` it was done by whoever it was at that address, not by the login's owner.
    """
    somebody = audit.Actor(USER, None, ip)
    with transaction.atomic():
        if user.is_operator:
            actor = audit.Actor.operator(user.pk, ip=ip) if is_proven else somebody
            _record(actor, action, user, detail, merchant_id=None)
        for staff_id, merchant_id in places(user):
            actor = audit.Actor.staff(staff_id, ip=ip) if is_proven else somebody
            _record(actor, action, user, detail, merchant_id=merchant_id)


def places(user: User) -> list[tuple[Any, Any]]:
    """Where somebody works now: pairs of staff and merchant."""
    found = Staff.objects.filter(user=user, left_at__isnull=True).order_by("merchant_id")
    return list(found.values_list("pk", "merchant_id"))


def needs_second_factor(user: User) -> bool:
    """Whether somebody can do more than spend their own money."""
    return user.is_operator or Staff.objects.filter(user=user, left_at__isnull=True).exists()


def _record(actor: audit.Actor, action: str, user: User, detail: Mapping[str, Any] | None, *, merchant_id: Any) -> None:
    audit.record(
        actor=actor,
        action=action,
        object_id=ids.show(User.id_prefix, user.pk),
        detail=detail,
        book_id=None,
        merchant_id=merchant_id,
    )
