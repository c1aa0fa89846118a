"""Questions about programmes and what members have in them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections
from django.db.models import Sum

from members.directory.models import Member
from members.loyalty import standings, tiers
from members.loyalty.models import Lot, Programme, ProgrammeTerms, Standing
from members.loyalty.purses import account
from members.loyalty.terms import Terms
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import missing
from payments.ledger import chart
from payments.ledger import queries as ledger
from payments.orders.models import Order, OrderLine
from payments.tenders.models import Tender
from payments.tenders.states import COMPLETED
from security.merchants import queries as merchants

# Its name in settings.CHECKOUT_TENDERS.
POINTS_TENDER = "points"


@dataclass(frozen=True, slots=True)
class Points:
    """What a member has in a programme: to spend, waiting, owed; and what expires next, and when."""

    programme: Programme
    available: int
    pending: int
    debt: int
    expiring_next: int = 0
    on: datetime | None = None

    @property
    def total(self) -> int:
        """The one number that a member sees first: what there is to spend, less what is owed."""
        return self.available - self.debt


@dataclass(frozen=True, slots=True)
class Movement:
    """One entry in a member's statement: what it changed, signed, and what could be spent afterwards."""

    entry_id: UUID
    kind: str
    source_id: UUID | None
    at: datetime
    points: int
    pending: int
    debt: int
    balance: int | None
    cursor: str


@dataclass(frozen=True, slots=True)
class TierStanding:
    """A member's tier, until when they keep it, and what is missing for the next one."""

    name: str
    benefits: tuple[str, ...]
    key: str = ""
    until: datetime | None = None
    score: int = 0
    measure: str = "spend"
    next_name: str = ""
    next_key: str = ""
    missing: int | None = None
    # What is missing to keep the present tier beyond its date; 0: nothing.
    missing_to_keep: int = 0


@dataclass(frozen=True, slots=True)
class Age:
    """Points that members hold, by how long ago they came: what the merchant owes."""

    name: str
    points: int
    lots_count: int


def programmes(*, active: bool | None = None) -> list[Programme]:
    """The book's programmes, the oldest first."""
    rows = Programme.objects.order_by("pk")
    return list(rows if active is None else rows.filter(is_active=active))


def programme(programme_id: UUID, *, param: str | None = None) -> Programme:
    """A programme of the open book. Raises NotFound."""
    found = Programme.objects.filter(pk=programme_id).first()
    if found is None:
        raise missing("programme", ids.show("prog", programme_id), param=param)
    return found


def terms(row: Programme) -> Terms:
    """The terms that hold today."""
    return _terms(row.pk, row.terms_version)


@lru_cache(maxsize=1_000)
def _terms(programme_id: UUID, version: int) -> Terms:
    # A version never changes.
    return ProgrammeTerms.objects.get(programme_id=programme_id, version=version).read


def zone(row: Programme) -> ZoneInfo:
    """The merchant's time zone."""
    return merchants.book(row.book_id).merchant.zone


def living(member_id: UUID) -> UUID:
    """The member that one stands for today: itself, or the one it was merged into.

    It stays so until the unit of work ends: a merge that began waits, one that is under way is waited for. The row
    is locked before any purse, as merges do.
    """
    locked = Member.objects.select_for_update(no_key=True).filter(pk=member_id)
    into = locked.values_list("merged_into_id", flat=True).first()
    return into or member_id


def locked(customer_ids: Collection[UUID]) -> list[UUID]:
    """The members behind some customers, each locked as `living` locks one. One statement."""
    rows = Member.objects.select_for_update(no_key=True).filter(customer_id__in=customer_ids)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def balance(member_id: UUID, programme: Programme) -> Points:
    """What a member can spend, what waits and what is owed, exact at this moment. Two statements."""
    kinds = (chart.POINTS, chart.POINTS_PENDING, chart.POINTS_DEBT)
    points, pending, debt = ledger.guarded_many([account(programme, kind, member_id) for kind in kinds])
    soonest = (
        Lot.objects.filter(programme=programme, member_id=member_id, remaining_points__gt=0, is_pending=False)
        .exclude(expires_at=None)
        .values("expires_at")
        .annotate(points=Sum("remaining_points"))
        .order_by("expires_at")
        .first()
    )
    return Points(
        programme,
        points.available_minor,
        pending.posted_minor,
        debt.posted_minor,
        soonest["points"] if soonest else 0,
        soonest["expires_at"] if soonest else None,
    )


def standing(standing_id: UUID) -> Standing | None:
    """A member in a programme, by the standing's id."""
    return Standing.objects.select_related("programme").filter(pk=standing_id).first()


def standing_id(member_id: UUID, programme: Programme) -> UUID | None:
    """The id of a member's standing in a programme; None for who never had points there."""
    found = Standing.objects.filter(programme=programme, member_id=member_id)
    return found.values_list("pk", flat=True).first()


