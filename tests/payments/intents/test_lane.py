"""Calls that meet go together, and what is wrong with one of them never reaches another."""

import threading
from collections.abc import Sequence

import pytest
from django.db import DatabaseError, connections, transaction

from payments.intents import hot_path, lane
from payments.intents.lane import Lane
from tests.cast import balance_of, owed_to, race, shown, wait_until
from tests.payments import books
from tests.payments.acts import pay

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class Held:
    """A call that the test holds under way: all who come meanwhile are seen to wait."""

    def __init__(self, call):
        self.call = call
        self.parties: list[Sequence] = []
        self.begins, self.ends = threading.Event(), threading.Event()

    def __call__(self, connection, given):
        self.parties.append(list(given))
        if len(self.parties) == 1:
            self.begins.set()
            assert self.ends.wait(30)
        return self.call(connection, given)


def together(lane: Lane, held: Held, first, *others):
    """Acts of which the first holds the lane until the others wait for it. Gives their outcomes, in order."""

    def later(act):
        assert held.begins.wait(30)
        return act()

    def release():
        assert held.begins.wait(30)
        wait_until(lambda: len(lane._waiting) == len(others))
        held.ends.set()

    return race(first, *[lambda act=act: later(act) for act in others], release)[:-1]


class TestGo:
    def test_makes_one_call_for_all_who_wait(self):
        held = Held(lambda connection, given: True)
        ours = Lane(held, at_once=1)

        outcomes = together(ours, held, *[lambda number=number: ours.go(number) for number in range(6)])

        assert outcomes == [True] * 6
        assert held.parties[0] == [0]
        assert [sorted(party) for party in held.parties[1:]] == [[1, 2, 3, 4, 5]]

    def test_makes_a_few_calls_at_once(self):
        meet = threading.Barrier(lane.AT_ONCE)
        used = []

        def call(connection, given):
            used.append(connection)
            meet.wait(30)
            return True

        ours = Lane(call)

        assert race(*[lambda number=number: ours.go(number) for number in range(lane.AT_ONCE)]) == [True] * lane.AT_ONCE
        assert len({id(connection) for connection in used}) == lane.AT_ONCE

    def test_takes_no_more_than_have_room(self, monkeypatch):
        monkeypatch.setattr(lane, "TOGETHER_MAX", 2)
        held = Held(lambda connection, given: True)
        ours = Lane(held, at_once=1)

        outcomes = together(ours, held, *[lambda number=number: ours.go(number) for number in range(6)])

        assert outcomes == [True] * 6
        assert [len(party) for party in held.parties] == [1, 2, 2, 1]

    @pytest.mark.parametrize("refusal", [None, DatabaseError("no"), ValueError("no")])
    def test_tries_each_alone_where_not_all_can_go(self, refusal):
        def call(connection, given):
            if 3 not in given:
                return True
            if refusal is not None:
                raise refusal
            return False

        held = Held(call)
        ours = Lane(held, at_once=1)

        outcomes = together(ours, held, *[lambda number=number: ours.go(number) for number in range(5)])

        # A mistake of ours is not for another try: it reaches whoever led, and the one it is about.
        wrong = [outcome for outcome in outcomes if outcome is not True]
        assert outcomes[3] is (refusal or False)
        assert wrong == [outcomes[3]] * len(wrong)
        assert len(wrong) <= (2 if isinstance(refusal, ValueError) else 1)
        assert sorted(len(party) for party in held.parties) == [1] * (len(held.parties) - 1) + [4]

    def test_asks_once_for_one_that_goes_alone(self):
        asked = []
        ours = Lane(lambda connection, given: asked.append(given))

        assert not ours.go(1)
        assert asked == [[1]]

    def test_is_free_again_after_a_failure(self):
        answers = iter([DatabaseError("gone"), KeyError("a mistake"), True])

        def call(connection, given):
            if isinstance(answer := next(answers), Exception):
                raise answer
            return answer

        ours = Lane(call)

        with pytest.raises(DatabaseError):
            ours.go(1)
        with pytest.raises(KeyError):
            ours.go(1)
        assert ours.go(1) is True

    def test_stays_in_the_callers_transaction(self):
        used = []
        ours = Lane(lambda connection, given: used.append(connection) or True)

        with transaction.atomic():
            assert ours.go(1) is True
        ours.go(1)

        assert used == [connections["default"], ours.connection]
        assert ours.connection is not connections["default"]

    def test_connects_again_after_the_server_was_gone(self, api, customer, wallet_method):
        method = wallet_method(customer)
        assert pay(api, method, 1_000).status == 200
        assert pay(api, method, 1_000).status == 200
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(%s, 5000)", [hot_path.wallets.connection.connection.get_backend_pid()]
            )

        statuses = [pay(api, method, 1_000, key=f"after {number}").status for number in range(3)]

        # Whether it was written nobody knows: the key says it when it is asked again.
        assert statuses == [503, 200, 200]


