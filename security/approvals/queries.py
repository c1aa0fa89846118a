"""What waits for a second person, and what was decided."""

from uuid import UUID

from django.db.models import QuerySet

from security.access import roles
from security.approvals.models import Approval
from security.approvals.states import REQUESTED
from security.merchants.models import Staff

COUNTED_MAX = 100


def approvals(*, book_id: UUID, is_waiting: bool) -> QuerySet[Approval]:
    """The approvals of a book that wait, or those that do not, newest first, with the people."""
    found = Approval.objects.filter(book_id=book_id).select_related("requested_by__user", "decided_by__user")
    chosen = found.filter(status=REQUESTED) if is_waiting else found.exclude(status=REQUESTED)
    return chosen.order_by("-pk")


def waiting_on(*, book_id: UUID, action: str, object_id: str) -> Approval | None:
    """The request for an act on an object that nobody has decided yet."""
    return Approval.objects.filter(book_id=book_id, action=action, object_id=object_id, status=REQUESTED).first()


def waiting_for(*, book_id: UUID, staff: Staff) -> int:
    """How many a person could decide now, a hundred at most."""
    if not roles.may(staff.role, "approval.decide"):
        return 0
    allowed = [action for action in roles.ACTIONS if roles.may(staff.role, action)]
    found = Approval.objects.filter(book_id=book_id, status=REQUESTED, action__in=allowed).exclude(requested_by=staff)
    return found[:COUNTED_MAX].count()
