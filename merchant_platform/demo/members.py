"""Who of a shop's customers became a member, when, and what they allowed; then what their orders say of them."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from random import Random
from uuid import UUID

from members.directory import contacts, duplicates, numbers, objects
from members.directory.models import CHECKOUT, EMAIL, PHONE, QR, Contact, Household, Member, MemberTag, Tag
from members.directory.objects import About
from members.features import computing
from merchant_platform.demo.bulk import insert
from merchant_platform.demo.chronicle import Chronicle
from merchant_platform.demo.stage import Stage
from merchant_platform.kernel import ids
from payments.customers.models import Customer
from security.merchants import queries as merchants
from security.privacy.models import Consent
from security.privacy.wording import MARKETING, PERSONALISATION, PROFILE, PURPOSES

_JOINED_SHARE, _PHONE_SHARE, _BIRTHDAY_SHARE, _SAME_PHONE_SHARE = 0.62, 0.8, 0.5, 0.03
_ALLOWED_SHARES = {PROFILE: 0.7, PERSONALISATION: 0.62, MARKETING: 0.45}
# Tags with the share of the members that have them.
_TAGS = {"常客": 0.25, "企业团购": 0.06, "公益合作": 0.03, "杯测会": 0.08}
_HOUSEHOLD_SHARE = 0.05


def enrol(stage: Stage, *, chronicle: Chronicle, customers: Sequence[Customer]) -> None:
    """Write the members with what hangs on them, each kind of row at once, in the open unit of work."""
    rng = stage.chance("members")
    known = _members(stage, customers, rng)
    consents = [each for member in known for each in _consents(member, rng)]
    personal = {each.customer_id for each in consents if each.purpose == PERSONALISATION}
    for member in known:
        if member.customer_id in personal and rng.random() < _BIRTHDAY_SHARE:
            member.birthday = (stage.start - timedelta(days=rng.randint(19 * 365, 62 * 365))).date()
    insert(_households(stage, known, rng))
    insert(known)
    insert(consents)
    kept = _contacts(stage, known, rng)
    Contact.objects.bulk_create(kept)  # binary columns, which are nothing for JSON
    insert(tags := _tags(stage))
    insert(_member_tags(known, tags, rng))
    masks: dict[UUID, dict[str, str]] = {}
    for each in kept:
        masks.setdefault(each.member_id, {})[each.kind] = each.mask
    for member in known:
        shown = objects.member(member, About(masks.get(member.pk, {})), livemode=chronicle.livemode)
        chronicle.tell("member.created", partial(dict, shown), now=member.created_at)


def look_at(stage: Stage) -> None:
    """Work out the members' figures, and who may be one person, after the history is written. Three statements."""
    computing.compute(book=merchants.book(stage.book_id), now=stage.now)
    duplicates.look_for(list(Member.objects.values_list("pk", flat=True)), now=stage.now)


def _members(stage: Stage, customers: Sequence[Customer], rng: Random) -> list[Member]:
    members = []
    for customer in customers:
        if rng.random() >= _JOINED_SHARE and customer.consumer_id is None:
            continue
        at = customer.created_at + timedelta(minutes=rng.uniform(6, 60 * 24 * 9))
        if at >= stage.now:
            continue
        is_scanned = rng.random() < 0.6
        members.append(
            Member(
                id=ids.new(at),
                book_id=stage.book_id,
                customer=customer,
                number=numbers.new(),
                joined_at=at,
                source=QR if is_scanned else CHECKOUT,
                store=rng.choice(stage.stores) if is_scanned else None,
                created_at=at,
            )
        )
    return members


def _consents(member: Member, rng: Random) -> list[Consent]:
    return [
        Consent(
            id=ids.new(member.joined_at),
            book_id=member.book_id,
            customer_id=member.customer_id,
            purpose=purpose,
            wording_version=PURPOSES[purpose].version,
            source=member.source,
            granted_at=member.joined_at,
        )
        for purpose, share in _ALLOWED_SHARES.items()
        if rng.random() < share
    ]


def _contacts(stage: Stage, members: Sequence[Member], rng: Random) -> list[Contact]:
    box = contacts.box(now=stage.now)
    kept, phone = [], ""
    for member in members:
        if member.customer.email:
            kept.append(contacts.draft(member.pk, EMAIL, member.customer.email, using=box, now=member.joined_at))
        if rng.random() < _PHONE_SHARE:
            # Now and then somebody joins a second time.
            if not phone or rng.random() >= _SAME_PHONE_SHARE:
                phone = f"+86{rng.choice((135, 138, 139, 158, 186))}{rng.randrange(10**8):08d}"
            kept.append(contacts.draft(member.pk, PHONE, phone, using=box, now=member.joined_at))
    return kept


def _households(stage: Stage, members: Sequence[Member], rng: Random) -> list[Household]:
    households: list[Household] = []
    for first, second in zip(members[::2], members[1::2], strict=False):
        if rng.random() < _HOUSEHOLD_SHARE:
            at = max(first.joined_at, second.joined_at)
            name = f"{(first.customer.name or '')[:1]}家 {len(households) + 1}"
            household = Household(id=ids.new(at), book_id=stage.book_id, name=name, created_at=at)
            first.household = second.household = household
            households.append(household)
    return households


def _tags(stage: Stage) -> list[Tag]:
    return [Tag(id=ids.new(stage.start), book_id=stage.book_id, name=name, created_at=stage.start) for name in _TAGS]


def _member_tags(members: Sequence[Member], tags: Sequence[Tag], rng: Random) -> list[MemberTag]:
    return [
        MemberTag(
            id=ids.new(member.joined_at),
            book_id=member.book_id,
            member=member,
            tag=tag,
            created_at=member.joined_at,
        )
        for member in members
        for tag in tags
        if rng.random() < _TAGS[tag.name]
    ]