def spendable(member_id: UUID, programme: Programme, *, now: datetime) -> int:
    """What a member can spend at this moment, whether or not what is due was done already. Two statements."""
    points, debt = ledger.guarded_many(
        [account(programme, kind, member_id) for kind in (chart.POINTS, chart.POINTS_DEBT)]
    )
    rows = Lot.objects.filter(programme=programme, member_id=member_id, remaining_points__gt=0)
    left = matured = 0
    for is_pending, available_at, expires_at, remaining in rows.values_list(
        "is_pending", "available_at", "expires_at", "remaining_points"
    ):
        if expires_at is not None and expires_at <= now:
            continue
        if not is_pending:
            left += remaining
        elif available_at <= now:
            matured += remaining
    return max(left + max(matured - debt.posted_minor, 0) - points.reserved_minor, 0)


def waiting(member_id: UUID, programme: Programme, *, most: int = 20) -> list[Lot]:
    """The member's points that still wait, the soonest first."""
    rows = Lot.objects.filter(programme=programme, member_id=member_id, remaining_points__gt=0, is_pending=True)
    return list(rows.order_by("available_at", "pk")[:most])


def lots(member_id: UUID, programme: Programme, *, most: int = 50) -> list[Lot]:
    """The member's points that can be spent, as they will be: soonest expiring first."""
    rows = Lot.objects.filter(programme=programme, member_id=member_id, remaining_points__gt=0, is_pending=False)
    return list(rows.order_by("expires_at", "pk")[:most])


def expiring(member_id: UUID, programme: Programme, *, now: datetime, most: int = 100) -> list[Lot]:
    """The member's points that expire within the days of notice, the soonest first. One statement."""
    until = now + timedelta(days=terms(programme).notice_days)
    rows = Lot.objects.filter(programme=programme, member_id=member_id, remaining_points__gt=0, is_pending=False)
    rows = rows.filter(expires_at__gt=now, expires_at__lte=until)
    return list(rows.order_by("expires_at", "pk")[:most])


def by_day(lots: Iterable[Lot], zone: ZoneInfo) -> dict[date, int]:
    """How many points of lots expire on which day, as the lots come. Pure."""
    days: dict[date, int] = {}
    for lot in lots:
        assert lot.expires_at is not None, "what has no end does not expire"
        day = lot.expires_at.astimezone(zone).date()
        days[day] = days.get(day, 0) + lot.remaining_points
    return days


def statement(member_id: UUID, programme: Programme, *, after: str | None = None, limit: int = 20) -> list[Movement]:
    """A member's statement, newest first. `after` is the last line's cursor. Four statements.

    Each line is one entry. The first page says what could be spent after each of them.
    """
    legs: list[tuple[tuple[int, UUID], str, ledger.StatementLine]] = []
    before = _cursor(after) if after else None
    kinds = (chart.POINTS, chart.POINTS_PENDING, chart.POINTS_DEBT)
    for kind in kinds:
        # An entry has at most two legs on one account of a member.
        for leg in ledger.statement(account(programme, kind, member_id), before=before, limit=2 * limit + 2):
            legs.append(((int(leg.xid), leg.id), kind.code, leg))
    legs.sort(key=lambda each: each[0], reverse=True)
    by_entry: dict[UUID, list[tuple[tuple[int, UUID], str, ledger.StatementLine]]] = {}
    for each in legs:
        by_entry.setdefault(each[2].entry_id, []).append(each)
    balance_after: int | None = None
    if after is None:
        points = ledger.guarded_many([account(programme, chart.POINTS, member_id)])[0]
        balance_after = points.posted_minor
    found = []
    for entry_id, parts in list(by_entry.items())[:limit]:
        change = {kind.code: 0 for kind in kinds}
        for _, code, leg in parts:
            # A debt grows by its debits.
            change[code] += -leg.amount_minor if code == chart.POINTS_DEBT.code else leg.amount_minor
        last, leg = parts[-1][0], parts[0][2]
        found.append(
            Movement(
                entry_id=entry_id,
                kind=leg.kind,
                source_id=leg.source_id,
                at=leg.effective_at,
                points=change[chart.POINTS.code],
                pending=change[chart.POINTS_PENDING.code],
                debt=change[chart.POINTS_DEBT.code],
                balance=balance_after,
                cursor=f"{last[0]}.{last[1]}",
            )
        )
        if balance_after is not None:
            balance_after -= change[chart.POINTS.code]
    return found


def cursor_of(entry_id: UUID, member_id: UUID, programme: Programme) -> str | None:
    """Where a member's statement goes on after an entry; None where the entry is not in it."""
    kinds = (chart.POINTS, chart.POINTS_PENDING, chart.POINTS_DEBT)
    last = ledger.last_leg(entry_id, [account(programme, kind, member_id) for kind in kinds])
    return f"{last[0]}.{last[1]}" if last else None


def _cursor(text: str) -> tuple[str, UUID] | None:
    xid, _, leg_id = text.partition(".")
    try:
        return str(int(xid)), UUID(leg_id)
    except ValueError:
        return None


