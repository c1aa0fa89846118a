"""What orders earn, once each, and what refunds take back of it.

An order earns from the event of its payment, after that payment's transaction. The
purses are locked before the orders are read: a refund at the same moment either is read
here, or finds the accrual written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from members.directory.models import LEFT, Member
from members.loyalty import acts, earning, objects, purses, queries, standings
from members.loyalty.acts import Act
from members.loyalty.models import EARNED, Accrual, Programme
from members.loyalty.purses import Purse
from members.loyalty.terms import Terms
from merchant_platform.kernel import ids, money
from merchant_platform.kernel.decisions import rules as decisions
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.outbox import EventRow, publish, row
from payments.ledger import chart
from payments.orders import states as order_states
from payments.orders.models import Order, OrderLine
from payments.origin import Origin

# The purchase at which somebody joins earns too: who joins on the page of a payment does so just after it.
JOINING = timedelta(hours=1)


@dataclass(slots=True)
class _Work:
    """What a batch writes."""

    acts: list[Act] = field(default_factory=list)
    accruals: list[Accrual] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)


def accrue(*, paid: Mapping[UUID, datetime], now: datetime, origin: Origin) -> int:
    """Let paid orders earn in every programme of the book. This will write what each earned, once an order.

    `paid` says when each order was paid. Orders of nobody, of members who joined later and
    of another currency earn nothing. Returns how many accruals were written; some
    twenty statements a programme, however many orders.
    """
    return sum(_accrue(each, paid, now=now, origin=origin) for each in queries.programmes(active=True))


def _accrue(programme: Programme, paid: Mapping[UUID, datetime], *, now: datetime, origin: Origin) -> int:
    members = _members(programme, paid)
    if not members:
        return 0
    opened = purses.open_many(programme, {member.pk for member in members.values()}, now=now)
    # Read under the lock.
    orders = Order.objects.filter(pk__in=list(members), status=order_states.PAID)
    done = set(Accrual.objects.filter(programme=programme, order_id__in=list(members)).values_list("order", flat=True))
    due = sorted((each for each in orders if each.pk not in done), key=lambda order: (paid[order.pk], order.pk))
    if not due:
        return 0
    lines: dict[UUID, list[OrderLine]] = {}
    for line in OrderLine.objects.filter(order_id__in=[order.pk for order in due]).order_by("pk"):
        lines.setdefault(line.order_id, []).append(line)
    amounts = queries.money_of(due, lines)
    terms, zone, work = queries.terms(programme), queries.zone(programme), _Work()
    for order in due:
        member = members[order.pk]
        purse = opened[member.pk]
        earn(
            purse,
            terms,
            member,
            order,
            lines[order.pk],
            amounts[order.pk].counted,
            at=paid[order.pk],
            zone=zone,
            now=now,
            origin=origin,
            into=work,
        )
    acts.write(work.acts)
    Decision.objects.bulk_create(work.decisions)
    Accrual.objects.bulk_create(work.accruals)
    touched = [opened[member_id] for member_id in {each.member_id for each in work.accruals}]
    work.events += standings.follow(programme, terms, touched, zone=zone, now=now, origin=origin)
    publish(*work.events)
    for order in due:
        if order.refunded_minor:
            # Refunded before it earned: what went back is taken back at once.
            take_back(order_id=order.pk, now=now, origin=origin)
    return len(work.accruals)


def earn(
    purse: Purse,
    terms: Terms,
    member: Member,
    order: Order,
    lines: Sequence[OrderLine],
    counted: int,
    *,
    at: datetime,
    zone: ZoneInfo,
    now: datetime,
    origin: Origin,
    into: _Work,
) -> None:
    """Draft what one order earns, on a locked purse."""
    if counted <= 0:
        return
    programme, standing = purse.programme, purse.standing
    day = at.astimezone(zone).date()
    inputs = {
        "rules": [dict(each) for each in terms.rules],
        "terms_version": programme.terms_version,
        "order": inputs_of_order(lines, counted, at=at.astimezone(zone)),
        "member": {
            "tier": standing.tier,
            "is_first": standing.orders_count == 0,
            "is_first_today": standing.last_visit_date is None or standing.last_visit_date < day,
            "is_birthday": is_birthday(member.birthday, day),
        },
    }
    decision, verdict = decisions.draft(earning.RULE, inputs, subject_id=order.pk, now=now)
    points = earning.total(verdict)
    accrual = Accrual(
        id=ids.new(now),
        book_id=programme.book_id,
        programme=programme,
        member_id=member.pk,
        order_id=order.pk,
        decision=decision,
        terms_version=programme.terms_version,
        counted_minor=counted,
        points=points,
        effective_at=at,
    )
    available_at = at + timedelta(days=terms.pending_days)
    if points:
        act = Act(
            programme,
            kind="points_earned",
            reference=f"accrual:{ids.show('prog', programme.pk)}:{ids.show('ord', order.pk)}",
            source_id=order.pk,
            now=now,
        )
        accrual.lot = act.give(
            purse,
            points,
            source=programme.total(chart.POINTS_ISSUED),
            kind=EARNED,
            expires_at=expiry(terms, max(available_at, now)),
            pending_until=available_at if available_at > now else None,
        )
        into.acts.append(act)
        into.events.append(
            row(
                "points.earned",
                objects.movement(
                    entry_id=act.entry_id,
                    programme=programme,
                    member_id=member.pk,
                    kind=act.kind,
                    now=now,
                    points=0 if available_at > now else points,
                    pending=points if available_at > now else 0,
                    source=ids.show("ord", order.pk),
                    livemode=origin.livemode,
                ),
                now=now,
                **origin.tags,
            )
        )
    standing.orders_count += 1
    standing.last_visit_date = max(day, standing.last_visit_date or day)
    standing.lifetime_spend_minor += counted
    standing.lifetime_points += points
    into.decisions.append(decision)
    into.accruals.append(accrual)


def take_back(*, order_id: UUID, now: datetime, origin: Origin) -> int:
    """Bring what an order earned in line with what of it was refunded. This will write the difference, either way.

    What is kept is rounded down: the same share of the points as of the money. The order's
    own lot goes first, then the member's others, soonest expiring first; what was spent
    already becomes a debt that later points pay. Returns how many accruals changed.
    """
    accruals = list(Accrual.objects.select_related("programme").filter(order_id=order_id).order_by("pk"))
    return sum(_take_back(each, now=now, origin=origin) for each in accruals)


def _take_back(accrual: Accrual, *, now: datetime, origin: Origin) -> bool:
    programme = accrual.programme
    living = queries.living(accrual.member_id)
    purse = purses.open_one(programme, living, now=now)
    accrual.refresh_from_db()
    order = Order.objects.get(pk=accrual.order_id)
    lines = {order.pk: list(OrderLine.objects.filter(order_id=order.pk).order_by("pk"))}
    returned = min(queries.money_of([order], lines)[order.pk].returned, accrual.counted_minor)
    reversed_points = accrual.points - kept(accrual.points, accrual.counted_minor, returned)
    minor, points = returned - accrual.returned_minor, reversed_points - accrual.reversed_points
    if not minor and not points:
        return False
    act = Act(
        programme,
        kind="points_reversed" if points > 0 else "points_restored",
        reference=f"accrual_change:{ids.show('acc', accrual.pk)}:{accrual.changes_count + 1}",
        source_id=accrual.order_id,
        now=now,
    )
    before = (purse.posted, purse.pending, purse.debt)
    terms, zone = queries.terms(programme), queries.zone(programme)
    if points > 0:
        reverse(act, purse, points, lot_id=accrual.lot_id, target=programme.total(chart.POINTS_ISSUED))
    elif points < 0:
        # A refund that failed: the money came back, and so do the points.
        act.give(
            purse,
            -points,
            source=programme.total(chart.POINTS_ISSUED),
            kind=EARNED,
            expires_at=expiry(terms, now),
        )
    accrual.returned_minor, accrual.reversed_points = returned, reversed_points
    accrual.changes_count += 1
    accrual.save(update_fields=["returned_minor", "reversed_points", "changes_count"])
    acts.write([act])
    purse.standing.lifetime_spend_minor -= minor
    purse.standing.lifetime_points -= points
    taken = points if terms.tier_by == "points" else minor
    events = standings.follow(
        programme, terms, [purse], zone=zone, now=now, origin=origin, taken_back={living: max(taken, 0)}
    )
    if points:
        shown = objects.movement(
            entry_id=act.entry_id,
            programme=programme,
            member_id=living,
            kind=act.kind,
            now=now,
            points=purse.posted - before[0],
            pending=purse.pending - before[1],
            debt=purse.debt - before[2],
            source=ids.show("ord", accrual.order_id),
            livemode=origin.livemode,
        )
        events.append(row("points.reversed", shown, now=now, **origin.tags))
    publish(*events)
    return True


def reverse(act: Act, purse: Purse, points: int, *, lot_id: UUID | None, target: chart.AccountRef) -> None:
    """Draw points back from a member to an account: from the lot they came as, from others, and the rest as a debt."""
    own = [lot for lot in purse.lots if lot.pk == lot_id]
    others = [lot for lot in purse.active if lot.pk != lot_id]
    taken = act.take(purse, points, target=target, lots=[*own, *others])
    owed = points - sum(part for _, part in taken)
    if owed:
        act.move(purse.account(chart.POINTS_DEBT), target, owed)
        purse.debt += owed


def kept(points: int, counted_minor: int, returned_minor: int) -> int:
    """The points that stay with what of the money stays, rounded down."""
    return points * (counted_minor - returned_minor) // counted_minor


def expiry(terms: Terms, at: datetime) -> datetime | None:
    """When points that can be spent from a moment on expire."""
    return None if terms.lifetime_days is None else at + timedelta(days=terms.lifetime_days)


def is_birthday(born: date | None, day: date) -> bool:
    """Whether it is somebody's birthday; on the 28th in years without a 29th of February."""
    if born is None:
        return False
    if (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28):
        return (day + timedelta(days=1)).month == 3
    return (born.month, born.day) == (day.month, day.day)


