"""Refunds, expiry, and a merge or its undoing at the same moment, step by step: no point doubled, lost or stranded."""

import threading

import pytest
from django.db import connections

from members.directory import merging
from members.loyalty import operations
from merchant_platform.kernel import ids, tenancy
from tests.architecture.asking import as_owner
from tests.cast import NOW, move_clock, origin_of, race
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY, points
from tests.members.people import hand_of

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]


@pytest.fixture
def programme(book):
    made = scheme.start(book, lifetime_days=30, notice_days=3)
    with tenancy.within(book.pk):
        operations.set_budget(programme_id=made.pk, points=1_000, reference="budget", now=NOW)
    return made


@pytest.fixture
def member(customer, book, programme):
    """A member who was given a hundred points."""
    joined = scheme.join(customer)
    with tenancy.within(book.pk):
        operations.adjust(programme=programme, member_id=joined.pk, points=100, reason="Late", reference="gift",
                          now=NOW, origin=origin_of(book))  # fmt: skip
    return joined


@pytest.fixture
def friend(make_customer, book):
    return scheme.join(make_customer(book, name="Wang Wei"))


@pytest.fixture
def give_back(book, programme):
    """What a refund of a tender of points does."""

    def give(source_id, amount, now=NOW):
        with tenancy.within(book.pk):
            return operations.give_back(programme=programme, source_id=source_id, points=amount,
                                        reference=f"back:{ids.new(now)}", source="ord_test", now=now,
                                        origin=origin_of(book))  # fmt: skip

    return give


def merge(book, loser, winner):
    return merging.merge(loser_id=loser.pk, winner_id=winner.pk, hand=hand_of(book))


def while_open(book, done, other):
    """Do one thing, let the other begin and wait for it, and only then commit. This gives what the other raised."""
    raised = []

    def run():
        try:
            other()
        except Exception as error:
            raised.append(error)
        finally:
            connections.close_all()

    beside = threading.Thread(target=run)
    with tenancy.within(book.pk):
        done()
        beside.start()
        for _ in range(500):
            ((waiting,),) = as_owner("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if waiting or not beside.is_alive():
                break
            beside.join(0.01)
    beside.join(30)
    return raised


class TestGiveBack:
    def test_during_a_merge_goes_to_who_is_left(self, book, programme, member, friend, give_back):
        spent = scheme.spend(member, programme, 60)

        raised = while_open(book, lambda: merge(book, member, friend), lambda: give_back(spent, 60))

        assert (raised, points(member, programme), points(friend, programme)) == ([], (0, 0, 0), (100, 0, 0))
        scheme.assert_proved()

    def test_during_the_undoing_of_a_merge_goes_to_whose_it_was(self, book, programme, member, friend, give_back):
        with tenancy.within(book.pk):
            merged = merge(book, member, friend)
        spent = scheme.spend(friend, programme, 60)

        def undo():
            merging.undo(merge_id=merged.pk, hand=hand_of(book))

        raised = while_open(book, undo, lambda: give_back(spent, 60))

        # Taken from the friend's purse while they were one: it is given back there, and nothing is made of it.
        assert raised == []
        assert points(member, programme)[0] + points(friend, programme)[0] == 100
        scheme.assert_proved()

    def test_at_the_end_of_the_points_is_given_once(self, book, programme, member, give_back):
        spent = scheme.spend(member, programme, 60)
        move_clock(book, NOW + 31 * DAY)

        raised = race(lambda: scheme.settle(member, programme), *[lambda: give_back(spent, 30, NOW + 31 * DAY)] * 3)

        assert sum(isinstance(each, Exception) for each in raised) == 1
        assert points(member, programme) == (60, 0, 0)
        move_clock(book, NOW + 35 * DAY)
        scheme.settle(member, programme)
        assert points(member, programme) == (0, 0, 0)
        scheme.assert_proved()
