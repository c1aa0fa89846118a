"""/v1/rewards and /v1/redemptions: what points buy."""

from typing import Annotated, Any

from members.api.points import SomePoints, chosen_programme, member
from members.loyalty import objects, rewards
from members.loyalty.models import Redemption, Reward
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import Boolean, Emptied, Id, ListParams, Params, UpTo
from payments.api.addresses import not_here, origin, path_id

NAME_MAX = 100


class CreateReward(Params):
    name: Annotated[str, UpTo(NAME_MAX)]
    points: SomePoints
    programme: Id | None = None
    stock: Emptied[SomePoints] = None


class UpdateReward(Params):
    active: Boolean | None = None
    name: Annotated[str, UpTo(NAME_MAX)] | None = None
    stock: Emptied[SomePoints] = None


class ListRewards(ListParams):
    programme: Id | None = None


class Redeem(Params):
    member: Id


class ListRedemptions(ListParams):
    member: Id


@endpoint(permission="rewards:write", params=CreateReward, returns="reward")
def create(call: Call) -> dict[str, Any]:
    """Create a reward"""
    made = rewards.create(
        programme=chosen_programme(call.params.programme),
        name=call.params.name,
        points=call.params.points,
        stock_count=call.params.stock,
        now=call.now,
        origin=origin(call),
    )
    return objects.reward(made, livemode=call.caller.livemode)


@endpoint(permission="rewards:read", returns="reward")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a reward"""
    found = Reward.objects.filter(pk=path_id(call, "rwd")).first()
    if found is None:
        raise not_here(call, "rwd")
    return objects.reward(found, livemode=call.caller.livemode)


@endpoint(permission="rewards:write", params=UpdateReward, returns="reward")
def update(call: Call) -> dict[str, Any]:
    """Update a reward"""
    columns = {"active": "is_active", "name": "name", "stock": "stock_count"}
    given = call.params.given()
    fields = {
        columns[name]: value
        for name, value in given.items()
        if name in columns and (value is not None or name == "stock")
    }
    changed = rewards.update(reward_id=path_id(call, "rwd"), now=call.now, origin=origin(call), **fields)
    return objects.reward(changed, livemode=call.caller.livemode)


@endpoint(permission="rewards:read", params=ListRewards, returns="reward", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all rewards"""
    rows = Reward.objects.all()
    if call.params.programme:
        rows = rows.filter(programme_id=paging.identifier("prog", call.params.programme, param="programme"))
    return paging.page(
        rows,
        call.params,
        prefix="rwd",
        url=call.url,
        render=lambda found: [objects.reward(each, livemode=call.caller.livemode) for each in found],
    )


@endpoint(permission="rewards:write", params=Redeem, returns="redemption", moves_money=True)
def redeem(call: Call) -> dict[str, Any]:
    """Hold a reward for a member"""
    made = rewards.redeem(
        reward_id=path_id(call, "rwd"),
        member_id=member(call.params.member, param="member"),
        now=call.now,
        origin=origin(call),
    )
    return objects.redemption(made, livemode=call.caller.livemode)


@endpoint(permission="rewards:read", params=ListRedemptions, returns="redemption", is_list=True)
def redemptions(call: Call) -> dict[str, Any]:
    """List a member's redemptions"""
    rows = Redemption.objects.filter(member_id=member(call.params.member, param="member"))
    return paging.page(
        rows,
        call.params,
        prefix="rdm",
        url=call.url,
        render=lambda found: [objects.redemption(each, livemode=call.caller.livemode) for each in found],
    )


@endpoint(permission="rewards:read", returns="redemption")
def retrieve_redemption(call: Call) -> dict[str, Any]:
    """Retrieve a redemption"""
    found = Redemption.objects.filter(pk=path_id(call, "rdm")).first()
    if found is None:
        raise not_here(call, "rdm")
    return objects.redemption(found, livemode=call.caller.livemode)


@endpoint(permission="rewards:write", returns="redemption", moves_money=True)
def complete(call: Call) -> dict[str, Any]:
    """Complete a redemption: the reward was handed over"""
    done = rewards.complete(redemption_id=path_id(call, "rdm"), now=call.now, origin=origin(call))
    return objects.redemption(done, livemode=call.caller.livemode)


@endpoint(permission="rewards:write", returns="redemption", moves_money=True)
def cancel(call: Call) -> dict[str, Any]:
    """Cancel a redemption: its points go back"""
    done = rewards.void(redemption_id=path_id(call, "rdm"), now=call.now, origin=origin(call))
    return objects.redemption(done, livemode=call.caller.livemode)


urlpatterns = [
    door("rewards", GET=list_, POST=create),
    door("rewards/<id>", GET=retrieve, POST=update),
    door("rewards/<id>/redeem", POST=redeem),
    door("redemptions", GET=redemptions),
    door("redemptions/<id>", GET=retrieve_redemption),
    door("redemptions/<id>/complete", POST=complete),
    door("redemptions/<id>/cancel", POST=cancel),
]
