"""What is done with points: each verb works, refuses, happens once, and stands a race."""

import pytest

from members.directory import merging as directory
from members.loyalty import merging, operations, queries
from members.loyalty.models import Lot, ProgrammeTerms, Standing
from members.loyalty.terms import BadTerms
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events.models import Event
from payments.ledger import operations as ledger
from tests.cast import NOW, move_clock, origin_of, race
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY, points
from tests.members.people import hand_of
from tests.payments import books
from tests.payments.acts import pay, refund

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]


@pytest.fixture
def programme(book):
    made = scheme.start(book, lifetime_days=30, notice_days=3)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=made.pk, points=1_000, reference="budget", now=NOW)
    return made


@pytest.fixture
def member(customer):
    return scheme.join(customer)


@pytest.fixture
def friend(make_customer, book):
    return scheme.join(make_customer(book, name="Wang Wei"))


def adjust(book, programme, member, amount, reference="gift"):
    with tenancy.within(book.pk):
        return operations.adjust(
            programme=programme,
            member_id=member.pk,
            points=amount,
            reason="We were late",
            reference=reference,
            now=book.now,
            origin=origin_of(book),
        )


def left(book):
    with tenancy.within(book.pk):
        return [
            (each.points, each.remaining_points, (each.expires_at - NOW).days)
            for each in Lot.objects.order_by("expires_at", "pk")
        ]


def lifetime(member, programme):
    held = Standing.objects.get(programme=programme, member=member)
    return held.orders_count, held.lifetime_spend_minor, held.lifetime_points


def told(book, name):
    with tenancy.within(book.pk):
        return Event.objects.filter(type=name).count()


class TestAdjust:
    def test_grants_out_of_the_budget_and_not_beyond(self, book, programme, member):
        adjust(book, programme, member, 600)

        with books.unchanged(), pytest.raises(operations.BudgetExceeded):
            adjust(book, programme, member, 401, "more")
        adjust(book, programme, member, 400, "rest")

        assert points(member, programme) == (1_000, 0, 0)
        with tenancy.within(book.pk):
            assert queries.budget_left(programme) == 0
        scheme.assert_proved()

    def test_issues_what_is_granted_and_not_what_may_be(self, book, programme, member):
        adjust(book, programme, member, 300)

        with tenancy.within(book.pk):
            held = queries.liability(programme, now=NOW)
        assert (held.points, held.issued) == (300, 300)

    def test_happens_once(self, book, programme, member):
        adjust(book, programme, member, 600)

        with books.unchanged(), pytest.raises(ledger.AlreadyPosted):
            adjust(book, programme, member, 600)

    def test_takes_away_what_is_there_and_no_more(self, book, programme, member):
        adjust(book, programme, member, 100)

        adjust(book, programme, member, -60, "mistake")
        with books.unchanged(), pytest.raises(operations.NotEnoughPoints):
            adjust(book, programme, member, -41, "again")

        assert points(member, programme) == (40, 0, 0)


class TestSpend:
    def test_takes_what_expires_soonest_and_gives_back_where_it_came_from(self, book, programme, member):
        adjust(book, programme, member, 100)
        move_clock(book, NOW + 10 * DAY)
        adjust(book, programme, member, 100, "later")
        source = scheme.spend(member, programme, 150)
        spent = left(book)

        give_back(book, programme, source, 60)
        parted = left(book)
        give_back(book, programme, source, 90)

        assert spent == [(100, 0, 30), (100, 50, 40)]
        # 60 of 150 over 100 and 50: 40 and 20.
        assert parted == [(100, 40, 30), (100, 70, 40)]
        assert left(book) == [(100, 100, 30), (100, 100, 40)]
        scheme.assert_proved()

    def test_gives_back_expired_points_for_the_days_of_notice(self, book, programme, member):
        adjust(book, programme, member, 100)
        source = scheme.spend(member, programme, 100)
        move_clock(book, NOW + 31 * DAY)

        give_back(book, programme, source, 100)

        assert left(book) == [(100, 0, 30), (100, 100, 34)]

    def test_refuses_more_back_than_was_taken(self, book, programme, member):
        adjust(book, programme, member, 100)
        source = scheme.spend(member, programme, 80)

        with books.unchanged(), pytest.raises(operations.Invalid):
            give_back(book, programme, source, 81)

    def test_takes_what_is_held_even_after_its_day(self, book, programme, member):
        adjust(book, programme, member, 100)
        with tenancy.within(book.pk):
            operations.hold(programme=programme, member_id=member.pk, points=70, reference="held", now=NOW)
        move_clock(book, NOW + 30 * DAY)
        scheme.settle(member, programme)
        waiting = left(book)

        with tenancy.within(book.pk):
            operations.complete(
                programme=programme,
                member_id=member.pk,
                hold_reference="held",
                source_id=member.pk,
                reference="take",
                source="ord",
                now=book.now,
                origin=origin_of(book),
            )

        assert waiting == [(100, 70, 30)]
        assert left(book) == [(100, 0, 30)]
        assert told(book, "points.expired") == 1
        scheme.assert_proved()

    def test_holds_what_expires_soonest_so_that_later_points_are_left(self, book, programme, member):
        adjust(book, programme, member, 100)
        move_clock(book, NOW + DAY)
        adjust(book, programme, member, 100, "later")
        with tenancy.within(book.pk):
            operations.hold(programme=programme, member_id=member.pk, points=70, reference="held", now=book.now)

        move_clock(book, NOW + 30 * DAY)
        scheme.settle(member, programme)

        assert left(book) == [(100, 70, 30), (100, 100, 31)]
        assert points(member, programme) == (100, 0, 0)
        scheme.assert_proved()

    def test_fifty_at_once_for_the_last_points_take_exactly_what_there_is(self, book, programme, member):
        adjust(book, programme, member, 70)

        def redeem():
            return scheme.spend(member, programme, 10)

        outcomes = race(*[redeem] * 50)

        refused = [each for each in outcomes if isinstance(each, operations.NotEnoughPoints)]
        assert (len(outcomes) - len(refused), len(refused)) == (7, 43)
        assert points(member, programme) == (0, 0, 0)
        scheme.assert_proved()


