"""/v1/members"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from members.directory import contacts, merging, numbers, objects, operations, profile, queries
from members.directory.hand import Hand
from members.directory.models import API, EMAIL, PHONE, Member, MemberTag, Merge
from members.directory.profile import Profile
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.expand import expandable, loader
from merchant_platform.kernel.api.params import Emptied, Id, InvalidParameter, Listed, ListParams, Params, UpTo
from merchant_platform.kernel.errors import NotFound
from payments.api.addresses import origin, path_id
from security.audit.operations import Actor
from security.merchants import queries as merchants
from security.merchants.models import Store
from security.privacy.wording import MARKETING, PERSONALISATION, PROFILE

expandable("member", customer="customer")


def _birthday(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("parameter_invalid", "Invalid date: use YYYY-MM-DD.") from error
    return value


Birthday = Annotated[str, UpTo(10), AfterValidator(_birthday)]
Purpose = Literal["marketing", "personalisation", "profile"]
assert {MARKETING, PERSONALISATION, PROFILE} == {"marketing", "personalisation", "profile"}, "the purposes' own names"


class MemberFields(Params):
    birthday: Emptied[Birthday] = None
    consents: Listed[Purpose] = []
    email: Emptied[Annotated[str, UpTo(contacts.EMAIL_LENGTH_MAX)]] = None
    household: Emptied[Annotated[str, UpTo(profile.HOUSEHOLD_LENGTH_MAX)]] = None
    name: Emptied[Annotated[str, UpTo(profile.NAME_LENGTH_MAX)]] = None
    phone: Emptied[Annotated[str, UpTo(contacts.PHONE_LENGTH_MAX)]] = None
    tags: Listed[Annotated[str, UpTo(profile.TAG_LENGTH_MAX)]] = []

    def profile(self) -> Profile:
        given = self.given("consents", "customer", "store")
        texts = {name: value or "" for name, value in given.items() if name not in ("birthday", "tags")}
        if "birthday" in given:
            texts["birthday"] = date.fromisoformat(given["birthday"]) if given["birthday"] else ""
        return Profile(**texts, tags=given.get("tags"))


class CreateMember(MemberFields):
    customer: Id | None = None
    store: Id | None = None


class ListMembers(ListParams):
    customer: Id | None = None
    email: Annotated[str, UpTo(contacts.EMAIL_LENGTH_MAX)] | None = None
    number: Annotated[str, UpTo(30)] | None = None
    phone: Annotated[str, UpTo(contacts.PHONE_LENGTH_MAX)] | None = None
    status: Literal["active", "left", "merged"] | None = None
    tag: Annotated[str, UpTo(profile.TAG_LENGTH_MAX)] | None = None


class MergeMember(Params):
    into: Id


@endpoint(permission="members:write", params=CreateMember, returns="member")
def create(call: Call) -> dict[str, Any]:
    """Create a member"""
    params: CreateMember = call.params
    customer_id = params.customer and paging.identifier("cus", params.customer, param="customer")
    store_id = params.store and paging.identifier("sto", params.store, param="store")
    if store_id and not Store.objects.filter(pk=store_id, merchant_id=call.caller.merchant_id).exists():
        raise InvalidParameter(f"No such store: '{params.store}'", code="resource_missing", param="store")
    try:
        row = profile.add(
            params.profile(),
            hand=hand(call),
            customer_id=customer_id or None,
            store_id=store_id or None,
            consents_to=params.consents,
        )
    except NotFound as missing:
        # An unknown id in a parameter is a wrong parameter.
        raise InvalidParameter(missing.message, code="resource_missing", param=missing.param) from missing
    return _one(row, call)


@endpoint(permission="members:read", returns="member")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a member"""
    return _one(queries.find(path_id(call, "mem")), call)


@endpoint(permission="members:write", params=MemberFields, returns="member")
def update(call: Call) -> dict[str, Any]:
    """Update a member"""
    row = profile.change(
        call.params.profile(),
        member_id=path_id(call, "mem"),
        hand=hand(call),
        consents_to=call.params.consents,
    )
    return _one(row, call)


