"""What members are found by: an id, the number on the card, a contact, the end of a telephone number, or a name."""

from dataclasses import dataclass

from django.db.models import QuerySet

from members.directory import contacts, numbers, queries
from members.directory.hand import Hand
from members.directory.models import EMAIL, PHONE, Contact, Member
from merchant_platform.kernel import ids
from payments.customers import finding as customers

NAME = "customer__name_key"


@dataclass(frozen=True, slots=True)
class Found:
    """Members, and the column in whose order they come; none: newest first."""

    rows: "QuerySet[Member]"
    column: str | None = None


def found(text: str, *, hand: Hand) -> Found:
    """The members of the open book that a text finds; all of them for an empty one."""
    rows, text = queries.members(), text.strip()
    if not text:
        return Found(rows)
    try:
        return Found(rows.filter(pk=ids.parse("mem", text)))
    except ids.MalformedId:
        pass
    number = numbers.read(text) or text
    # Also a number of the system before this one.
    if any(each.isdigit() for each in text) and rows.filter(number=number).exists():
        return Found(rows.filter(number=number))
    if kind := _kind(text):
        return Found(_by_contact(kind, text, hand))
    key = customers.name_key(text) or ""
    # Greater than any character that a key can go on with.
    named = rows.filter(customer__name_key__gte=key, customer__name_key__lt=key + "\U0010ffff")
    return Found(named, NAME)


def _kind(text: str) -> str | None:
    if "@" in text:
        return EMAIL
    digits = sum(each.isdigit() for each in text)
    is_phone = digits >= contacts.ENDING_LENGTH and not any(each.isalpha() for each in text)
    return PHONE if is_phone else None


def _by_contact(kind: str, text: str, hand: Hand) -> "QuerySet[Member]":
    if kind == PHONE and len(text) == contacts.ENDING_LENGTH:
        owners = Contact.objects.filter(ending=text).values("member_id")
        return queries.members().filter(pk__in=owners)
    try:
        value = contacts.read(kind, text, country=hand.country)
    except contacts.ContactInvalid:
        return queries.members().none()
    return queries.members().filter(pk__in=[each.pk for each in queries.by_contact(kind, value, hand=hand)])
