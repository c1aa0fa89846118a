"""Where members can be written to, opened for a letter alone, many at once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from members.directory import contacts
from members.directory.models import ACTIVE, EMAIL, Contact, Member


@dataclass(frozen=True, slots=True)
class Addressee:
    """A member with an address in the clear. `language` is the one they chose, of those that we write; "": none."""

    member_id: UUID
    address: str
    language: str
    has_wallet: bool


def by_email(member_ids: Collection[UUID], *, now: datetime) -> list[Addressee]:
    """Those of some members who are members today and left an e-mail address, themselves or as an alias.

    Four statements. Raises vault.Unavailable where the vault has no keys.
    """
    living = Member.objects.filter(pk__in=member_ids, status=ACTIVE).select_related("customer").order_by("pk")
    rows = Contact.objects.filter(
        Q(member_id__in=member_ids) | Q(member__merged_into_id__in=member_ids), kind=EMAIL
    ).select_related("member")
    kept: dict[UUID, Contact] = {}
    for row in rows.order_by("pk"):
        owner = row.member.merged_into_id or row.member_id
        # A member's own address goes before those of who was merged into them.
        if owner not in kept or row.member_id == owner:
            kept[owner] = row
    if not kept:
        return []
    box = contacts.box(now=now)
    return [
        Addressee(
            member.pk,
            contacts.opened([kept[member.pk]], using=box)[EMAIL],
            _language(member.customer.preferred_locales),
            member.customer.consumer_id is not None,
        )
        for member in living
        if member.pk in kept
    ]


def _language(locales: list[str]) -> str:
    """The first of somebody's languages that we write: `en-GB` is English, `zh` and `zh-CN` simplified Chinese."""
    ours = {code.partition("-")[0]: code for code, _name in settings.LANGUAGES}
    return next(
        (ours[each] for text in locales if (each := text.lower().replace("_", "-").partition("-")[0]) in ours), ""
    )
