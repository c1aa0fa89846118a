"""Who a member is, as the merchant knows it: written down, changed, and each change kept with what was before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from members.directory import contacts, duplicates, objects, operations, queries
from members.directory.hand import Hand
from members.directory.models import CONTACTS, Contact, Correction, Household, Member, MemberTag, Tag
from merchant_platform.kernel import ids, tenancy, versions
from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.events.outbox import changed, publish, row
from payments.customers import operations as customers
from security.privacy import operations as consents
from security.privacy import queries as allowed
from security.privacy.wording import PERSONALISATION

TAG_LENGTH_MAX, TAGS_MAX, TAGS_OF_A_BOOK_MAX = 40, 20, 500
NAME_LENGTH_MAX, HOUSEHOLD_LENGTH_MAX = 256, 100
OLDEST = date(1900, 1, 1)


class MemberExists(Invalid):
    """Somebody with this contact is a member already."""

    code = "member_exists"

    def __init__(self, message: str, *, param: str | None = None, member: Member | None = None) -> None:
        super().__init__(message, param=param)
        self.member = member


class ConsentMissing(Invalid):
    """Nothing personal is kept for a purpose that the person did not allow."""

    code = "consent_missing"


class ProfileInvalid(Invalid):
    """A field of the profile cannot be so."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is said of a member. None: nothing is said of it; an empty text takes it away."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None
    # An empty text, or a day.
    birthday: date | str | None = None
    household: str | None = None
    tags: Sequence[str] | None = None


def add(
    profile: Profile,
    *,
    hand: Hand,
    customer_id: UUID | None = None,
    store_id: UUID | None = None,
    consents_to: Collection[str] = (),
    is_claim: bool = False,
    number: str | None = None,
    joined_on: date | None = None,
    locale: str | None = None,
) -> Member:
    """Enrol somebody with a profile. This will write the membership, and a customer where none is named.

    `number` and `joined_on` are what they were in another system; `locale` is the language that they joined in.

    `is_claim`: the person says it of himself and nobody checked it, so a contact that is
    somebody's already makes no difference that could be seen; the pair shows up among the
    duplicates. Otherwise raises MemberExists. Raises ContactInvalid, ConsentMissing,
    ProfileInvalid, and NotFound for a customer that is not here.
    """
    read = _read(profile, hand)
    if not is_claim:
        for kind in CONTACTS:
            if read.get(kind) and (known := queries.by_contact(kind, read[kind], hand=hand)):
                shown = ids.show("mem", known[0].pk)
                raise MemberExists(f"A member with this {kind} exists: '{shown}'.", param=kind, member=known[0])
    if customer_id is None:
        # The customer has the name alone: contacts are kept under seal, in one place.
        fields = {"name": read.get("name") or None, "preferred_locales": [locale] if locale else []}
        customer_id = customers.create(fields=fields, now=hand.now, origin=hand.origin).pk
    else:
        customers.find(customer_id, param="customer")
    grant(customer_id, consents_to, hand=hand)
    member = operations.enrol(
        customer_id=customer_id,
        source=hand.source,
        now=hand.now,
        origin=hand.origin,
        store_id=store_id,
        joined_at=datetime.combine(joined_on, time(), UTC) if joined_on else None,
        number=number,
    )
    _write(operations.locked(member.pk), read, hand=hand, is_new=True)
    return queries.find(member.pk)


def change(
    profile: Profile, *, member_id: UUID, hand: Hand, consents_to: Collection[str] = (), seen: str | None = None
) -> Member:
    """Correct a member. This will write what differs, keep what it was before, and tell `member.updated`.

    `seen` is the version that the change was made of. Raises ContactInvalid,
    ConsentMissing, ProfileInvalid, NotFound, operations.NotAMember, and ChangedMeanwhile.
    """
    member = operations.locked(member_id)
    versions.check_seen(seen, version(member))
    if not member.is_active:
        raise operations.NotAMember("Who left, or was merged into somebody else, cannot be changed.")
    grant(member.customer_id, consents_to, hand=hand)
    _write(member, _read(profile, hand), hand=hand)
    return queries.find(member_id)


def grant(customer_id: UUID, purposes: Collection[str], *, hand: Hand) -> None:
    """Write down what a customer allows, as the door was told."""
    for purpose in purposes:
        consents.grant(customer_id=customer_id, purpose=purpose, source=hand.source, now=hand.now, actor=hand.actor)


def version(member: Member) -> str:
    """The version of a profile as it is shown."""
    return versions.of(_shown(member))


def check_tag(text: str) -> str:
    """A tag as it is kept. Raises ProfileInvalid."""
    name = " ".join(text.split())
    if not name or len(name) > TAG_LENGTH_MAX or "," in name:
        raise ProfileInvalid(f"A tag has 1 to {TAG_LENGTH_MAX} characters and no comma.", param="tags")
    return name


def _read(profile: Profile, hand: Hand) -> dict[str, Any]:
    """What is said, each in its one form."""
    read: dict[str, Any] = {}
    for kind in CONTACTS:
        if (text := getattr(profile, kind)) is not None:
            read[kind] = contacts.read(kind, text, country=hand.country) if text.strip() else ""
    for name, length_max in (("name", NAME_LENGTH_MAX), ("household", HOUSEHOLD_LENGTH_MAX)):
        if (text := getattr(profile, name)) is not None:
            read[name] = " ".join(text.split())
            if len(read[name]) > length_max:
                raise ProfileInvalid(f"At most {length_max} characters.", param=name)
    if profile.birthday is not None:
        read["birthday"] = profile.birthday or None
        if isinstance(profile.birthday, date) and not OLDEST <= profile.birthday <= hand.now.date():
            raise ProfileInvalid("This is nobody's birthday.", param="birthday")
    if profile.tags is not None:
        read["tags"] = sorted({check_tag(each) for each in profile.tags})
        if len(read["tags"]) > TAGS_MAX:
            raise ProfileInvalid(f"A member has at most {TAGS_MAX} tags.", param="tags")
    return read