def tier(member_id: UUID, programme: Programme, *, now: datetime) -> TierStanding:
    """Where a member stands, until when, and what is missing. Three statements at most."""
    held = terms(programme)
    standing = Standing.objects.filter(programme=programme, member_id=member_id).first()
    amount = 0
    present = None
    if standing is not None:
        where = zone(programme)
        history = standings.histories(programme, held, [standing], zone=where, now=now)[member_id]
        amount = tiers.score(held, history, now=now, zone=where)
        present = tiers.of(held, standing.tier)
    following = tiers.following(held, present.key if present else "")
    return TierStanding(
        name=present.name if present else "",
        benefits=present.benefits if present else (),
        key=present.key if present else "",
        until=standing.tier_until if standing and present else None,
        score=amount,
        measure=held.tier_by,
        next_name=following.name if following else "",
        next_key=following.key if following else "",
        missing=max(following.threshold - amount, 0) if following else None,
        missing_to_keep=max(present.threshold - amount, 0) if present else 0,
    )


def tier_names() -> dict[str, str]:
    """The tiers of the book's programmes by name: `prog_…/gold` is *Gold*. One statement."""
    return {
        _tier_reference(each.pk, tier.key): tier.name for each in programmes(active=True) for tier in terms(each).tiers
    }


def tiers_held(member_id: UUID) -> list[str]:
    """The tiers that a member has now, one a programme. One statement."""
    held = Standing.objects.filter(member_id=member_id).exclude(tier="").order_by("pk")
    return [_tier_reference(*each) for each in held.values_list("programme_id", "tier")]


def _tier_reference(programme_id: UUID, key: str) -> str:
    return f"{ids.show('prog', programme_id)}/{key}"


def budget_left(programme: Programme) -> int:
    """What may still be granted."""
    return ledger.guarded_many([programme.budget])[0].available_minor


@dataclass(frozen=True, slots=True)
class Liability:
    """What members hold of a programme, and what it would cost if all of it paid."""

    ages: Sequence[Age]
    points: int
    pending: int
    worth_minor: int
    # To members: what may still be granted is not.
    issued: int
    spent: int
    expired: int


# The bounds of what stands on the page, in days.
AGES = (30, 90, 180, 365)


def liability(row: Programme, *, now: datetime) -> Liability:
    """What the merchant owes in points, by the age of the lots. Three statements; reads what is left, not history."""
    held = terms(row)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT width_bucket(extract(epoch FROM %s - created_at)::numeric / 86400, %s::numeric[]) AS age,"
            " is_pending, sum(remaining_points), count(*) FROM members_lot"
            " WHERE programme_id = %s AND remaining_points > 0"
            " GROUP BY 1, 2",
            [now, list(AGES), row.pk],
        )
        found: Mapping[tuple[int, bool], tuple[int, int]] = {
            (age, is_pending): (int(points), count) for age, is_pending, points, count in cursor.fetchall()
        }
    names = [f"0–{AGES[0]}", *(f"{low}–{high}" for low, high in pairwise(AGES)), f"{AGES[-1]}+"]
    ages = [
        Age(
            name,
            sum(found.get((place, each), (0, 0))[0] for each in (True, False)),
            sum(found.get((place, each), (0, 0))[1] for each in (True, False)),
        )
        for place, name in enumerate(names)
    ]
    totals = ledger.totals(
        [row.total(kind) for kind in (chart.POINTS_ISSUED, chart.POINTS_SPENT, chart.POINTS_EXPIRED)]
    )
    points = sum(each.points for each in ages)
    pending = sum(points for (_, is_pending), (points, _) in found.items() if is_pending)
    return Liability(
        ages=ages,
        points=points,
        pending=pending,
        worth_minor=points * held.redeem_minor // held.redeem_points if held.redeem_points else 0,
        issued=totals[0] - budget_left(row),
        spent=totals[1],
        expired=totals[2],
    )


@dataclass(frozen=True, slots=True)
class Money:
    """The money of an order that earns, and what of it went back."""

    counted: int
    returned: int


def money_of(orders: Sequence[Order], lines: Mapping[UUID, Sequence[OrderLine]]) -> dict[UUID, Money]:
    """What of orders earns: all that was paid but with points, and not for value that will be spent here again.

    One statement, where tenders paid any of them.
    """
    points: dict[UUID, tuple[int, int]] = {}
    tendered = [order.pk for order in orders if order.tendered_minor]
    if tendered:
        paid = Tender.objects.filter(order_id__in=tendered, method=POINTS_TENDER, status=COMPLETED)
        for order_id, amount, refunded in paid.values_list("order_id", "amount_minor", "refunded_minor"):
            before = points.get(order_id, (0, 0))
            points[order_id] = before[0] + amount, before[1] + refunded
    found = {}
    for order in orders:
        own = earning_lines(lines[order.pk])
        by_points, back = points.get(order.pk, (0, 0))
        counted = max(sum(line.amount_minor for line in own) - by_points, 0)
        returned = sum(line.refunded_minor for line in own) - back
        found[order.pk] = Money(counted, min(max(returned, 0), counted))
    return found


def earning_lines(lines: Sequence[OrderLine]) -> list[OrderLine]:
    """What earns of an order's lines: a stored-value card does when it is spent."""
    return [line for line in lines if not line.loads_card]
