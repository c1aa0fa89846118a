"""Take a notice in, mark it applied, park it for a person."""

from datetime import datetime
from uuid import UUID

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import WrongState
from merchant_platform.kernel.events import outbox
from payments.providers import port
from payments.providers.notices.models import Notice

RECEIVED = "provider.notice_received"


class AlreadyApplied(WrongState):
    """The notice was applied before."""


def receive(*, provider: str, notice_id: str, body: str, received_at: datetime, now: datetime) -> Notice | None:
    """Keep a verified notice in the open book. This will write it and publish RECEIVED with its id; None: known before.

    `received_at` is the world's time, `now` the book's. Whoever reacts to the event reads
    the row, and `report` of it.
    """
    notice = Notice(
        id=ids.new(received_at),
        book_id=tenancy.book_id(),
        provider=provider,
        notice_id=notice_id,
        body=body,
        received_at=received_at,
    )
    # Of two copies that come at once one inserts; the other waits for its commit, and finds it here.
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    if not Notice.objects.filter(pk=notice.pk).exists():
        return None
    told = {"notice": ids.show(Notice.id_prefix, notice.pk), "provider": provider}
    outbox.publish(outbox.row(RECEIVED, told, now=now, is_public=False))
    return notice


def report(notice: Notice) -> port.Report | port.RefundReport:
    """What a kept notice says. Reads only."""
    return port.find(notice.provider).parse_notice(body=notice.body.encode()).report


def mark_applied(*, notice_id: UUID, now: datetime) -> None:
    """Note that a notice had its effect. This will write when, by the book's time. Raises AlreadyApplied."""
    if not Notice.objects.filter(pk=notice_id, applied_at__isnull=True).update(applied_at=now, parked_reason=None):
        raise AlreadyApplied("This notice was applied before.")


def park(*, notice_id: UUID, reason: str) -> None:
    """Set a notice aside for a person. This will write the reason, a code. Raises AlreadyApplied."""
    if not Notice.objects.filter(pk=notice_id, applied_at__isnull=True).update(parked_reason=reason):
        raise AlreadyApplied("This notice was applied before.")