@endpoint(permission="members:read", returns="member_contacts")
def show_contacts(call: Call) -> dict[str, Any]:
    """Retrieve a member's contacts"""
    row = queries.find(path_id(call, "mem"))
    key = hand(call)
    key.sign("member.contacts", call.path["id"])
    return objects.contacts(row, queries.opened(row, hand=key))


@endpoint(permission="members:write", params=MergeMember, returns="member")
def merge(call: Call) -> dict[str, Any]:
    """Merge a member into another one"""
    into = paging.identifier("mem", call.params.into, param="into")
    loser_id = path_id(call, "mem")
    try:
        merging.merge(loser_id=loser_id, winner_id=into, hand=hand(call))
    except NotFound as missing:
        if missing.param != "into":
            raise
        raise InvalidParameter(missing.message, code="resource_missing", param="into") from missing
    return _one(queries.find(loser_id), call)


@endpoint(permission="members:write", returns="member")
def unmerge(call: Call) -> dict[str, Any]:
    """Undo the merge of a member"""
    row = queries.find(path_id(call, "mem"))
    merged = Merge.objects.filter(loser_id=row.pk, undone_at__isnull=True).first()
    if merged is None:
        raise merging.NotUndoable("This member was not merged into another one.")
    merging.undo(merge_id=merged.pk, hand=hand(call))
    return _one(queries.find(row.pk), call)


@endpoint(permission="members:write", returns="member")
def leave(call: Call) -> dict[str, Any]:
    """End a membership"""
    row = operations.leave(member_id=path_id(call, "mem"), now=call.now, origin=origin(call))
    hand(call).sign("member.leave", call.path["id"])
    return _one(queries.find(row.pk), call)


@endpoint(permission="members:read", params=ListMembers, returns="member", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all members"""
    params: ListMembers = call.params
    rows = queries.members()
    if params.customer:
        rows = rows.filter(customer_id=paging.identifier("cus", params.customer, param="customer"))
    if params.number:
        rows = rows.filter(number=numbers.read(params.number) or params.number)
    if params.status:
        rows = rows.filter(status=params.status)
    if params.tag:
        rows = rows.filter(pk__in=MemberTag.objects.filter(tag__name=params.tag).values("member_id"))
    for kind, text in ((PHONE, params.phone), (EMAIL, params.email)):
        if text:
            value = contacts.read(kind, text, country=_country(call))
            rows = rows.filter(pk__in=[each.pk for each in queries.by_contact(kind, value, hand=hand(call))])
    return paging.page(rows, params, prefix="mem", url=call.url, render=lambda found: _render(found, call))


def _one(row: Member, call: Call) -> dict[str, Any]:
    return _render([row], call)[0]


def _render(rows: Sequence[Member], call: Call) -> list[dict[str, Any]]:
    about = queries.about([row.pk for row in rows])
    return [objects.member(row, about[row.pk], livemode=call.caller.livemode) for row in rows]


def _country(call: Call) -> str:
    return merchants.book(call.book_id).merchant.country


def hand(call: Call) -> Hand:
    """Whose hand a call is: a key's."""
    return Hand(
        source=API,
        actor=Actor.key(call.caller.key_id),
        book_id=call.book_id,
        merchant_id=call.caller.merchant_id,
        country=_country(call),
        now=call.now,
        origin=origin(call),
    )


def _members(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = list(queries.members().filter(pk__in=[ids.parse("mem", text) for text in texts]))
    about = queries.about([row.pk for row in rows])
    book = merchants.book(tenancy.book_id())
    found = [objects.member(row, about[row.pk], livemode=book.livemode) for row in rows]
    return {shown["id"]: shown for shown in found}


loader("member", _members)
expandable("member_duplicate", member="member", other="member")

urlpatterns = [
    door("members", GET=list_, POST=create),
    door("members/<id>", GET=retrieve, POST=update),
    door("members/<id>/contacts", GET=show_contacts),
    door("members/<id>/leave", POST=leave),
    door("members/<id>/merge", POST=merge),
    door("members/<id>/unmerge", POST=unmerge),
]
