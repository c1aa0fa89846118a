"""Step-up: before an act of consequence a factor is shown again, for that act and no other.

A proof is bound to {action, book, object, amount, payee} and to the browser that gave it, lives
five minutes and is used once. A passkey signs a challenge that is itself the hash of all that.
"""

import hashlib
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import WrongState
from merchant_platform.kernel.wire import dump
from security.authentication.models import StepUp
from security.identity.models import User

LIVES = timedelta(minutes=5)
KEPT = timedelta(days=1)
_NONCE_BYTES = 16


class AlreadyProved(WrongState):
    """The demand was answered before, or stood open for too long."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a proof is for. Any other value of any field is another act.

    `what` is the act in words, for the page that asks: "Refund ¥12.00 to Lin". It is not bound.
    `is_required` is the page's own rule (an amount above a limit); risk may ask all the same.
    """

    object_id: str = ""
    amount_minor: int | None = None
    currency: str = ""
    payee: str = ""
    what: str = ""
    is_required: bool = True


def digest_of(*, action: str, book_id: UUID | None, binding: Binding) -> bytes:
    """The act as one number."""
    bound = {
        "action": action,
        "book": str(book_id or ""),
        "object": binding.object_id,
        "amount": binding.amount_minor,
        "currency": binding.currency,
        "payee": binding.payee,
    }
    return hashlib.sha256(dump(dict(sorted(bound.items()))).encode()).digest()


def demand(
    *,
    user: User,
    session_key: str,
    action: str,
    book_id: UUID | None,
    binding: Binding,
    return_to: str,
    now: datetime,
) -> StepUp:
    """Ask for a factor. This will write the demand, which stands open for five minutes."""
    return StepUp.objects.create(
        id=ids.new(now),
        user=user,
        session=_hashed(session_key),
        digest=digest_of(action=action, book_id=book_id, binding=binding),
        nonce=os.urandom(_NONCE_BYTES),
        action=action,
        facts=asdict(binding),
        return_to=return_to,
        created_at=now,
        expires_at=now + LIVES,
    )


def challenge(demanded: StepUp) -> bytes:
    """What a passkey signs: SHA-256 over the act, a nonce and when the demand ends."""
    ends = demanded.expires_at.isoformat().encode()
    return hashlib.sha256(bytes(demanded.digest) + bytes(demanded.nonce) + ends).digest()


def open_demand(*, identifier: UUID, user: User, session_key: str, now: datetime) -> StepUp:
    """The demand behind the page. Raises StepUp.DoesNotExist in another browser, for another person, or too late."""
    return StepUp.objects.get(
        pk=identifier, user=user, session=_hashed(session_key), expires_at__gt=now, used_at__isnull=True
    )


def prove(*, demanded: StepUp, factor: str, now: datetime) -> None:
    """Answer a demand. This will note by which factor. Raises AlreadyProved."""
    changed = StepUp.objects.filter(pk=demanded.pk, proved_at__isnull=True, expires_at__gt=now).update(
        proved_at=now, proved_by=factor, expires_at=now + LIVES
    )
    if not changed:
        raise AlreadyProved("This was confirmed before, or too late. Start again.")


def is_proved(*, user: User, session_key: str, digest: bytes, now: datetime) -> bool:
    """Whether the act was proved in this browser, lately, and not done since."""
    return _proofs(user, session_key, digest, now).exists()


def spend(*, user: User, session_key: str, digest: bytes, now: datetime) -> bool:
    """Use a proof up. This will mark one as used and say whether there was one: for two at once, for one of them."""
    for proof in _proofs(user, session_key, digest, now).order_by("-proved_at", "-id").values_list("pk", flat=True):
        if StepUp.objects.filter(pk=proof, used_at__isnull=True).update(used_at=now):
            return True
    return False


def purge(*, now: datetime) -> int:
    """Forget demands that ended a day ago. This will delete them and return how many."""
    return StepUp.objects.using("platform").filter(expires_at__lt=now - KEPT).delete()[0]


def _proofs(user: User, session_key: str, digest: bytes, now: datetime) -> QuerySet[StepUp]:
    return StepUp.objects.filter(
        Q(proved_at__isnull=False, used_at__isnull=True),
        user=user,
        digest=digest,
        expires_at__gt=now,
        session=_hashed(session_key),
    )


def _hashed(session_key: str) -> bytes:
    return hashlib.sha256(session_key.encode()).digest()
