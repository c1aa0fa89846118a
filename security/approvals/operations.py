"""Two people for one act: one asks, another decides, and what is allowed is done once.

A room that wants this asks with `request(...)` and names its deed in settings.APPROVAL_DEEDS.
What is allowed is then carried out, at once and by the clock until it is done or refused;
the approval's id is the key under which the deed happens once.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import Conflict, Forbidden, PlatformError, TooMany, Unavailable, WrongState
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.states import advance
from security.access import roles
from security.approvals.models import Approval
from security.approvals.states import APPROVED, DONE, EXPIRED, FAILED, MOVES, REFUSED, REQUESTED
from security.audit import operations as audit
from security.merchants.models import Book, Staff

logger = logging.getLogger(__name__)

LIVES = timedelta(days=3)
_EXPIRED_AT_ONCE_MAX = 500
_UNDONE_AT_ONCE_MAX = 100


class Deed(Protocol):
    """What an approved act is to the app that it belongs to."""

    @staticmethod
    def do(approval: Approval) -> str:
        """Do it, under the approval's id as its key, outside of any transaction; the id of what was made.

        Raises what makes it impossible: a Conflict or Unavailable is tried again, anything else is its end.
        """

    @staticmethod
    def why(code: str) -> str:
        """Why it could not be done, in the reader's words."""


class AlreadyAsked(Conflict):
    """Somebody has asked for this act, and nobody has decided yet."""


class OwnRequest(Forbidden):
    """Nobody allows what they asked for themselves."""


class MayNotDecide(Forbidden):
    """Who may not do an act may not allow it."""


class TooLate(WrongState):
    """The approval expired before somebody decided."""


class AskerGone(WrongState):
    """Who asked does not work here any more, or in another role."""


def request(
    *,
    book_id: UUID,
    staff: Staff,
    action: str,
    object_id: str,
    what: str,
    facts: Mapping[str, Any] | None = None,
    reason: str = "",
    now: datetime,
    actor: audit.Actor,
) -> Approval:
    """Ask for an act. This will write the approval, tell of it and record it. Raises AlreadyAsked."""
    try:
        with transaction.atomic():
            approval = Approval.objects.create(
                id=ids.new(now),
                book_id=book_id,
                action=action,
                object_id=object_id,
                what=what,
                facts=dict(facts or {}),
                reason=reason,
                requested_by=staff,
                requested_at=now,
                expires_at=now + LIVES,
            )
    except IntegrityError as error:
        raise AlreadyAsked("Somebody has asked for this already. It waits for a second person.") from error
    _tell(approval, "requested", now, actor, staff.merchant_id)
    return approval


def approve(*, approval: Approval, staff: Staff, note: str = "", now: datetime, actor: audit.Actor) -> None:
    """Allow an act. This will move the approval, tell of it and record it.

    Raises OwnRequest, MayNotDecide, TooLate, AskerGone, and WrongState or Conflict where somebody decided before.
    """
    _check_decider(approval, staff, now)
    asker = Staff.objects.get(pk=approval.requested_by_id)
    if asker.left_at is not None or not roles.may(asker.role, approval.action):
        raise AskerGone("Who asked may not do this any more.")
    advance(approval, to=APPROVED, moves=MOVES, decided_by=staff, decided_at=now, note=note)
    _tell(approval, "approved", now, actor, staff.merchant_id)


def refuse(*, approval: Approval, staff: Staff, note: str = "", now: datetime, actor: audit.Actor) -> None:
    """Refuse an act. This will move the approval, tell of it and record it. Raises what `approve` does."""
    _check_decider(approval, staff, now)
    advance(approval, to=REFUSED, moves=MOVES, decided_by=staff, decided_at=now, note=note)
    _tell(approval, "refused", now, actor, staff.merchant_id)


