"""No order of acts makes points out of nothing: what members get out is bounded by what they paid and were granted.

Each example has a programme and members of its own, and a few share a book. After every step, lots are the ledger,
an order has earned once, and

    spent + left − owed ≤ paid and not refunded × best rate + granted
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Sum
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from members.directory import operations as directory
from members.directory.models import ACTIVE, DASHBOARD, MERGED, Member
from members.loyalty import accruals, merging, operations, purses, queries
from members.loyalty.models import Accrual, Lot, Programme
from members.loyalty.reconcile import CHECKS
from merchant_platform.kernel import ids, tenancy
from payments.customers.models import Customer
from payments.ledger import chart, reconcile
from payments.ledger import queries as ledger
from payments.orders.models import Order, OrderLine
from security.merchants.models import TEST
from tests.cast import NOW, book_of, found, origin_of, race
from tests.members.loyalty import scheme
from tests.payments.cases import SEED, cases

MEMBERS = 3
BUDGET = 500
CASES = 200
# Cases that share a book: each reads all of it in the end, so that many in one would take longer the more there were.
CASES_A_BOOK = 40
# A point a yuan, half as much again in the tier: 150 points for 100 yuan.
BEST_POINTS, BEST_MINOR = 150, 10_000
# Accounts are seen by every book; that lots are the ledger is compared after each step for the case's own.
OF_A_BOOK = tuple(check for check in CHECKS if check.name != "lots_are_the_ledger")
WHO = st.integers(0, MEMBERS - 1)
AMOUNTS = st.integers(1, 60_000)
POINTS = st.integers(1, 400)


@dataclass
class Spent:
    source_id: UUID
    points: int
    returned: int = 0


class PointsMachine(RuleBasedStateMachine):
    """A programme with a tier that earns more, and three members who do what they like."""

    world = SimpleNamespace(book=None, cases=0)
    tried: Counter[str] = Counter()

    orders = Bundle("orders")
    spendings = Bundle("spendings")

    @initialize()
    def open(self) -> None:
        if self.world.cases % CASES_A_BOOK == 0:
            self.world.book = book_of(found(f"cafe-{self.world.cases}", "Café Moka"), TEST)
        self.world.cases += 1
        self.book = self.world.book
        self.now = NOW
        self.origin = origin_of(self.book)
        with tenancy.within(self.book.pk):
            Programme.objects.update(is_active=False)  # those of the examples before
        self.programme = scheme.start(
            self.book,
            tiers=[{"key": "gold", "name": "Gold", "threshold": 60_000}],
            pending_days=7,
            lifetime_days=30,
            notice_days=3,
        )
        with tenancy.within(self.book.pk):
            people = [
                Customer(id=ids.new(NOW), book_id=self.book.pk, name="Lin Mei", created_at=NOW) for _ in range(MEMBERS)
            ]
            Customer.objects.bulk_create(people)
            self.members = directory.enrol_many(
                customer_ids=[each.pk for each in people], source=DASHBOARD, now=NOW, origin=self.origin
            )
            operations.set_budget(
                programme_id=self.programme.pk, points=BUDGET, reference=str(self.programme.pk), now=self.now
            )
        # Who was merged, and into whom they all went by now; and each merge with who had come to its loser before.
        self.merged: dict[int, int] = {}
        self.merges: list[tuple[int, int, list[int]]] = []
        self.money: Counter[UUID] = Counter()
        self.paid: dict[UUID, int] = {}
        self.granted = self.spent = 0
        self.races_left = 1

    # --- acts ------------------------------------------------------------------------

    @rule(target=orders, who=WHO, amount=AMOUNTS)
    def buy(self, who: int, amount: int) -> UUID:
        with tenancy.within(self.book.pk):
            order = self._order(who, amount)
            assert accruals.accrue(paid={order: self.now}, now=self.now, origin=self.origin) == 1
        self.tried["buy"] += 1
        return order

    @rule(target=orders, who=WHO, amount=AMOUNTS)
    def sync_twice(self, who: int, amount: int) -> UUID:
        """A till that was offline sends all that it knows, what is known here already among it, and then again."""
        with tenancy.within(self.book.pk):
            order = self._order(who, amount)
            paid = dict.fromkeys(self.paid, self.now)
            assert accruals.accrue(paid=paid, now=self.now, origin=self.origin) == 1
            assert accruals.accrue(paid=paid, now=self.now, origin=self.origin) == 0
        self.tried["sync twice"] += 1
        return order

    @precondition(lambda self: self.races_left)
    @rule(target=orders, who=WHO, amount=AMOUNTS)
    def earn_at_once(self, who: int, amount: int) -> UUID:
        """Two workers meet over the same order: it earns once."""
        with tenancy.within(self.book.pk):
            order = self._order(who, amount)
        found = self._at_once(lambda: accruals.accrue(paid={order: self.now}, now=self.now, origin=self.origin))
        assert sorted(found) == [0, 1]
        self.tried["earn at once"] += 1
        return order

    @precondition(lambda self: self.races_left)
    @rule(order=orders)
    def refund_at_once(self, order: UUID) -> None:
        """Two workers take the same refund back: once."""
        with tenancy.within(self.book.pk):
            self._refunded(order, self.paid[order])
        found = self._at_once(lambda: accruals.take_back(order_id=order, now=self.now, origin=self.origin))
        assert sum(found) <= 1
        self.money[order] = 0
        self.tried["refund at once"] += 1

    @precondition(lambda self: self.races_left)
    @rule(who=WHO)
    def spend_at_once(self, who: int) -> None:
        """Two payments want all that a member has: one gets it."""
        member = self._living(who)
        points = self._spendable(member)
        if not points:
            return
        named = {"programme": self.programme, "member_id": member, "now": self.now}
        race_id = ids.new(self.now)

        def hold() -> str:
            reference = f"hold:{ids.new(self.now)}"
            operations.hold(points=points, reference=reference, **named)
            return reference

        found = self._at_once(hold)
        (held,) = [each for each in found if isinstance(each, str)]
        assert [type(each) for each in found if each != held] == [operations.NotEnoughPoints]
        with tenancy.within(self.book.pk):
            operations.complete(
                hold_reference=held,
                source_id=race_id,
                reference=f"spend:{race_id}",
                source="ord",
                origin=self.origin,
                **named,
            )
        self.spent += points
        self.tried["spend at once"] += 1

    @rule(order=orders, part=st.integers(1, 4))
    def refund(self, order: UUID, part: int) -> None:
        amount = -(-self.money[order] // part)
        with tenancy.within(self.book.pk):
            self._refunded(order, self.paid[order] - self.money[order] + amount)
            accruals.take_back(order_id=order, now=self.now, origin=self.origin)
            again = accruals.take_back(order_id=order, now=self.now, origin=self.origin)
        assert again == 0
        self.money[order] -= amount
        self.tried["refund"] += 1

    @rule(order=orders)
    def refund_fails(self, order: UUID) -> None:
        with tenancy.within(self.book.pk):
            self._refunded(order, 0)
            accruals.take_back(order_id=order, now=self.now, origin=self.origin)
        self.money[order] = self.paid[order]
        self.tried["refund fails"] += 1

    @rule(target=spendings, who=WHO, points=POINTS, completes=st.booleans())
    def spend(self, who: int, points: int, completes: bool) -> Spent | MultipleResults[Spent]:
        member = self._living(who)
        source_id = ids.new(self.now)
        named = {"programme": self.programme, "member_id": member, "now": self.now}
        try:
            with tenancy.within(self.book.pk):
                operations.hold(points=points, reference=f"hold:{source_id}", **named)
        except operations.NotEnoughPoints:
            assert points > self._spendable(member)
            self.tried["spend refused"] += 1
            return multiple()
        with tenancy.within(self.book.pk):
            if not completes:
                operations.void(hold_reference=f"hold:{source_id}", **named)
                self.tried["void"] += 1
                return multiple()
            operations.complete(
                hold_reference=f"hold:{source_id}",
                source_id=source_id,
                reference=f"spend:{source_id}",
                source="ord",
                origin=self.origin,
                **named,
            )
        self.spent += points
        self.tried["spend"] += 1
        return Spent(source_id, points)

    @rule(spent=spendings, part=st.integers(1, 3))
    def give_back(self, spent: Spent, part: int) -> None:
        points = -(-(spent.points - spent.returned) // part)
        if not points:
            return
        with tenancy.within(self.book.pk):
            operations.give_back(
                programme=self.programme,
                source_id=spent.source_id,
                points=points,
                reference=f"back:{ids.new(self.now)}",
                source="ord",
                now=self.now,
                origin=self.origin,
            )
        spent.returned += points
        self.spent -= points
        self.tried["give back"] += 1

    @rule(giver=WHO, taker=WHO, points=POINTS)
    def transfer(self, giver: int, taker: int, points: int) -> None:
        if self._living(giver) == self._living(taker):
            return
        try:
            with tenancy.within(self.book.pk):
                operations.transfer(
                    programme=self.programme,
                    giver_id=self._living(giver),
                    taker_id=self._living(taker),
                    points=points,
                    reference=f"transfer:{ids.new(self.now)}",
                    now=self.now,
                    origin=self.origin,
                )
        except operations.NotEnoughPoints:
            self.tried["transfer refused"] += 1
        else:
            self.tried["transfer"] += 1

    @rule(who=WHO, points=st.integers(-200, 300).filter(bool))
    def adjust(self, who: int, points: int) -> None:
        try:
            with tenancy.within(self.book.pk):
                operations.adjust(
                    programme=self.programme,
                    member_id=self._living(who),
                    points=points,
                    reason="We were late",
                    reference=f"adjust:{ids.new(self.now)}",
                    now=self.now,
                    origin=self.origin,
                )
        except operations.BudgetExceeded:
            assert self.granted + points > BUDGET
            self.tried["grant refused"] += 1
        except operations.NotEnoughPoints:
            self.tried["adjust refused"] += 1
        else:
            self.granted += max(points, 0)
            self.tried["adjust"] += 1

    @rule(days=st.integers(1, 45))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        with tenancy.within(self.book.pk):
            living = [each.pk for each in self.members]
            operations.settle(list(purses.open_many(self.programme, living, now=self.now).values()), now=self.now)
            expired = ledger.total(self.programme.total(chart.POINTS_EXPIRED))
        self.tried["expire" if expired else "wait"] += 1

    @rule(loser=WHO, winner=WHO)
    def merge(self, loser: int, winner: int) -> None:
        """Two members become one, with all who were merged into them before."""
        if loser == winner or {loser, winner} & self.merged.keys():
            return
        followers = [each for each, into in self.merged.items() if into == loser]
        self._merge(loser, winner, followers, undo=False)
        self.merged |= dict.fromkeys([loser, *followers], winner)
        self.merges.append((loser, winner, followers))
        self.tried["merge on" if followers else "merge"] += 1

    @precondition(lambda self: self.merges)
    @rule(which=st.integers(0, MEMBERS))
    def unmerge(self, which: int) -> None:
        """One member becomes two again, unless a later merge stands on it."""
        loser, winner, followers = self.merges[which % len(self.merges)]
        if winner in self.merged:
            return
        self._merge(loser, winner, followers, undo=True)
        del self.merged[loser]
        self.merged |= dict.fromkeys(followers, loser)
        self.merges.remove((loser, winner, followers))
        self.tried["unmerge"] += 1

    # --- what always holds -----------------------------------------------------------

    @invariant()
    def nothing_comes_of_nothing(self) -> None:
        kinds = (chart.POINTS, chart.POINTS_PENDING, chart.POINTS_DEBT)
        accounts = [purses.account(self.programme, kind, each.pk) for each in self.members for kind in kinds]
        lots = Lot.objects.filter(programme=self.programme).values_list("member_id", "is_pending")
        with tenancy.within(self.book.pk):
            *held, budget = [each.posted_minor for each in ledger.guarded_many([*accounts, self.programme.budget])]
            spent = ledger.total(self.programme.total(chart.POINTS_SPENT))
            in_lots = {(member, waits): points for member, waits, points in lots.annotate(Sum("remaining_points"))}
            earned = Accrual.objects.filter(programme=self.programme).count()
        for number, member in enumerate(self.members):
            assert held[3 * number] == in_lots.get((member.pk, False), 0)
            assert held[3 * number + 1] == in_lots.get((member.pk, True), 0)
        left, owed = sum(held[0::3]) + sum(held[1::3]), sum(held[2::3])
        assert spent == self.spent
        assert budget == BUDGET - self.granted
        assert earned == len(self.paid)
        got = spent + left - owed - self.granted
        assert got * BEST_MINOR <= sum(self.money.values()) * BEST_POINTS

    def teardown(self) -> None:
        if hasattr(self, "book"):
            # Of this case's book alone; all books are looked at in the end, once.
            with tenancy.within(self.book.pk):
                assert list(reconcile.differences(OF_A_BOOK, using="default")) == []

    def _order(self, who: int, amount: int) -> UUID:
        """A paid order of one line."""
        order = Order.objects.create(
            id=ids.new(self.now),
            book_id=self.book.pk,
            customer_id=self.members[who].customer_id,
            status="paid",
            currency="CNY",
            total_minor=amount,
            paid_minor=amount,
            created_at=self.now,
        )
        OrderLine.objects.create(
            id=ids.new(self.now),
            book_id=self.book.pk,
            order=order,
            description="Coffee",
            quantity=1,
            unit_price_minor=amount,
            amount_minor=amount,
        )
        self.money[order.pk] = self.paid[order.pk] = amount
        return order.pk

    def _merge(self, loser: int, winner: int, followers: list[int], *, undo: bool) -> None:
        """What the directory does about it (members/directory/merging.py), and what the points do."""
        gone, into = self.members[loser], self.members[winner]
        with tenancy.within(self.book.pk):
            Member.objects.filter(pk__in=[self.members[each].pk for each in followers]).update(
                merged_into=gone if undo else into
            )
            Member.objects.filter(pk=gone.pk).update(
                status=ACTIVE if undo else MERGED, merged_into=None if undo else into
            )
            merging.merge(loser=gone, winner=into, now=self.now, undo=undo)

    def _at_once(self, act: Callable[[], Any]) -> list[Any]:
        """The same act twice at the same moment, on two connections. What each gave, or raised."""
        self.races_left -= 1

        def apart() -> Any:
            with tenancy.within(self.book.pk):
                return act()

        return race(apart, apart)

    def _refunded(self, order: UUID, amount: int) -> None:
        """So much of an order went back in all; it has one line."""
        Order.objects.filter(pk=order).update(refunded_minor=amount)
        OrderLine.objects.filter(order_id=order).update(refunded_minor=amount)

    def _living(self, who: int) -> UUID:
        return self.members[self.merged.get(who, who)].pk

    def _spendable(self, member: UUID) -> int:
        with tenancy.within(self.book.pk):
            return queries.spendable(member, self.programme, now=self.now)


# What a run that proves anything has met.
KINDS = {
    *("buy", "sync twice", "earn at once", "refund", "refund at once", "refund fails"),
    *("spend", "spend refused", "spend at once", "void", "give back", "transfer", "transfer refused"),
    *("adjust", "adjust refused", "grant refused", "wait", "expire", "merge", "merge on", "unmerge"),
}


def tour() -> None:
    """Every kind of act once, in an order that is known to reach it: chance may leave out the rarer ones."""
    machine = PointsMachine()
    machine.open()
    machine.races_left = 3

    def do(act: Callable[..., Any], *given: Any) -> Any:
        done = act(*given)
        machine.nothing_comes_of_nothing()
        return done

    order = do(machine.buy, 0, 60_000)
    do(machine.sync_twice, 1, 20_000)
    do(machine.wait, 8)
    do(machine.adjust, 1, 100)
    do(machine.adjust, 2, -100)
    for _ in range(2):
        do(machine.adjust, 1, 300)
    spent = do(machine.spend, 1, 50, True)
    do(machine.spend, 1, 10, False)
    do(machine.spend, 2, 400, True)
    do(machine.give_back, spent, 2)
    do(machine.transfer, 1, 2, 20)
    do(machine.transfer, 2, 1, 400)
    do(machine.refund, order, 3)
    do(machine.refund_fails, order)
    do(machine.spend_at_once, 0)
    do(machine.refund_at_once, order)
    do(machine.earn_at_once, 2, 5_000)
    do(machine.merge, 2, 0)
    do(machine.merge, 0, 1)
    for which in (1, 0):
        do(machine.unmerge, which)
    do(machine.wait, 45)
    machine.teardown()
    assert set(machine.tried) == KINDS


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.requirement("A24")
class TestPoints:
    @cases(CASES)
    def test_never_give_more_than_was_paid_for_and_granted(self, cases_max, platform, proven):
        proven(cases_max)
        PointsMachine.world = SimpleNamespace(book=None, cases=0)
        PointsMachine.tried.clear()
        tour()

        run_state_machine_as_test(
            seed(SEED)(PointsMachine),
            settings=settings(
                max_examples=cases_max,
                # Short ones on every run, many of them; what takes long to come about is for the long proof.
                stateful_step_count=8 if cases_max <= CASES else 20,
                deadline=None,
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )

        assert list(reconcile.differences((*reconcile.CHECKS, *CHECKS))) == []
