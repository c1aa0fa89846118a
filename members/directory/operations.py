"""Make customers members, and let them leave."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from members.directory import contacts, duplicates, numbers, objects, queries
from members.directory.models import ACTIVE, EMAIL, LEFT, PHONE, Contact, Correction, Member, MemberTag
from members.directory.objects import About
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import WrongState
from merchant_platform.kernel.events.outbox import publish, row
from payments.customers import operations as customers
from payments.customers.models import Customer
from payments.origin import Origin
from security.merchants import queries as merchants


class NotAMember(WrongState):
    """Who left, or was merged into somebody else, is no member."""

    code = "member_unexpected_state"


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
    if member.status == LEFT and Member.objects.filter(pk=member.pk, status=LEFT).update(status=ACTIVE, left_at=None):
        member.status, member.left_at = ACTIVE, None
        _keep_contacts({member.pk: customers.find(customer_id)}, now=now)
        tell("member.updated", member.pk, previous={"status": LEFT}, now=now, origin=origin)
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
    """Make customers members: those of them that are here and none yet. This will write and tell all.

    A membership's contacts begin as the customer's own. The number of statements does not
    grow with the number of customers. Of two that enrol one at once, the first to commit wins.
    """
    known = Customer.objects.filter(pk__in=set(customer_ids), deleted_at__isnull=True).in_bulk()
    made: list[Member] = []
    wanted = [each for each in dict.fromkeys(customer_ids) if each in known]
    while wanted:
        drafted = [
            Member(
                id=ids.new(now),
                book_id=tenancy.book_id(),
                customer=known[each],
                number=numbers.new(),
                joined_at=joined_at or now,
                source=source,
                store_id=store_id,
                created_at=now,
            )
            for each in wanted
        ]
        Member.objects.bulk_create(drafted, ignore_conflicts=True)
        ours = set(Member.objects.filter(pk__in=[each.pk for each in drafted]).values_list("pk", flat=True))
        made += [each for each in drafted if each.pk in ours]
        wanted = [each.customer_id for each in drafted if each.pk not in ours]
        if wanted:
            # Members already; a number that was another one's by chance is drawn again.
            there = Member.objects.filter(customer_id__in=wanted).values_list("customer_id", flat=True)
            wanted = sorted(set(wanted) - set(there))
    masks = _keep_contacts({each.pk: known[each.customer_id] for each in made}, now=now)
    publish(
        *(
            row(
                "member.created",
                objects.member(each, About(masks.get(each.pk, {})), livemode=origin.livemode),
                now=now,
                **origin.tags,
            )
            for each in made
        )
    )
    duplicates.look_for([each.pk for each in made], now=now)
    return made


def leave(*, member_id: UUID, now: datetime, origin: Origin) -> Member:
    """End a membership. This will forget contacts, birthday, household, tags and corrections, and tell it.

    The row stays as what points and offers hang on. Raises NotFound, and NotAMember.
    """
    member = locked(member_id)
    if not member.is_active:
        raise NotAMember("This membership ended before.")
    forget(member)
    member.status, member.left_at = LEFT, now
    member.save(update_fields=["status", "left_at"])
    tell("member.updated", member.pk, previous={"status": ACTIVE}, now=now, origin=origin)
    return member


def forget(member: Member) -> None:
    """Take away what is kept of a person beside the membership. This will delete it, of the aliases too."""
    everybody = [member.pk, *Member.objects.filter(merged_into_id=member.pk).values_list("pk", flat=True)]
    Contact.objects.filter(member_id__in=everybody).delete()
    Correction.objects.filter(member_id__in=everybody).delete()
    MemberTag.objects.filter(member_id__in=everybody).delete()
    Member.objects.filter(pk__in=everybody).update(birthday=None, household=None)
    member.birthday = member.household = None


def locked(member_id: UUID) -> Member:
    """A member of the open book, its row locked. Raises NotFound."""
    Member.objects.select_for_update().filter(pk=member_id).first()
    return queries.find(member_id)


def tell(event_type: str, member_id: UUID, *, previous: Mapping | None, now: datetime, origin: Origin) -> None:
    """Publish a member as it stands."""
    member = queries.find(member_id)
    shown = objects.member(member, queries.about([member_id])[member_id], livemode=origin.livemode)
    publish(row(event_type, shown, previous=dict(previous) if previous else None, now=now, **origin.tags))


def _keep_contacts(joined: Mapping[UUID, Customer], *, now: datetime) -> dict[UUID, dict[str, str]]:
    """Write the contacts of new members as their customers have them; what is none is left. Gives the masks."""
    said = [
        (member_id, kind, text)
        for member_id, customer in joined.items()
        for kind, text in ((PHONE, customer.phone), (EMAIL, customer.email))
        if text
    ]
    if not said:
        return {}
    country, box = merchants.book(tenancy.book_id()).merchant.country, contacts.box(now=now)
    drafted = []
    for member_id, kind, text in said:
        try:
            value = contacts.read(kind, text, country=country)
        except contacts.ContactInvalid:
            continue
        drafted.append(contacts.draft(member_id, kind, value, using=box, now=now))
    Contact.objects.bulk_create(drafted, ignore_conflicts=True)
    masks: dict[UUID, dict[str, str]] = {}
    for each in drafted:
        masks.setdefault(each.member_id, {})[each.kind] = each.mask
    return masks
