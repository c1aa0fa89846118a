"""Questions about members."""

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from members.directory import contacts
from members.directory.hand import Hand
from members.directory.models import Contact, Correction, Duplicate, Member, MemberTag, Merge, Tag
from members.directory.objects import About
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import missing


def members() -> QuerySet[Member]:
    """The members of the open book, read with what is shown beside them."""
    return Member.objects.select_related("customer", "household")


def find(member_id: UUID, *, param: str | None = None) -> Member:
    """A member of the open book as it stands, an alias too. Raises NotFound."""
    member = members().filter(pk=member_id).first()
    if member is None:
        raise missing("member", ids.show("mem", member_id), param=param)
    return member


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


def same_person(customer_id: UUID) -> list[UUID]:
    """The customers of the member behind a customer, also of one who left; none where nobody is a member."""
    found = Member.objects.filter(customer_id=customer_id).values_list("merged_into_id", "pk").first()
    return customer_ids(found[0] or found[1]) if found else []


def of_customers(customers: Iterable[UUID]) -> dict[UUID, UUID]:
    """The living members behind many customers, by customer; one statement."""
    rows = Member.objects.filter(customer_id__in=list(customers)).values_list("customer_id", "merged_into_id", "pk")
    return {customer: merged_into or own for customer, merged_into, own in rows}


def about(member_ids: Collection[UUID]) -> dict[UUID, About]:
    """What stands in other tables about members; two statements, however many they are."""
    masks: dict[UUID, dict[str, str]] = {each: {} for each in member_ids}
    tags: dict[UUID, list[str]] = {each: [] for each in member_ids}
    for member_id, kind, mask in Contact.objects.filter(member_id__in=member_ids).values_list(
        "member_id", "kind", "mask"
    ):
        masks[member_id][kind] = mask
    for member_id, name in MemberTag.objects.filter(member_id__in=member_ids).values_list("member_id", "tag__name"):
        tags[member_id].append(name)
    return {each: About(masks[each], sorted(tags[each])) for each in member_ids}


def opened(member: Member, *, hand: Hand) -> dict[str, str]:
    """A member's contacts in the clear, by kind. Raises Unavailable where the vault has no keys."""
    rows = list(Contact.objects.filter(member_id=member.pk))
    return contacts.opened(rows, using=contacts.box(now=hand.now)) if rows else {}


def by_contact(kind: str, value: str, *, hand: Hand) -> list[Member]:
    """The living members that a contact belongs to, the eldest first. `value` is in its one form."""
    (digest,) = contacts.digests([(kind, value)], using=contacts.box(now=hand.now))
    found = Contact.objects.filter(digest=digest).select_related("member__merged_into").order_by("pk")[:20]
    living = {each.pk: each for each in (row.member.merged_into or row.member for row in found)}
    return [each for each in living.values() if each.is_active]


def tags() -> Sequence[Tag]:
    """The tags of the open book, by name."""
    return list(Tag.objects.order_by("name"))


def aliases(member_id: UUID) -> Sequence[Member]:
    """The members that were merged into this one."""
    return list(members().filter(merged_into_id=member_id).order_by("pk"))


def merges(member_id: UUID) -> Sequence[Merge]:
    """What was merged into a member and stands, the latest first."""
    rows = Merge.objects.filter(winner_id=member_id, undone_at__isnull=True)
    return list(rows.select_related("loser__customer").order_by("-pk"))


def at_home(member: Member) -> Sequence[Member]:
    """The others of a member's household."""
    if member.household_id is None:
        return []
    return list(members().filter(household_id=member.household_id).exclude(pk=member.pk).order_by("pk")[:20])


def corrections(member_id: UUID, *, limit: int) -> Sequence[Correction]:
    """What was changed about a member, the latest first."""
    rows = Correction.objects.filter(member_id=member_id).select_related("staff__user")
    return list(rows.order_by("-pk")[:limit])


def duplicates() -> QuerySet[Duplicate]:
    """The pairs that nobody answered yet."""
    return Duplicate.objects.filter(closed_at__isnull=True).select_related(
        "member__customer", "member__household", "other__customer", "other__household"
    )