def inputs_of_order(lines: Sequence[OrderLine], counted: int, *, at: datetime) -> dict[str, Any]:
    """An order as the rule reads it: the money that counts, spread over its lines; hour and day as the merchant's."""
    own = queries.earning_lines(lines)
    shares = money.split(counted, [line.amount_minor for line in own])
    return {
        "hour": at.hour,
        "weekday": at.weekday(),
        "lines": [
            {
                "counted_minor": share,
                "amount_minor": line.amount_minor,
                "quantity": line.quantity,
                "product": ids.show("prod", line.product_id) if line.product_id else None,
                "category": line.category,
            }
            for line, share in zip(own, shares, strict=True)
        ],
    }


def _members(programme: Programme, paid: Mapping[UUID, datetime]) -> dict[UUID, Member]:
    """The living member behind each order that may earn. They stay so until the unit of work ends (queries.living)."""
    rows = Order.objects.filter(pk__in=list(paid), currency=programme.currency, customer__isnull=False)
    customers = dict(rows.values_list("pk", "customer_id"))
    known = Member.objects.select_related("merged_into").filter(
        # Locked below the join, so that a merge which was waited for is seen by it.
        pk__in=queries.locked(set(customers.values()))
    )
    by_customer = {member.customer_id: member for member in known}
    found = {}
    for order_id, customer_id in customers.items():
        own = by_customer.get(customer_id)
        living = own.merged_into or own if own else None
        if own and living and living.status != LEFT and own.joined_at - JOINING <= paid[order_id]:
            found[order_id] = living
    return found