def carry_out(*, book_id: UUID, approval_id: UUID) -> Approval:
    """Do what was allowed. This will call the deed of its action and note what came of it, however often called.

    Call it outside of any transaction. What is not allowed, done before, or nobody's deed, is left as it is.
    """
    with tenancy.within(book_id):
        approval = Approval.objects.select_related("requested_by").get(pk=approval_id)
    deed = deed_of(approval.action)
    if approval.status != APPROVED or deed is None:
        return approval
    try:
        status, outcome = DONE, deed.do(approval)
    except (Conflict, TooMany, Unavailable):
        return approval  # somebody is at it, or cannot just now: the clock comes back to it
    except PlatformError as refused:
        status, outcome = FAILED, refused.code
    try:
        with tenancy.within(book_id):
            advance(approval, to=status, moves=MOVES, outcome=outcome)
            # By the book's clock, as the request was.
            _tell(approval, status, Book.objects.get(pk=book_id).now, audit.PLATFORM, approval.requested_by.merchant_id)
    except Conflict:  # another one did it, with the same outcome
        with tenancy.within(book_id):
            approval.refresh_from_db()
    return approval


def carry_out_due() -> int:
    """Do what was allowed and is not done, of all books; returns how many were looked at."""
    found = Approval.objects.using("platform").filter(status=APPROVED, action__in=settings.APPROVAL_DEEDS)
    due = list(found.order_by("pk").values_list("book_id", "pk")[:_UNDONE_AT_ONCE_MAX])
    for book_id, approval_id in due:
        try:
            carry_out(book_id=book_id, approval_id=approval_id)
        except Exception:  # it stops no other
            logger.exception("an approved act failed", extra={"approval": str(approval_id)})
    return len(due)


def deed_of(action: str) -> Deed | None:
    """Who does an action once it is allowed."""
    name = settings.APPROVAL_DEEDS.get(action)
    return import_string(name) if name else None


def expire_due(*, now: datetime) -> int:
    """End what nobody decided in time. This will move each in its book, by the book's clock, and return how many."""
    due = (
        Approval.objects.using("platform")
        .filter(status=REQUESTED, expires_at__lte=now)
        .order_by("expires_at")
        .values_list("pk", "book_id")[:_EXPIRED_AT_ONCE_MAX]
    )
    count = 0
    for identifier, book_id in list(due):
        try:
            with tenancy.within(book_id):
                approval = Approval.objects.select_related("requested_by").get(pk=identifier)
                advance(approval, to=EXPIRED, moves=MOVES)
                _tell(approval, "expired", now, audit.PLATFORM, approval.requested_by.merchant_id)
        except (Conflict, WrongState):
            continue  # somebody decided at the same moment
        count += 1
    return count


def may_decide(*, approval: Approval, staff: Staff) -> bool:
    """Whether a person may decide: not the one who asked, and one who may do such acts."""
    return (
        approval.requested_by_id != staff.pk
        and roles.may(staff.role, "approval.decide")
        and roles.may(staff.role, approval.action)
    )


def _check_decider(approval: Approval, staff: Staff, now: datetime) -> None:
    if approval.requested_by_id == staff.pk:
        raise OwnRequest("You asked for this yourself: somebody else has to decide.")
    if not may_decide(approval=approval, staff=staff):
        raise MayNotDecide("Your role does not decide this.")
    if approval.status == REQUESTED and approval.expires_at <= now:
        raise TooLate("Nobody decided in time. It has to be asked for again.")


def _tell(approval: Approval, moved: str, now: datetime, actor: audit.Actor, merchant_id: UUID) -> None:
    shown = ids.show(Approval.id_prefix, approval.pk)
    told = {
        "id": shown,
        "object": "approval",
        "action": approval.action,
        "object_id": approval.object_id,
        "status": approval.status,
        "facts": approval.facts,
        "created": clock.unix(approval.requested_at),
    }
    publish(row(f"approval.{moved}", told, now=now, is_public=False))
    audit.record(
        actor=actor,
        action=f"approval.{moved}",
        object_id=shown,
        detail={"action": approval.action, "object": approval.object_id, "facts": approval.facts},
        book_id=approval.book_id,
        merchant_id=merchant_id,
    )
