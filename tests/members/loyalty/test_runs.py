"""Work over all members: in batches, each alone, gone on with by anybody."""

import pytest

from members.loyalty import accruals, operations, purses, runs
from members.loyalty.models import Accrual, Lot, Run, Standing
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events.models import Event
from payments.orders.models import Order
from tests.cast import NOW, move_clock, origin_of, race
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY, points
from tests.payments.acts import pay

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]


@pytest.fixture
def members(make_customer, book):
    return [scheme.join(make_customer(book, name=f"Member {number}")) for number in range(5)]


def granted(book, members, **terms):
    programme = scheme.start(book, **terms)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=programme.pk, points=1_000, reference="budget", now=NOW)
        for number, member in enumerate(members, start=1):
            operations.adjust(
                programme=programme,
                member_id=member.pk,
                points=number * 10,
                reason="Gift",
                reference=f"gift:{number}",
                now=NOW,
                origin=origin_of(book),
            )
    return programme


def all_runs(book):
    with tenancy.within(book.pk):
        rows = Run.objects.order_by("pk")
        return [(each.kind, each.done_count, each.total_count, each.finished_at is not None) for each in rows]


def told(book, name):
    with tenancy.within(book.pk):
        return Event.objects.filter(type=name).count()


class TestExpire:
    def test_goes_on_batch_by_batch_with_progress_and_once(self, book, members):
        programme = granted(book, members, lifetime_days=30, notice_days=5)
        move_clock(book, NOW + 30 * DAY)
        with tenancy.within(book.pk):
            run = runs.begin(programme_id=programme.pk, kind=Run.EXPIRE, now=book.now)

        first = runs.step(run_id=run.pk, book_id=book.pk, at=NOW, batch=2)
        halfway = all_runs(book)
        done = runs.work(at=NOW)

        assert (first, halfway, done) == (2, [("expire", 2, 5, False)], 3)
        assert all_runs(book) == [("expire", 5, 5, True)]
        assert [points(each, programme) for each in members] == [(0, 0, 0)] * 5
        assert (told(book, "points.expired"), runs.work(at=NOW)) == (5, 0)
        scheme.assert_proved()

    def test_tells_members_before_once(self, book, members):
        granted(book, members, lifetime_days=30, notice_days=5)
        move_clock(book, NOW + 25 * DAY)

        done = runs.work(at=NOW), runs.work(at=NOW)

        assert (done, told(book, "points.expiring")) == ((5, 0), 5)

    def test_asks_as_much_for_many_members_as_for_few(self, book, members):
        programme = granted(book, members, lifetime_days=30)
        move_clock(book, NOW + 30 * DAY)

        counts = scheme.asked_by_batches(programme, Run.EXPIRE)

        assert counts[0] == counts[1]

    def test_waits_for_points_that_are_held(self, book, members):
        programme = granted(book, members[:1], lifetime_days=30)
        with tenancy.within(book.pk):
            operations.hold(programme=programme, member_id=members[0].pk, points=4, reference="held", now=NOW)
        move_clock(book, NOW + 30 * DAY)

        runs.work(at=NOW)
        with tenancy.within(book.pk):
            operations.void(programme=programme, member_id=members[0].pk, hold_reference="held", now=book.now)
            left = list(Lot.objects.values_list("remaining_points", flat=True))
        runs.work(at=NOW)

        assert left == [4]
        assert points(members[0], programme) == (0, 0, 0)


class TestBackfill:
    def test_lets_earlier_orders_earn_and_changes_nothing_the_second_time(self, api, book, customer, wallet_method):
        member = scheme.join(customer)
        method = wallet_method(customer)
        for _ in range(3):
            pay(api, method, 10_000)
        programme = scheme.start(book)

        done = []
        for _ in range(2):
            with tenancy.within(book.pk):
                runs.begin(programme_id=programme.pk, kind=Run.BACKFILL, now=book.now)
            done.append(runs.work(at=NOW))

        assert points(member, programme) == (0, 300, 0)
        assert all_runs(book) == [("backfill", 3, 3, True), ("backfill", 0, 0, True)]
        with tenancy.within(book.pk):
            assert Accrual.objects.count() == 3

    def test_gives_way_to_who_pays_and_goes_on_where_it_stopped(self, api, book, customer, wallet_method):
        member = scheme.join(customer)
        method = wallet_method(customer)
        for _ in range(5):
            pay(api, method, 10_000)
        programme = scheme.start(book)
        with tenancy.within(book.pk):
            run = runs.begin(programme_id=programme.pk, kind=Run.BACKFILL, now=book.now)
        first = runs.step(run_id=run.pk, book_id=book.pk, at=NOW, batch=2)

        with tenancy.within(book.pk):
            purses.open_one(programme, member.pk, now=NOW)
            meanwhile = race(lambda: runs.work(at=NOW)), all_runs(book)
        done = runs.work(at=NOW)

        assert (first, meanwhile, done) == (2, ([0], [("backfill", 2, 5, False)]), 3)
        assert (points(member, programme), all_runs(book)) == ((0, 500, 0), [("backfill", 5, 5, True)])

    def test_lets_others_have_their_turn(self, api, book, other_book, customer, wallet_method, monkeypatch):
        """Two books with work: a batch of each in turn, not one after the other."""
        monkeypatch.setitem(runs.BATCH, Run.BACKFILL, 1)
        scheme.join(customer)
        method = wallet_method(customer)
        for _ in range(3):
            pay(api, method, 10_000)
        begun = []
        for each in (book, other_book):
            programme = scheme.start(each)
            with tenancy.within(each.pk):
                begun.append(runs.begin(programme_id=programme.pk, kind=Run.BACKFILL, now=each.now).pk)
        rounds = []

        def enough():
            with tenancy.within(other_book.pk):
                rounds.append(Run.objects.get(pk=begun[1]).finished_at is not None)
            return len(rounds) == 2

        runs.work(at=NOW, until=enough)

        assert rounds == [False, True]


class TestTiers:
    def test_end_on_their_day_and_not_before(self, api, book, customer, wallet_method):
        programme = scheme.start(book, tier_days=30, grace_days=10)
        member = scheme.join(customer)
        pay(api, wallet_method(customer), 60_000)
        with tenancy.within(book.pk):
            paid = dict(Order.objects.values_list("pk", "created_at"))
            accruals.accrue(paid=paid, now=NOW, origin=origin_of(book))
            until = Standing.objects.get().tier_until
        seen = []

        for day in (39, 40):
            move_clock(book, NOW + day * DAY)
            runs.work(at=NOW)
            with tenancy.within(book.pk):
                seen.append(Standing.objects.get(member_id=member.pk).tier)

        assert until == NOW + 40 * DAY
        assert seen == ["silver", ""]
        assert told(book, "tier.changed") == 2
        assert programme.is_active
