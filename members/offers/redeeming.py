"""Hold what an order uses of offers, take it when it is paid, release it when it will not be.

A hold counts at once: the counters of offers and codes move by compare-and-set under their
lock, so that of many who want the last one exactly as many get it as there are. Offers are
locked before codes, each in the order of their ids.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from members.offers import objects, queries, states, why
from members.offers.frames import Applied, Priced
from members.offers.models import DiscountShare, Offer, OfferRedemption, PromotionCode
from members.offers.queries import Asked
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.arrays import literal
from merchant_platform.kernel.decisions import rules as decisions
from merchant_platform.kernel.errors import Conflict
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.writes import Writes
from payments.origin import Origin


class OfferGone(Conflict):
    """Somebody else took the last of it, or the offer changed, since the cart was priced."""


@dataclass(frozen=True, slots=True)
class _Move:
    """How the counters of an offer are to move: the new use of the order less the one it had."""

    uses: int = 0
    minor: int = 0
    units: int = 0
    # The version by which it was priced; None where nothing new is taken.
    version: int | None = None


def hold(*, order_id: UUID, asked: Asked, expected: Mapping[str, int], expires_at: datetime) -> list[OfferRedemption]:
    """Keep for an order what its cart uses of offers. This will count it, and write shares and the decision.

    `asked` is the order's cart, `expected` the discount by line that the payer saw. What the order held before is
    followed by this. Raises OfferGone, and then nothing is counted: the caller's unit of
    work rolls back.
    """
    held = list(OfferRedemption.objects.select_for_update().filter(order_id=order_id, status=states.HELD))
    priced, cart, offers = queries.price(asked)
    if {line.key: line.discount_minor for line in priced.lines if line.discount_minor} != {
        key: minor for key, minor in expected.items() if minor
    }:
        raise OfferGone("The price changed. Look at it again.")
    if held and _is_as_held(held, priced, asked.customer_id):
        OfferRedemption.objects.filter(pk__in=[each.pk for each in held]).update(expires_at=expires_at)
        return held
    if not held and not priced.applied:
        return []
    _count(asked, held, priced.applied)
    if held:
        _let_go(held, asked.now)
    # Why the order costs what it costs.
    decisions.record(why.RULE, why.inputs(cart, offers, priced), subject_id=order_id, now=asked.now)
    return _write(order_id, asked, priced, expires_at)


def take(*, order_id: UUID, now: datetime, origin: Origin) -> list[OfferRedemption]:
    """An order was paid. This will use up what it holds and tell `offer.redeemed`. Again changes nothing."""
    held = list(
        OfferRedemption.objects.select_for_update().filter(order_id=order_id, status=states.HELD).order_by("pk")
    )
    if not held:
        return []
    OfferRedemption.objects.filter(pk__in=[each.pk for each in held]).update(status=states.TAKEN, ended_at=now)
    for each in held:
        each.status, each.ended_at = states.TAKEN, now
    publish(
        *(
            row("offer.redeemed", objects.redemption(each, livemode=origin.livemode), now=now, **origin.tags)
            for each in held
        )
    )
    return held


def release(*, order_id: UUID, now: datetime) -> None:
    """An order will not be paid. This will give back what it holds. Again changes nothing."""
    held = list(OfferRedemption.objects.select_for_update().filter(order_id=order_id, status=states.HELD))
    if held:
        _count(None, held, ())
        _let_go(held, now)


def _is_as_held(held: Sequence[OfferRedemption], priced: Priced, customer_id: UUID | None) -> bool:
    """Whether the order holds what the cart uses now, for who asks, to the version and the share of each line."""
    if any(each.customer_id != customer_id for each in held):
        return False  # Somebody else tried before: uses and bonuses are of who pays.
    had = {ids.show("offer", each.offer_id): (each.version, each.code_id, each.bonus_points) for each in held}
    wanted = {each.offer: (each.version, _code_id(each), each.bonus_points) for each in priced.applied}
    if had != wanted:
        return False
    shares: dict[str, dict[str, int]] = {}
    rows = DiscountShare.objects.select_related("redemption").filter(redemption__in=held)
    for share in rows:
        lines = shares.setdefault(ids.show("offer", share.redemption.offer_id), {})
        lines[str(share.line_id)] = share.amount_minor
    return {each.offer: dict(each.shares) for each in priced.applied if each.shares} == shares


def _count(asked: Asked | None, held: Sequence[OfferRedemption], applied: Sequence[Applied]) -> None:
    """Move the counters by what is new less what was held. Raises OfferGone where a limit does not allow it."""
    moves: dict[UUID, _Move] = {each.offer_id: _Move(-1, -each.discount_minor, -each.units) for each in held}
    code_moves: dict[UUID, int] = {each.code_id: -1 for each in held if each.code_id}
    for each in applied:
        offer_id = ids.parse("offer", each.offer)
        had = moves.get(offer_id, _Move())
        moves[offer_id] = _Move(
            had.uses + 1, had.minor + each.discount_minor, had.units + each.units, version=each.version
        )
        code_id = _code_id(each)
        if code_id is not None:
            code_moves[code_id] = code_moves.get(code_id, 0) + 1
    offers = list(Offer.objects.select_for_update().filter(pk__in=list(moves)).order_by("pk"))
    if _move_offers(moves) != len(moves):
        raise OfferGone("Somebody took the last of it at this moment.")
    if code_moves:
        list(PromotionCode.objects.select_for_update().filter(pk__in=list(code_moves)).order_by("pk"))
        if _move_codes(code_moves) != len(code_moves):
            raise OfferGone("The code was used by somebody else at this moment.")
    if asked is not None:
        # Under the offers' locks nobody else can add a use.
        taken = [each for each in offers if moves[each.pk].version is not None]
        _check_customer(asked, {each.pk: each.customer_max for each in taken if each.customer_max is not None})


def _move_offers(moves: Mapping[UUID, _Move]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_offer o SET redeemed_count = o.redeemed_count + m.uses,"
            " given_minor = o.given_minor + m.minor, units_count = o.units_count + m.units"
            " FROM unnest(%s::uuid[], %s::int[], %s::bigint[], %s::int[], %s::int[])"
            " AS m (id, uses, minor, units, version)"
            " WHERE o.id = m.id"
            " AND (m.version IS NULL OR (m.version = o.version AND o.status = 'active'))"
            " AND (m.uses <= 0 OR o.redemptions_max IS NULL OR o.redeemed_count + m.uses <= o.redemptions_max)"
            " AND (m.minor <= 0 OR o.budget_minor IS NULL OR o.given_minor + m.minor <= o.budget_minor)"
            " AND (m.units <= 0 OR o.units_max IS NULL OR o.units_count + m.units <= o.units_max)",
            [
                literal(moves),
                literal(each.uses for each in moves.values()),
                literal(each.minor for each in moves.values()),
                literal(each.units for each in moves.values()),
                literal(each.version for each in moves.values()),
            ],
        )
        return cursor.rowcount


def _move_codes(moves: Mapping[UUID, int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE members_promotioncode c SET redeemed_count = c.redeemed_count + m.uses"
            " FROM unnest(%s::uuid[], %s::int[]) AS m (id, uses) WHERE c.id = m.id AND (m.uses <= 0"
            " OR (c.is_active AND (c.redemptions_max IS NULL OR c.redeemed_count + m.uses <= c.redemptions_max)))",
            [literal(moves), literal(moves.values())],
        )
        return cursor.rowcount


def _check_customer(asked: Asked, limits: Mapping[UUID, int]) -> None:
    if not limits or asked.customer_id is None:
        return
    uses = queries.uses(asked, queries.people(asked.customer_id), list(limits))
    if any(uses.get(offer_id, 0) >= most for offer_id, most in limits.items()):
        raise OfferGone("It was used as often as one may.")


def _let_go(held: Sequence[OfferRedemption], now: datetime) -> None:
    """Release the rows of what was held; its shares go with it."""
    DiscountShare.objects.filter(redemption__in=held).delete()
    OfferRedemption.objects.filter(pk__in=[each.pk for each in held]).update(status=states.RELEASED, ended_at=now)


def _write(order_id: UUID, asked: Asked, priced: Priced, expires_at: datetime) -> list[OfferRedemption]:
    writes, kept = Writes(), []
    for each in priced.applied:
        redemption = OfferRedemption(
            id=ids.new(asked.now),
            book_id=tenancy.book_id(),
            offer_id=ids.parse("offer", each.offer),
            version=each.version,
            code_id=_code_id(each),
            order_id=order_id,
            customer_id=asked.customer_id,
            currency=asked.currency,
            discount_minor=each.discount_minor,
            units=each.units,
            bonus_points=each.bonus_points,
            costs=dict(each.costs),
            created_at=asked.now,
            expires_at=expires_at,
        )
        kept.append(redemption)
        writes.insert(redemption)
        for key, amount_minor in each.shares.items():
            writes.insert(
                DiscountShare(
                    id=ids.new(asked.now),
                    book_id=redemption.book_id,
                    redemption=redemption,
                    order_id=order_id,
                    line_id=UUID(key),
                    amount_minor=amount_minor,
                )
            )
    writes.send()
    return kept


def _code_id(applied: Applied) -> UUID | None:
    return ids.parse("promo", applied.code) if applied.code else None
