"""Questions about members."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from members.directory.models import Member
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import missing


def of_customer(customer_id: UUID) -> Member | None:
    """The member behind a customer of the open book, or the one it was merged into. Not those who left."""
    member = Member.objects.select_related("merged_into").filter(customer_id=customer_id).first()
    if member is None:
        return None
    living = member.merged_into or member
    return living if living.is_active else None


def alive(member_id: UUID, *, param: str | None = None) -> Member:
    """A member of the open book, or the one it was merged into. Raises NotFound."""
    member = Member.objects.select_related("merged_into").filter(pk=member_id).first()
    if member is None:
        raise missing("member", ids.show("mem", member_id), param=param)
    return member.merged_into or member


def customer_ids(member_id: UUID) -> list[UUID]:
    """The customers that are this member: its own, and those of its aliases."""
    rows = Member.objects.filter(Q(pk=member_id) | Q(merged_into_id=member_id))
    return list(rows.order_by("pk").values_list("customer_id", flat=True))


def of_customers(customers: Iterable[UUID]) -> dict[UUID, UUID]:
    """The living members behind many customers, by customer; one statement."""
    rows = Member.objects.filter(customer_id__in=list(customers)).values_list("customer_id", "merged_into_id", "pk")
    return {customer: merged_into or own for customer, merged_into, own in rows}