class TestTransfer:
    def test_moves_lots_with_the_end_they_have(self, book, programme, member, friend):
        adjust(book, programme, member, 100)
        move_clock(book, NOW + 10 * DAY)
        adjust(book, programme, member, 100, "later")

        transfer(book, programme, member, friend, 130)

        assert (points(member, programme), points(friend, programme)) == ((70, 0, 0), (130, 0, 0))
        assert left(book) == [(100, 0, 30), (100, 100, 30), (100, 70, 40), (30, 30, 40)]
        assert told(book, "points.transferred") == 2
        scheme.assert_proved()

    def test_both_ways_at_once_do_not_wait_for_each_other_for_ever(self, book, programme, member, friend):
        adjust(book, programme, member, 100)
        adjust(book, programme, friend, 100, "friend")

        outcomes = race(
            lambda: transfer(book, programme, member, friend, 30, "there"),
            lambda: transfer(book, programme, friend, member, 50, "back"),
        )

        assert not [each for each in outcomes if isinstance(each, Exception)]
        assert (points(member, programme), points(friend, programme)) == ((120, 0, 0), (80, 0, 0))

    def test_stays_where_the_terms_say_so(self, book, programme, member, friend):
        adjust(book, programme, member, 100)
        with tenancy.within(book.pk):
            held = operations.change(
                programme_id=programme.pk,
                given={**scheme.TERMS, "is_transferable": False},
                now=NOW,
                origin=origin_of(book),
            )

        with books.unchanged(), pytest.raises(operations.NotTransferable):
            transfer(book, held, member, friend, 10)


class TestMerge:
    def test_moves_points_and_brings_back_what_is_left(self, book, programme, member, friend):
        adjust(book, programme, member, 100)
        adjust(book, programme, friend, 50, "friend")

        with tenancy.within(book.pk):
            merging.merge(loser=friend, winner=member, now=NOW, undo=False)
        together = points(member, programme), points(friend, programme)
        scheme.spend(member, programme, 120)
        with tenancy.within(book.pk):
            merging.merge(loser=friend, winner=member, now=NOW, undo=True)

        assert together == ((150, 0, 0), (0, 0, 0))
        assert points(member, programme)[0] + points(friend, programme)[0] == 30
        scheme.assert_proved()

    def test_of_a_winner_who_is_merged_too_brings_everybody_their_own_back(
        self, book, programme, member, friend, make_customer
    ):
        third = scheme.join(make_customer(book, name="Zhou Zimo"))
        people = [member, friend, third]
        for each, amount in zip(people, (100, 50, 7), strict=True):
            adjust(book, programme, each, amount, f"gift {amount}")

        with tenancy.within(book.pk):
            first = directory.merge(loser_id=member.pk, winner_id=friend.pk, hand=hand_of(book))
            second = directory.merge(loser_id=friend.pk, winner_id=third.pk, hand=hand_of(book))
            together = [points(each, programme)[0] for each in people]
            directory.undo(merge_id=second.pk, hand=hand_of(book))
            directory.undo(merge_id=first.pk, hand=hand_of(book))

        assert together == [0, 0, 157]
        assert [points(each, programme)[0] for each in people] == [100, 50, 7]
        scheme.assert_proved()

    def test_counts_lifetimes_by_what_was_refunded_before_it_was_undone(
        self, api, book, customer, make_customer, programme, wallet_method
    ):
        other = make_customer(book, name="Wang Wei")
        member, friend = scheme.join(customer), scheme.join(other)
        pay(api, wallet_method(customer), 30_000)
        paid = pay(api, wallet_method(other), 20_000).json
        scheme.catch_up(book)

        with tenancy.within(book.pk):
            merged = directory.merge(loser_id=friend.pk, winner_id=member.pk, hand=hand_of(book))
            together = lifetime(member, programme)
        refund(api, paid, 5_000)
        scheme.catch_up(book)
        with tenancy.within(book.pk):
            directory.undo(merge_id=merged.pk, hand=hand_of(book))
            apart = lifetime(member, programme), lifetime(friend, programme)

        assert together == (2, 50_000, 500)
        assert apart == ((1, 30_000, 300), (1, 15_000, 150))
        scheme.assert_proved()

    def test_waits_while_points_are_held(self, book, programme, member, friend):
        adjust(book, programme, friend, 50, "friend")
        with tenancy.within(book.pk):
            operations.hold(programme=programme, member_id=friend.pk, points=1, reference="held", now=NOW)

        with books.unchanged(), pytest.raises(merging.PointsHeld), tenancy.within(book.pk):
            merging.merge(loser=friend, winner=member, now=NOW, undo=False)


