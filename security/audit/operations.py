"""Write down who did what, in the transaction of the deed: no deed without its record, no record without its deed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from merchant_platform.kernel import clock, ids
from security.audit.models import KEY, OPERATOR, STAFF, SYSTEM, USER, AuditRecord


class OutsideTransaction(RuntimeError):
    """A record was written where its deed could be rolled back without it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a member of staff, an operator, a user (before it is known as what), a key, or the platform itself."""

    kind: str
    id: UUID | None = None
    # The network address that asked, where somebody asked.
    ip: str = ""

    @classmethod
    def staff(cls, staff_id: UUID, *, ip: str = "") -> "Actor":
        return cls(STAFF, staff_id, ip)

    @classmethod
    def operator(cls, user_id: UUID, *, ip: str = "") -> "Actor":
        return cls(OPERATOR, user_id, ip)

    @classmethod
    def user(cls, user_id: UUID, *, ip: str = "") -> "Actor":
        return cls(USER, user_id, ip)

    @classmethod
    def key(cls, key_id: UUID, *, ip: str = "") -> "Actor":
        return cls(KEY, key_id, ip)


PLATFORM = Actor(SYSTEM)


def record(
    *,
    actor: Actor,
    action: str,
    object_id: str = "",
    detail: Mapping[str, Any] | None = None,
    book_id: UUID | None,
    merchant_id: UUID | None,
) -> UUID:
    """Record a deed in the open transaction. This will write one row; the chain takes it up as the transaction commits.

    `detail` holds ids, states and amounts, never a secret, a card or what a customer said of
    themselves: a record cannot be erased. Raises OutsideTransaction.
    """
    if not connections["default"].in_atomic_block:
        raise OutsideTransaction("audit.record() belongs in the transaction of what it tells")
    identifier = ids.new(clock.wall())
    AuditRecord.objects.create(
        id=identifier,
        merchant_id=merchant_id,
        book_id=book_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        ip=actor.ip,
        action=action,
        object_id=object_id,
        detail=dict(detail or {}),
    )
    return identifier
