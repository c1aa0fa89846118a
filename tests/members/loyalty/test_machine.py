"""No order of acts makes points out of nothing: what members get out is bounded by what they paid and were granted.

Each example has a programme of its own. After every step, lots are the ledger, and

    spent + left − owed ≤ paid and not refunded × best rate + granted
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from members.directory.models import ACTIVE, MERGED, Member
from members.loyalty import accruals, merging, operations, purses, queries
from members.loyalty.models import Programme
from members.loyalty.reconcile import CHECKS
from merchant_platform.kernel import ids, tenancy
from payments.ledger import chart, reconcile
from payments.ledger import queries as ledger
from payments.orders.models import Order, OrderLine
from tests.cast import NOW, origin_of
from tests.members.loyalty import scheme
from tests.payments.cases import SEED, cases

MEMBERS = 3
BUDGET = 500
# A point a yuan, half as much again in the tier: 150 points for 100 yuan.
BEST_POINTS, BEST_MINOR = 150, 10_000
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

    world = SimpleNamespace()
    tried: Counter[str] = Counter()

    orders = Bundle("orders")
    spendings = Bundle("spendings")

    @initialize()
    def open(self) -> None:
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
        self.members = [scheme.join(self.world.make_customer(self.book)) for _ in range(MEMBERS)]
        with tenancy.within(self.book.pk):
            operations.set_budget(
                programme_id=self.programme.pk, points=BUDGET, reference=str(self.programme.pk), now=self.now
            )
        self.merged: list[int] = []
        self.money: Counter[UUID] = Counter()
        self.paid: dict[UUID, int] = {}
        self.granted = self.spent = self.expired = 0

    # --- acts ------------------------------------------------------------------------

    @rule(target=orders, who=WHO, amount=AMOUNTS)
    def buy(self, who: int, amount: int) -> UUID:
        with tenancy.within(self.book.pk):
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
            assert accruals.accrue(paid={order.pk: self.now}, now=self.now, origin=self.origin) == 1
        self.money[order.pk] = self.paid[order.pk] = amount
        self.tried["buy"] += 1
        return order.pk

    @rule(order=orders)
    def accrue_again(self, order: UUID) -> None:
        with tenancy.within(self.book.pk):
            assert accruals.accrue(paid={order: self.now}, now=self.now, origin=self.origin) == 0
        self.tried["accrue again"] += 1

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

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        with tenancy.within(self.book.pk):
            living = [each.pk for each in self.members]
            operations.settle(list(purses.open_many(self.programme, living, now=self.now).values()), now=self.now)
        self.tried["wait"] += 1

    @rule(loser=WHO, undo=st.booleans())
    def merge(self, loser: int, undo: bool) -> None:
        """The member becomes one with the first one, or two again."""
        if loser == 0 or undo != (loser in self.merged):
            return
        member, into = self.members[loser], self.members[0]
        with tenancy.within(self.book.pk):
            Member.objects.filter(pk=member.pk).update(
                status=ACTIVE if undo else MERGED, merged_into=None if undo else into
            )
            merging.merge(loser=member, winner=into, now=self.now, undo=undo)
        (self.merged.remove if undo else self.merged.append)(loser)
        self.tried["unmerge" if undo else "merge"] += 1

    # --- what always holds -----------------------------------------------------------

    @invariant()
    def lots_are_the_ledger(self) -> None:
        assert list(reconcile.differences(CHECKS)) == []

    @invariant()
    def nothing_comes_of_nothing(self) -> None:
        with tenancy.within(self.book.pk):
            kinds = (chart.POINTS, chart.POINTS_PENDING, chart.POINTS_DEBT)
            accounts = [purses.account(self.programme, kind, each.pk) for each in self.members for kind in kinds]
            held = [each.posted_minor for each in ledger.guarded_many(accounts)]
            spent = ledger.total(self.programme.total(chart.POINTS_SPENT))
            budget = queries.budget_left(self.programme)
        left, owed = sum(held[0::3]) + sum(held[1::3]), sum(held[2::3])
        assert spent == self.spent
        assert budget == BUDGET - self.granted
        got = spent + left - owed - self.granted
        assert got * BEST_MINOR <= sum(self.money.values()) * BEST_POINTS

    def teardown(self) -> None:
        if hasattr(self, "book"):
            assert list(reconcile.differences()) == []

    def _refunded(self, order: UUID, amount: int) -> None:
        """So much of an order went back in all; it has one line."""
        Order.objects.filter(pk=order).update(refunded_minor=amount)
        OrderLine.objects.filter(order_id=order).update(refunded_minor=amount)

    def _living(self, who: int) -> UUID:
        return self.members[0 if who in self.merged else who].pk

    def _spendable(self, member: UUID) -> int:
        with tenancy.within(self.book.pk):
            return queries.spendable(member, self.programme, now=self.now)


MET = {"buy", "refund", "spend", "spend refused", "transfer refused", "adjust", "wait", "merge"}


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.requirement("A24")
class TestPoints:
    @cases(6)
    def test_never_give_more_than_was_paid_for_and_granted(self, cases_max, book, make_customer):
        PointsMachine.world = SimpleNamespace(book=book, make_customer=make_customer)
        PointsMachine.tried.clear()

        run_state_machine_as_test(
            seed(SEED)(PointsMachine),
            settings=settings(
                max_examples=cases_max,
                stateful_step_count=20,
                deadline=None,
                database=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )

        assert cases_max < 1_000 or set(PointsMachine.tried) >= MET