@pytest.fixture
def held(monkeypatch):
    """The lane of the payments with room for one call at a time, so that the others meet."""
    held = Held(hot_path.wallets._call)
    monkeypatch.setattr(hot_path.wallets, "_idle", hot_path.wallets._idle[-1:])
    monkeypatch.setattr(hot_path.wallets, "_call", held)
    return held


@pytest.fixture
def open_accounts(api, customer, wallet_method):
    """The first payment of a book opens its accounts, which takes the general road."""
    assert pay(api, wallet_method(customer), 1_000).status == 200


@pytest.mark.usefixtures("open_accounts")
@pytest.mark.requirement("A12")
class TestPaymentsTogether:
    def pay(self, api, held, *payments):
        return together(hot_path.wallets, held, *[lambda p=p: pay(api, p[0], p[1], key=p[2]) for p in payments])

    def test_are_all_written(self, api, book, customer, make_customer, wallet_method, held):
        methods = [wallet_method(customer, 5_000), *[wallet_method(make_customer(book), 5_000) for _ in range(3)]]
        before = owed_to(book)

        replies = self.pay(api, held, *[(method, 1_000 + n, f"key {n}") for n, method in enumerate(methods)])

        assert [reply.status for reply in replies] == [200] * 4
        assert [reply.json["amount"] for reply in replies] == [1_000, 1_001, 1_002, 1_003]
        assert [reply.json["payment_method"] for reply in replies] == [shown("pm", method) for method in methods]
        assert [balance_of(method).posted_minor for method in methods] == [4_000, 3_999, 3_998, 3_997]
        assert owed_to(book) - before == 4_006 - 4 * 4
        assert [len(party) for party in held.parties] == [1, 3]
        books.assert_agree()

    def test_of_two_merchants_stay_apart(
        self, api, other_api, book, other_book, customer, other_customer, wallet_method, held
    ):
        ours, theirs = wallet_method(customer, 5_000), wallet_method(other_customer, 5_000)
        held.parties.append([])  # it holds nobody yet: first the accounts of the other book
        assert pay(other_api, theirs, 1_000).status == 200
        held.parties.clear()
        before = owed_to(book), owed_to(other_book)

        replies = together(
            hot_path.wallets,
            held,
            lambda: pay(api, ours, 100),
            lambda: pay(api, ours, 200),
            lambda: pay(other_api, theirs, 400),
        )

        assert [reply.status for reply in replies] == [200] * 3
        assert [len(party) for party in held.parties] == [1, 2]
        assert (owed_to(book) - before[0], owed_to(other_book) - before[1]) == (100 + 200 - 1, 400 - 2)
        assert other_api.get(f"payment_intents/{replies[1].json['id']}").status == 404
        books.assert_agree()

    def test_decline_the_one_that_lacks_money(self, api, book, customer, make_customer, wallet_method, held):
        rich, poor = wallet_method(customer, 5_000), wallet_method(make_customer(book), 10)

        replies = self.pay(api, held, (rich, 1_000, "a"), (poor, 1_000, "b"), (rich, 1_000, "c"), (rich, 1_000, "d"))

        assert [reply.status for reply in replies] == [200, 402, 200, 200]
        assert (balance_of(rich).posted_minor, balance_of(poor).posted_minor) == (2_000, 10)
        books.assert_agree()

    def test_take_no_more_than_a_wallet_has(self, api, customer, wallet_method, held):
        method = wallet_method(customer, 2_500)

        replies = self.pay(api, held, *[(method, 1_000, f"key {n}") for n in range(5)])

        assert sorted(reply.status for reply in replies) == [200, 200, 402, 402, 402]
        assert balance_of(method).posted_minor == 500
        books.assert_agree()

    def test_are_one_under_one_key(self, api, customer, wallet_method, held):
        method = wallet_method(customer, 5_000)

        replies = self.pay(api, held, *[(method, 1_000, "one key")] * 5)

        assert [reply.status for reply in replies] == [200] * 5
        assert len({reply.json["id"] for reply in replies}) == 1
        assert balance_of(method).posted_minor == 4_000
        books.assert_agree()
