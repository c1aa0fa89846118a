"""/v1/points, /v1/tiers: what members have in a programme, and what is done with it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from members.directory import queries as directory
from members.loyalty import objects, operations, queries
from members.loyalty.models import Programme
from merchant_platform.kernel import ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import Id, Integer, InvalidParameter, ListParams, Params, UpTo
from merchant_platform.kernel.clock import unix
from merchant_platform.kernel.errors import NotFound
from payments.api.addresses import origin, path_id
from security.audit import operations as audit

REASON_MAX = 500


def _points(value: int) -> int:
    if not 0 < abs(value) <= operations.POINTS_MAX:
        raise PydanticCustomError(
            "parameter_invalid_integer", "Points are 1 to {n}, or as many below zero.", {"n": operations.POINTS_MAX}
        )
    return value


def _above_zero(value: int) -> int:
    if value < 1:
        raise PydanticCustomError("parameter_invalid_integer", "Points are above zero.")
    return _points(value)


SignedPoints = Annotated[Integer, AfterValidator(_points)]
SomePoints = Annotated[Integer, AfterValidator(_above_zero)]


class OfMember(Params):
    member: Id
    programme: Id | None = None


class Movements(ListParams):
    member: Id
    programme: Id | None = None


class Adjust(OfMember):
    points: SignedPoints
    reason: Annotated[str, UpTo(REASON_MAX)]


class Transfer(Params):
    points: SomePoints
    programme: Id | None = None
    recipient: Id
    sender: Id


class ListTiers(Params):
    programme: Id | None = None


class ListProgrammes(ListParams):
    active: Literal["true", "false"] | None = None


@endpoint(permission="points:read", params=ListProgrammes, returns="points_programme", is_list=True)
def programmes(call: Call) -> dict[str, Any]:
    """List all points programmes"""
    rows = Programme.objects.all()
    if call.params.active:
        rows = rows.filter(is_active=call.params.active == "true")
    return paging.page(
        rows,
        call.params,
        prefix="prog",
        url=call.url,
        render=lambda found: [_programme(each, call) for each in found],
    )


@endpoint(permission="points:read", returns="points_programme")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a points programme"""
    return _programme(queries.programme(path_id(call, "prog")), call)


@endpoint(permission="points:read", params=OfMember, returns="points_balance")
def balance(call: Call) -> dict[str, Any]:
    """Retrieve a member's points"""
    programme = chosen_programme(call.params.programme)
    return _balance(programme, member(call.params.member, param="member"), call)


@endpoint(permission="points:read", params=Movements, returns="points_transaction", is_list=True)
def movements(call: Call) -> dict[str, Any]:
    """List a member's points transactions"""
    params = call.params
    if params.ending_before:
        raise InvalidParameter("Statements are read from the newest on.", param="ending_before")
    programme, member_id = chosen_programme(params.programme), member(params.member, param="member")
    after = None
    if params.starting_after:
        entry_id = paging.identifier("txn", params.starting_after, param="starting_after")
        after = queries.cursor_of(entry_id, member_id, programme)
        if after is None:
            raise InvalidParameter(
                f"No such points transaction: '{params.starting_after}'",
                code="resource_missing",
                param="starting_after",
            )
    lines = queries.statement(member_id, programme, after=after, limit=params.limit + 1)
    return {
        "object": "list",
        "data": [
            objects.movement(
                entry_id=line.entry_id,
                programme=programme,
                member_id=member_id,
                kind=line.kind,
                now=line.at,
                points=line.points,
                pending=line.pending,
                debt=line.debt,
                livemode=call.caller.livemode,
            )
            for line in lines[: params.limit]
        ],
        "has_more": len(lines) > params.limit,
        "url": call.url,
    }