def _write(member: Member, read: Mapping[str, Any], *, hand: Hand, is_new: bool = False) -> None:
    before = _shown(member, hand)
    differs: list[tuple[str, str, str]] = []
    _write_contacts(member, read, differs, hand)
    if "name" in read and read["name"] != (member.customer.name or ""):
        differs.append(("name", member.customer.name or "", read["name"]))
        fields = {"name": read["name"] or None}
        customers.update(customer_id=member.customer_id, fields=fields, now=hand.now, origin=hand.origin)
    _write_columns(member, read, differs, hand)
    if "tags" in read:
        _write_tags(member, read["tags"], differs, hand)
    if not differs:
        return
    if not is_new:
        Correction.objects.bulk_create(
            Correction(
                id=ids.new(hand.now),
                book_id=member.book_id,
                member=member,
                field=field,
                before=old,
                after=new,
                source=hand.source,
                staff_id=hand.staff_id,
                created_at=hand.now,
            )
            for field, old, new in differs
        )
        hand.sign("member.edit", ids.show("mem", member.pk), fields=sorted(field for field, _, _ in differs))
    after = _shown(queries.find(member.pk), hand)
    publish(row("member.updated", after, previous=changed(before, after), now=hand.now, **hand.origin.tags))
    if {field for field, _, _ in differs} & {"name", *CONTACTS}:
        duplicates.look_for([member.pk], now=hand.now)


def _write_contacts(member: Member, read: Mapping[str, Any], differs: list[tuple[str, str, str]], hand: Hand) -> None:
    said = [kind for kind in CONTACTS if kind in read]
    if not said:
        return
    box = contacts.box(now=hand.now)
    present = {each.kind: each for each in Contact.objects.filter(member_id=member.pk)}
    for kind in said:
        known, value = present.get(kind), read[kind]
        if value and known and contacts.digests([(kind, value)], using=box)[0] == known.digest:
            continue
        if not value and not known:
            continue
        if known:
            known.delete()
        if value:
            contacts.draft(member.pk, kind, value, using=box, now=hand.now).save(force_insert=True)
        differs.append((kind, known.mask if known else "", contacts.mask(kind, value) if value else ""))


def _write_columns(member: Member, read: Mapping[str, Any], differs: list[tuple[str, str, str]], hand: Hand) -> None:
    columns: dict[str, Any] = {}
    if "birthday" in read and read["birthday"] != member.birthday:
        # It is known for one thing alone: to be given something on the day.
        if read["birthday"] and not allowed.allows(member.customer_id, PERSONALISATION):
            raise ConsentMissing(
                f"A birthday is kept with the customer's consent to '{PERSONALISATION}' alone.", param="birthday"
            )
        columns["birthday"] = read["birthday"]
        differs.append(("birthday", _day(member.birthday), _day(read["birthday"])))
    name = member.household.name if member.household else ""
    if "household" in read and read["household"] != name:
        columns["household"] = _household(read["household"], hand) if read["household"] else None
        differs.append(("household", name, read["household"]))
    if columns:
        for column, value in columns.items():
            setattr(member, column, value)
        member.save(update_fields=list(columns))


def _write_tags(member: Member, wanted: Sequence[str], differs: list[tuple[str, str, str]], hand: Hand) -> None:
    rows = MemberTag.objects.filter(member_id=member.pk).select_related("tag")
    present = {each.tag.name: each for each in rows}
    if sorted(present) == list(wanted):
        return
    put(member.pk, [name for name in wanted if name not in present], hand=hand)
    MemberTag.objects.filter(pk__in=[each.pk for name, each in present.items() if name not in wanted]).delete()
    differs.append(("tags", ", ".join(sorted(present)), ", ".join(wanted)))


def put(member_id: UUID, names: Sequence[str], *, hand: Hand) -> None:
    """Put tags on a member. This will make those that the book has not yet. Raises ProfileInvalid."""
    if not names:
        return
    book_id = tenancy.book_id()
    known = set(Tag.objects.filter(name__in=names).values_list("name", flat=True))
    missing = [name for name in names if name not in known]
    if missing and Tag.objects.count() + len(missing) > TAGS_OF_A_BOOK_MAX:
        raise ProfileInvalid(f"There are at most {TAGS_OF_A_BOOK_MAX} different tags.", param="tags")
    Tag.objects.bulk_create(
        (Tag(id=ids.new(hand.now), book_id=book_id, name=name, created_at=hand.now) for name in missing),
        ignore_conflicts=True,
    )
    MemberTag.objects.bulk_create(
        (
            MemberTag(id=ids.new(hand.now), book_id=book_id, member_id=member_id, tag_id=tag_id, created_at=hand.now)
            for tag_id in Tag.objects.filter(name__in=names).values_list("pk", flat=True)
        ),
        ignore_conflicts=True,
    )


def _household(name: str, hand: Hand) -> Household:
    made = Household(id=ids.new(hand.now), book_id=tenancy.book_id(), name=name, created_at=hand.now)
    Household.objects.bulk_create([made], ignore_conflicts=True)
    return Household.objects.get(name=name)


def _shown(member: Member, hand: Hand | None = None) -> dict[str, Any]:
    livemode = hand is not None and hand.origin.livemode
    return objects.member(member, queries.about([member.pk])[member.pk], livemode=livemode)


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
