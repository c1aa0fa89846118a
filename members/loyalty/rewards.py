"""Rewards: things that a programme gives for points alone, held first and taken when they are handed over."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import F, Q

from members.loyalty import objects, operations
from members.loyalty.models import COMPLETED, HELD, VOIDED, Programme, Redemption, Reward
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Conflict, Invalid, WrongState, missing
from merchant_platform.kernel.events.outbox import changed, publish, row
from merchant_platform.kernel.states import Moves, advance
from payments.origin import Origin

MOVES = Moves({HELD: [COMPLETED, VOIDED], COMPLETED: [], VOIDED: []})
# For how long points are held for who comes for a reward.
HOLD_TIME = timedelta(hours=24)


class RewardGone(WrongState):
    """The reward is not given any more, or there is none left."""

    code = "reward_unavailable"


class RedemptionEnded(WrongState):
    """The redemption was completed or given back before."""

    code = "redemption_unexpected_state"


def create(
    *, programme: Programme, name: str, points: int, stock_count: int | None, now: datetime, origin: Origin
) -> Reward:
    """Offer something for points. This will write it and tell `reward.created`. Raises Invalid for no points."""
    if not 1 <= points <= operations.POINTS_MAX:
        raise Invalid(f"A reward costs 1 to {operations.POINTS_MAX} points.", param="points")
    made = Reward.objects.create(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        programme=programme,
        name=name,
        points=points,
        stock_count=stock_count,
        created_at=now,
    )
    publish(row("reward.created", objects.reward(made, livemode=origin.livemode), now=now, **origin.tags))
    return made


def update(*, reward_id: UUID, now: datetime, origin: Origin, **fields: Any) -> Reward:
    """Change a reward's name, stock or whether it is given. This will write it and tell `reward.updated`."""
    held = Reward.objects.select_for_update().filter(pk=reward_id).first()
    if held is None:
        raise missing("reward", ids.show("rwd", reward_id))
    before = objects.reward(held, livemode=origin.livemode)
    for name, value in fields.items():
        setattr(held, name, value)
    held.save(update_fields=list(fields))
    after = objects.reward(held, livemode=origin.livemode)
    if after != before:
        publish(row("reward.updated", after, previous=changed(before, after), now=now, **origin.tags))
    return held


def redeem(*, reward_id: UUID, member_id: UUID, now: datetime, origin: Origin) -> Redemption:
    """Hold a reward for a member. This will take one from the stock, hold its points and tell `redemption.created`.

    Raises NotFound, RewardGone, and operations.NotEnoughPoints.
    """
    reward = Reward.objects.select_related("programme").filter(pk=reward_id).first()
    if reward is None:
        raise missing("reward", ids.show("rwd", reward_id))
    available = Reward.objects.filter(Q(stock_count__gt=0) | Q(stock_count=None), pk=reward_id, is_active=True)
    if not reward.programme.is_active or not available.update(stock_count=F("stock_count") - 1):
        raise RewardGone("This reward is not to be had any more.")
    made = Redemption(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        reward=reward,
        member_id=member_id,
        points=reward.points,
        expires_at=now + HOLD_TIME,
        created_at=now,
    )
    operations.hold(
        programme=reward.programme, member_id=member_id, points=reward.points, reference=_hold(made), now=now
    )
    made.save(force_insert=True)
    publish(row("redemption.created", objects.redemption(made, livemode=origin.livemode), now=now, **origin.tags))
    return made


def complete(*, redemption_id: UUID, now: datetime, origin: Origin) -> Redemption:
    """The reward was handed over. This will take its points and tell `redemption.completed`.

    Raises NotFound and RedemptionEnded.
    """
    held = _lock(redemption_id)
    advance(held, to=COMPLETED, moves=MOVES)
    operations.complete(
        programme=held.reward.programme,
        member_id=held.member_id,
        hold_reference=_hold(held),
        source_id=held.pk,
        reference=f"redeemed:{ids.show('rdm', held.pk)}",
        source=ids.show("rdm", held.pk),
        now=now,
        origin=origin,
    )
    publish(row("redemption.completed", objects.redemption(held, livemode=origin.livemode), now=now, **origin.tags))
    return held


def void(*, redemption_id: UUID, now: datetime, origin: Origin) -> Redemption:
    """Nobody came for the reward. This will give its points and its place in the stock back.

    Raises NotFound and RedemptionEnded.
    """
    held = _lock(redemption_id)
    advance(held, to=VOIDED, moves=MOVES)
    operations.void(programme=held.reward.programme, member_id=held.member_id, hold_reference=_hold(held), now=now)
    Reward.objects.filter(pk=held.reward_id).update(stock_count=F("stock_count") + 1)
    publish(row("redemption.voided", objects.redemption(held, livemode=origin.livemode), now=now, **origin.tags))
    return held


def void_expired(*, now: datetime, most: int = 500) -> int:
    """Give back what nobody came for in time, each in its book by the book's clock. Returns how many."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT r.id, r.book_id, coalesce(k.clock_at, %s), k.mode = 'live' FROM members_redemption r"
            " JOIN security_book k ON k.id = r.book_id"
            " WHERE r.status = 'held' AND r.expires_at <= coalesce(k.clock_at, %s) ORDER BY r.expires_at LIMIT %s",
            [now, now, most],
        )
        due = cursor.fetchall()
    voided = 0
    for redemption_id, book_id, at, livemode in due:
        try:
            with tenancy.within(book_id):
                void(redemption_id=redemption_id, now=at, origin=Origin(livemode=livemode))
        except (RedemptionEnded, Conflict):
            continue  # somebody came at the same moment
        voided += 1
    return voided


def _lock(redemption_id: UUID) -> Redemption:
    rows = Redemption.objects.select_for_update(of=("self",)).select_related("reward__programme")
    held = rows.filter(pk=redemption_id).first()
    if held is None:
        raise missing("redemption", ids.show("rdm", redemption_id))
    if MOVES.is_final(held.status):
        raise RedemptionEnded(f"This redemption is {held.status} and cannot be changed any more.")
    return held


def _hold(redemption: Redemption) -> str:
    return f"redemption:{ids.show('rdm', redemption.pk)}"