@endpoint(permission="points:write", params=Adjust, returns="points_balance", moves_money=True)
def adjust(call: Call) -> dict[str, Any]:
    """Adjust a member's points"""
    programme, member_id = chosen_programme(call.params.programme), member(call.params.member, param="member")
    operations.adjust(
        programme=programme,
        member_id=member_id,
        points=call.params.points,
        reason=call.params.reason,
        reference=f"points_adjustment:{call.request_id}",
        now=call.now,
        origin=origin(call),
    )
    audit.record(
        actor=audit.Actor.key(call.caller.key_id),
        action="points.adjust",
        object_id=ids.show("mem", member_id),
        detail={"points": call.params.points, "reason": call.params.reason},
        book_id=call.book_id,
        merchant_id=call.caller.merchant_id,
    )
    return _balance(programme, member_id, call)


@endpoint(permission="points:write", params=Transfer, returns="points_balance", moves_money=True)
def transfer(call: Call) -> dict[str, Any]:
    """Transfer points between members"""
    programme = chosen_programme(call.params.programme)
    giver_id, taker_id = member(call.params.sender, param="sender"), member(call.params.recipient, param="recipient")
    operations.transfer(
        programme=programme,
        giver_id=giver_id,
        taker_id=taker_id,
        points=call.params.points,
        reference=f"points_transfer:{call.request_id}",
        now=call.now,
        origin=origin(call),
    )
    return _balance(programme, giver_id, call)


@endpoint(permission="points:read", params=ListTiers, returns="tier", is_list=True)
def tiers(call: Call) -> dict[str, Any]:
    """List a programme's tiers"""
    programme = chosen_programme(call.params.programme)
    held = queries.terms(programme)
    data = [objects.tier(each, held, programme.pk) for each in held.tiers]
    return {"object": "list", "data": data, "has_more": False, "url": call.url}


@endpoint(permission="points:read", params=OfMember, returns="tier_standing")
def standing(call: Call) -> dict[str, Any]:
    """Retrieve a member's tier"""
    programme, member_id = chosen_programme(call.params.programme), member(call.params.member, param="member")
    found = queries.tier(member_id, programme, now=call.now)
    return {
        "object": "tier_standing",
        "benefits": list(found.benefits),
        "livemode": call.caller.livemode,
        "measure": found.measure,
        "member": ids.show("mem", member_id),
        "missing": found.missing,
        "missing_to_keep": found.missing_to_keep,
        "next_tier": found.next_key or None,
        "programme": ids.show("prog", programme.pk),
        "score": found.score,
        "tier": found.key or None,
        "until": unix(found.until) if found.until else None,
    }


def chosen_programme(text: str | None) -> Programme:
    """The programme that a parameter names; without one, the book's only one. Raises InvalidParameter."""
    if text is None:
        active = queries.programmes(active=True)
        if len(active) != 1:
            raise InvalidParameter("Name one of the programmes.", code="parameter_missing", param="programme")
        return active[0]
    try:
        return queries.programme(paging.identifier("prog", text, param="programme"), param="programme")
    except NotFound as unknown:
        raise InvalidParameter(unknown.message, code=unknown.code, param="programme") from unknown


def member(text: str, *, param: str) -> UUID:
    """The living member that a parameter names. Raises InvalidParameter."""
    try:
        return directory.alive(paging.identifier("mem", text, param=param), param=param).pk
    except NotFound as unknown:
        raise InvalidParameter(unknown.message, code=unknown.code, param=param) from unknown


def _programme(row: Programme, call: Call) -> dict[str, Any]:
    return objects.programme(row, queries.terms(row), livemode=call.caller.livemode)


def _balance(programme: Programme, member_id: UUID, call: Call) -> dict[str, Any]:
    held = queries.balance(member_id, programme)
    return {
        "object": "points_balance",
        "available": held.available,
        "debt": held.debt,
        "expires_at": unix(held.on) if held.on else None,
        "expiring_next": held.expiring_next,
        "livemode": call.caller.livemode,
        "member": ids.show("mem", member_id),
        "pending": held.pending,
        "programme": ids.show("prog", programme.pk),
    }


urlpatterns = [
    door("points/adjustments", POST=adjust),
    door("points/balance", GET=balance),
    door("points/programmes", GET=programmes),
    door("points/programmes/<id>", GET=retrieve),
    door("points/transactions", GET=movements),
    door("points/transfers", POST=transfer),
    door("tiers", GET=tiers),
    door("tiers/standing", GET=standing),
]