class TestChange:
    def test_writes_a_version_and_refuses_what_was_changed_meanwhile(self, book, programme):
        given = {**scheme.TERMS, "pending_days": 3}
        options = {"programme_id": programme.pk, "now": NOW, "origin": origin_of(book)}
        with tenancy.within(book.pk):
            operations.change(given=given, seen_version=1, **options)
            operations.change(given=given, **options)

        with pytest.raises(operations.Changed), tenancy.within(book.pk):
            operations.change(given={**given, "pending_days": 4}, seen_version=1, **options)

        with tenancy.within(book.pk):
            assert list(ProgrammeTerms.objects.order_by("version").values_list("version", flat=True)) == [1, 2]

    @pytest.mark.parametrize(
        ("wrong", "param"),
        [
            ({"rules": [{"kind": "luck"}]}, "rules[0][kind]"),
            ({"rules": [{"kind": "spend", "points": 0, "per_minor": 100}]}, "rules[0][points]"),
            ({"rules": [{"kind": "spend", "points": 1, "per_minor": True}]}, "rules[0][per_minor]"),
            ({"rules": [{"kind": "tier", "tier": "iron", "percent": 150}]}, "rules[0][tier]"),
            ({"rules": [{"kind": "hour", "percent": 150, "from": 9, "to": 9}]}, "rules[0][to]"),
            ({"tiers": [{"key": "a", "name": "A", "threshold": 5}] * 2}, "tiers"),
            ({"redeem_points": 0}, "redeem_minor"),
            ({"pending_days": "7"}, "pending_days"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_refuses_terms_that_nobody_could_keep(self, book, programme, wrong, param):
        with pytest.raises(BadTerms) as refused, tenancy.within(book.pk):
            operations.change(
                programme_id=programme.pk, given={**scheme.TERMS, **wrong}, now=NOW, origin=origin_of(book)
            )

        assert refused.value.param == param


class TestStatement:
    def test_tells_every_entry_with_what_could_be_spent_after_it(self, book, programme, member, friend):
        adjust(book, programme, member, 100)
        scheme.spend(member, programme, 30)
        transfer(book, programme, member, friend, 20)

        with tenancy.within(book.pk):
            lines = queries.statement(member.pk, programme)
            later = queries.statement(member.pk, programme, after=lines[0].cursor)

        assert [(each.kind, each.points, each.balance) for each in lines] == [
            ("points_transferred", -20, 50),
            ("points_spent", -30, 70),
            ("points_adjusted", 100, 100),
        ]
        assert [each.kind for each in later] == ["points_spent", "points_adjusted"]


def give_back(book, programme, source, amount):
    with tenancy.within(book.pk):
        operations.give_back(
            programme=programme,
            source_id=source,
            points=amount,
            reference=f"back:{source}:{amount}",
            source="ord",
            now=book.now,
            origin=origin_of(book),
        )


def transfer(book, programme, giver, taker, amount, reference="transfer"):
    with tenancy.within(book.pk):
        return operations.transfer(
            programme=programme,
            giver_id=giver.pk,
            taker_id=taker.pk,
            points=amount,
            reference=reference,
            now=book.now,
            origin=origin_of(book),
        )
