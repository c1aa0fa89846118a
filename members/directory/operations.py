"""Enrol customers as members."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from members.directory import numbers, objects
from members.directory.models import ACTIVE, LEFT, Member
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.outbox import publish, row
from payments.customers import operations as customers
from payments.origin import Origin


def enrol(
    *,
    customer_id: UUID,
    source: str,
    now: datetime,
    origin: Origin,
    store_id: UUID | None = None,
    joined_at: datetime | None = None,
) -> Member:
    """Make a customer a member. This will write the membership and tell `member.created`, once a customer.

    Who is a member already stays the same one; who left is a member again. `joined_at` is
    when it was in another system. Raises NotFound for a customer that is not here.
    """
    customers.find(customer_id, param="customer")
    known = Member.objects.select_related("merged_into").filter(customer_id=customer_id).first()
    if known is None:
        enrol_many(
            customer_ids=[customer_id], source=source, now=now, origin=origin, store_id=store_id, joined_at=joined_at
        )
        known = Member.objects.select_related("merged_into").get(customer_id=customer_id)
    member = known.merged_into or known
    if member.status == LEFT:
        before = objects.member(member, livemode=origin.livemode)
        if Member.objects.filter(pk=member.pk, status=LEFT).update(status=ACTIVE, left_at=None):
            member.status, member.left_at = ACTIVE, None
            after = objects.member(member, livemode=origin.livemode)
            publish(row("member.updated", after, previous={"status": before["status"]}, now=now, **origin.tags))
    return member


def enrol_many(
    *,
    customer_ids: Sequence[UUID],
    source: str,
    now: datetime,
    origin: Origin,
    store_id: UUID | None = None,
    joined_at: datetime | None = None,
) -> list[Member]:
    """Make customers members: those that are none yet. This will write and tell all in three statements.

    Returns the new members. Of two that enrol one customer at once, the first to commit wins.
    """
    made: list[Member] = []
    wanted = list(dict.fromkeys(customer_ids))
    while wanted:
        drafted = _draft(wanted, source, now, store_id, joined_at)
        Member.objects.bulk_create(drafted, ignore_conflicts=True)
        ours = set(Member.objects.filter(pk__in=[each.pk for each in drafted]).values_list("pk", flat=True))
        made += [each for each in drafted if each.pk in ours]
        wanted = [each.customer_id for each in drafted if each.pk not in ours]
        if wanted:
            # Members already; a number that was another one's by chance is drawn again.
            known = Member.objects.filter(customer_id__in=wanted).values_list("customer_id", flat=True)
            wanted = sorted(set(wanted) - set(known))
    publish(
        *(
            row("member.created", objects.member(each, livemode=origin.livemode), now=now, **origin.tags)
            for each in made
        )
    )
    return made


def _draft(
    customer_ids: Sequence[UUID], source: str, now: datetime, store_id: UUID | None, joined_at: datetime | None
) -> list[Member]:
    return [
        Member(
            id=ids.new(now),
            book_id=tenancy.book_id(),
            customer_id=customer_id,
            number=numbers.new(),
            joined_at=joined_at or now,
            source=source,
            store_id=store_id,
            created_at=now,
        )
        for customer_id in customer_ids
    ]
