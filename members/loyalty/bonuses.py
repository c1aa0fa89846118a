"""Bonus points of offers: granted out of a programme's budget once their order is paid, taken back with its refunds.

The oldest active programme in the order's currency gives them. They wait for the refund
window like what the order earned; a refund takes back the same share of them as of the
order, and what was spent already becomes a debt that later points pay.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from members.directory import queries as directory
from members.loyalty import accruals, acts, objects, purses, queries
from members.loyalty.acts import Act
from members.loyalty.models import GRANTED, OfferBonus, Programme
from members.loyalty.purses import Purse
from merchant_platform.kernel import ids
from merchant_platform.kernel.decisions import rules as decisions
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.decisions.rules import Inputs, Reason, Verdict, rule, words
from merchant_platform.kernel.events.outbox import publish, row
from payments.orders.models import Order
from payments.origin import Origin

RULE = "points_bonus"
GIVEN, NOTHING = "given", "nothing"


@dataclass(frozen=True, slots=True)
class Bonus:
    """What one use of an offer promises. `redemption` is its id as it is shown."""

    redemption: str
    order_id: UUID
    customer_id: UUID | None
    currency: str
    points: int
    paid_at: datetime


@rule(RULE, version=1)
def points_bonus(inputs: Inputs) -> Verdict:
    """Whether a bonus is granted: to a member, in a programme whose budget reaches for all of it."""
    points = inputs["points"]
    if inputs["programme"] is None:
        return Verdict(NOTHING, [Reason("bonus_no_programme", {"points": points})])
    if not inputs["is_member"]:
        return Verdict(NOTHING, [Reason("bonus_no_member", {"points": points})], remedy="join")
    missing = points - inputs["budget_left"]
    if missing > 0:
        return Verdict(NOTHING, [Reason("bonus_no_budget", {"points": points})], near_miss={"points": missing})
    return Verdict(GIVEN, [Reason("bonus_given", {"points": points})])


def grant(*, bonus: Bonus, now: datetime, origin: Origin) -> UUID | None:
    """Grant what an offer promised. This will write the decision and, where it is granted, one entry; again nothing.

    Returns the entry's id; None where nothing is granted, or was already.
    """
    # Whoever grants a bonus in this programme at the same time comes after. Rows that point at it may be written.
    active = Programme.objects.select_for_update(no_key=True).filter(is_active=True, currency=bonus.currency)
    programme = active.order_by("pk").first()
    if Decision.objects.filter(rule=RULE, subject_id=bonus.order_id, inputs__redemption=bonus.redemption).exists():
        return None
    member = directory.of_customer(bonus.customer_id) if bonus.customer_id else None
    inputs = {
        "redemption": bonus.redemption,
        "points": bonus.points,
        "programme": ids.show("prog", programme.pk) if programme else None,
        "is_member": member is not None,
        "budget_left": queries.budget_left(programme) if programme else 0,
    }
    _decision, verdict = decisions.record(RULE, inputs, subject_id=bonus.order_id, now=now)
    if verdict.verdict == NOTHING or programme is None or member is None:
        return None
    purse = purses.open_one(programme, member.pk, now=now)
    entry_id = _give(purse, bonus, now=now, origin=origin)
    # Refunded before it was granted: what went back is taken back at once.
    take_back(order_id=bonus.order_id, now=now, origin=origin)
    return entry_id


def take_back(*, order_id: UUID, now: datetime, origin: Origin) -> None:
    """Bring the bonuses of an order in line with what of it was refunded. This will post the difference, either way.

    What is kept is the share of the points that was kept of the order, rounded down.
    """
    for given in OfferBonus.objects.select_related("programme").filter(order_id=order_id).order_by("pk"):
        _take_back(given, now=now, origin=origin)


def _give(purse: Purse, bonus: Bonus, *, now: datetime, origin: Origin) -> UUID:
    programme = purse.programme
    terms = queries.terms(programme)
    available_at = bonus.paid_at + timedelta(days=terms.pending_days)
    redemption_id = ids.parse("redm", bonus.redemption)
    act = Act(programme, kind="points_bonus", reference=f"bonus:{bonus.redemption}", source_id=redemption_id, now=now)
    before = (purse.posted, purse.pending, purse.debt)
    lot = act.give(
        purse,
        bonus.points,
        source=programme.budget,
        kind=GRANTED,
        expires_at=accruals.expiry(terms, max(available_at, now)),
        pending_until=available_at if available_at > now else None,
    )
    acts.write([act])
    OfferBonus.objects.create(
        id=ids.new(now),
        book_id=programme.book_id,
        programme=programme,
        member_id=purse.member_id,
        order_id=bonus.order_id,
        redemption=redemption_id,
        lot=lot,
        points=bonus.points,
    )
    _tell("points.earned", act, purse, before, bonus.order_id, origin=origin)
    return act.entry_id


def _take_back(given: OfferBonus, *, now: datetime, origin: Origin) -> None:
    programme = given.programme
    purse = purses.open_one(programme, queries.living(given.member_id), now=now)
    # Read under the lock.
    given.refresh_from_db(fields=["reversed_points", "changes_count"])
    order = Order.objects.get(pk=given.order_id)
    reversed_points = given.points - accruals.kept(given.points, order.total_minor, order.refunded_minor)
    points = reversed_points - given.reversed_points
    if points < 0:
        # A refund that failed: what it took comes back, as far as the budget reaches.
        points = max(points, -queries.budget_left(programme))
    if not points:
        return
    given.reversed_points += points
    given.changes_count += 1
    act = Act(
        programme,
        kind="points_reversed" if points > 0 else "points_restored",
        reference=f"bonus_change:{ids.show('redm', given.redemption)}:{given.changes_count}",
        source_id=given.redemption,
        now=now,
    )
    before = (purse.posted, purse.pending, purse.debt)
    if points > 0:
        accruals.reverse(act, purse, points, lot_id=given.lot_id, target=programme.budget)
    else:
        expires_at = accruals.expiry(queries.terms(programme), now)
        act.give(purse, -points, source=programme.budget, kind=GRANTED, expires_at=expires_at)
    given.save(update_fields=["reversed_points", "changes_count"])
    acts.write([act])
    _tell("points.reversed", act, purse, before, given.order_id, origin=origin)


def _tell(name: str, act: Act, purse: Purse, before: tuple[int, int, int], order_id: UUID, *, origin: Origin) -> None:
    change = objects.movement(
        entry_id=act.entry_id,
        programme=act.programme,
        member_id=purse.member_id,
        kind=act.kind,
        now=act.now,
        points=purse.posted - before[0],
        pending=purse.pending - before[1],
        debt=purse.debt - before[2],
        source=ids.show("ord", order_id),
        livemode=origin.livemode,
    )
    publish(row(name, change, now=act.now, **origin.tags))


words(
    "bonus_given",
    customer=ngettext_lazy("{points} bonus point for an offer.", "{points} bonus points for an offer.", "points"),
    cashier=ngettext_lazy("{points} bonus point for an offer.", "{points} bonus points for an offer.", "points"),
    merchant=ngettext_lazy(
        "{points} bonus point that an offer gives, out of the programme's budget.",
        "{points} bonus points that an offer gives, out of the programme's budget.",
        "points",
    ),
)
words(
    "bonus_no_member",
    customer=ngettext_lazy(
        "Members would have had {points} bonus point.", "Members would have had {points} bonus points.", "points"
    ),
    cashier=_("No bonus points: the customer is no member."),
    merchant=ngettext_lazy(
        "The {points} bonus point of an offer was not given: the customer is no member.",
        "The {points} bonus points of an offer were not given: the customer is no member.",
        "points",
    ),
)
words(
    "bonus_no_budget",
    customer=ngettext_lazy(
        "The offer's {points} bonus point is used up.", "The offer's {points} bonus points are used up.", "points"
    ),
    cashier=_("No bonus points: the programme's budget is used up."),
    merchant=ngettext_lazy(
        "The {points} bonus point of an offer was not given: the programme's budget does not reach.",
        "The {points} bonus points of an offer were not given: the programme's budget does not reach.",
        "points",
    ),
)
words(
    "bonus_no_programme",
    customer=ngettext_lazy(
        "The offer's {points} bonus point is not given any more.",
        "The offer's {points} bonus points are not given any more.",
        "points",
    ),
    cashier=_("No bonus points: no programme gives them."),
    merchant=ngettext_lazy(
        "The {points} bonus point of an offer was not given: no programme in the order's currency is active.",
        "The {points} bonus points of an offer were not given: no programme in the order's currency is active.",
        "points",
    ),
)
