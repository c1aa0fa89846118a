"""Totals stay exact while checkpoints move under them, whoever writes at that moment.

How far a checkpoint comes depends on every transaction of the cluster, so sums are
asserted, never a checkpoint's place.
"""

import threading

import pytest
from django.db import transaction

from merchant_platform.kernel import tenancy
from payments.ledger import checkpoints, queries
from payments.ledger import operations as ledger
from tests.cast import race
from tests.payments import books
from tests.payments.ledger.postings import opened, post, sale, total

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def checkpoint_and_tail(account):
    """What the checkpoint says and what the transfers since say: they are the total, in whatever parts."""
    return books.run(
        "SELECT coalesce(c.posted_minor, 0), coalesce(sum(CASE WHEN t.credit_account_id = a.id THEN t.amount_minor"
        " ELSE -t.amount_minor END) FILTER (WHERE t.xid >= coalesce(c.xid, '0'::xid8)), 0)"
        " FROM payments_account a LEFT JOIN payments_checkpoint c ON c.account_id = a.id"
        " LEFT JOIN payments_transfer t ON a.id IN (t.credit_account_id, t.debit_account_id)"
        " WHERE a.id = %s GROUP BY c.posted_minor",
        account.id,
    )[0]


class LateWriter:
    """A transaction on a connection of its own that has posted and does not commit until it is told to."""

    def __init__(self, book_id, *drafts):
        self._has_posted, self._may_commit = threading.Event(), threading.Event()
        self._outcome: list[None] = []
        self._thread = threading.Thread(target=lambda: self._outcome.extend(race(lambda: self._write(book_id, drafts))))
        self._thread.start()
        assert self._has_posted.wait(60)

    def _write(self, book_id, drafts):
        with tenancy.within(book_id):
            ledger.post_many(drafts)
            self._has_posted.set()
            assert self._may_commit.wait(60)

    def commit(self):
        self._may_commit.set()
        self._thread.join(60)
        assert self._outcome == [None]


class TestRollForward:
    def test_keeps_the_total(self, book, wallet, shop, fees, bank):
        post(book.pk, sale(wallet, shop, 1_000, fee_minor=4))
        before = [total(account) for account in (shop, fees, bank)]

        checkpoints.roll_forward()
        post(book.pk, sale(wallet, shop, 500))

        assert before == [996, 4, 10_000]
        assert [total(account) for account in (shop, fees, bank)] == [1_496, 4, 10_000]
        assert [sum(checkpoint_and_tail(account)) for account in (shop, fees, bank)] == [1_496, 4, -10_000]
        books.assert_agree()

    def test_makes_no_checkpoint_of_a_guarded_account(self, book, wallet, shop):
        post(book.pk, sale(wallet, shop, 1_000))

        checkpoints.roll_forward()

        assert books.run("SELECT count(*) FROM payments_checkpoint WHERE account_id = %s", wallet.id) == [(0,)]

    def test_counts_a_transaction_that_was_open_meanwhile_exactly_once(self, book, wallet, other_wallet, shop):
        post(book.pk, sale(wallet, shop, 1_000))
        late = LateWriter(book.pk, sale(other_wallet, shop, 70))
        post(book.pk, sale(wallet, shop, 200))

        checkpoints.roll_forward()
        while_open = total(shop)
        late.commit()
        after_commit = total(shop)
        post(book.pk, sale(wallet, shop, 3))
        checkpoints.roll_forward()

        assert (while_open, after_commit, total(shop)) == (1_200, 1_270, 1_273)
        assert sum(checkpoint_and_tail(shop)) == 1_273
        books.assert_agree()

    def test_counts_many_open_transactions_exactly_once(self, book, other_book, wallet, other_wallet, shop):
        other_shop = opened(other_book.pk, "merchant")
        first = LateWriter(book.pk, sale(wallet, shop, 1))
        for _ in range(3):
            post(book.pk, sale(other_wallet, shop, 10))
            checkpoints.roll_forward()
        second = LateWriter(other_book.pk, sale(other_wallet, other_shop, 100))
        first.commit()
        checkpoints.roll_forward()
        checkpoints.roll_forward()
        second.commit()
        checkpoints.roll_forward()

        assert (total(shop), total(other_shop)) == (31, 100)
        books.assert_agree()

    def test_does_not_count_what_was_rolled_back(self, book, wallet, shop):
        post(book.pk, sale(wallet, shop, 1_000))

        with tenancy.within(book.pk):
            ledger.post(sale(wallet, shop, 5_000))
            checkpoints.roll_forward()
            transaction.set_rollback(True)
        checkpoints.roll_forward()

        assert total(shop) == 1_000
        books.assert_agree()

    def test_may_run_twice_at_once(self, book, wallet, shop):
        for amount in (1_000, 200, 30):
            post(book.pk, sale(wallet, shop, amount))
            outcomes = race(checkpoints.roll_forward, checkpoints.roll_forward, checkpoints.roll_forward)
            # The slower ones find that the checkpoint has moved already, or nothing left to do.
            assert [type(outcome) for outcome in outcomes] == [int, int, int]

        assert total(shop) == 1_230
        books.assert_agree()

    def test_under_payments_loses_and_doubles_nothing(self, book, wallet, other_wallet, shop, fees):
        seen = []

        def pay(source):
            for _ in range(25):
                post(book.pk, sale(source, shop, 7, fee_minor=1))

        def roll():
            for _ in range(25):
                checkpoints.roll_forward()

        def read():
            for _ in range(25):
                seen.append(total(shop))

        outcomes = race(lambda: pay(wallet), lambda: pay(other_wallet), roll, roll, read)

        assert outcomes == [None] * 5
        assert seen == sorted(seen)
        assert {each % 6 for each in seen} == {0}
        assert total(shop) == 300
        checkpoints.roll_forward()
        assert sum(checkpoint_and_tail(shop)) == 300
        books.assert_agree()


class TestTotals:
    def test_are_zero_for_an_account_that_nobody_opened(self, book, platform):
        stranger = opened(book.pk, "merchant")

        assert total(stranger) == 0

    def test_stand_on_their_own_side(self, book, wallet, shop, bank):
        post(book.pk, sale(wallet, shop, 1_000))

        with tenancy.within(bank.owner_id):
            assert queries.totals([bank]) == [10_000]

    def test_of_another_book_are_not_seen(self, book, other_book, wallet, shop):
        post(book.pk, sale(wallet, shop, 1_000))
        checkpoints.roll_forward()

        with tenancy.within(other_book.pk):
            assert queries.total(shop) == 0

    def test_are_one_query_however_many(self, book, wallet, shop, fees, django_assert_num_queries):
        post(book.pk, sale(wallet, shop, 1_000, fee_minor=4))

        with tenancy.within(book.pk), django_assert_num_queries(1):
            assert queries.totals([shop, fees]) == [996, 4]


class TestStatement:
    def test_pages_over_all_books_newest_first(self, book, other_book, wallet, shop):
        other_shop = opened(other_book.pk, "merchant")
        for number in range(1, 6):
            post(book.pk, sale(wallet, shop, number))
            post(other_book.pk, sale(wallet, other_shop, number * 10))

        paged, before = [], None
        while page := queries.statement(wallet, before=before, limit=3):
            paged += page
            before = (page[-1].xid, page[-1].id)

        assert [line.amount_minor for line in paged] == [-50, -5, -40, -4, -30, -3, -20, -2, -10, -1, 10_000]
        assert {line.book_id for line in paged[:10]} == {book.pk, other_book.pk}
        assert [line.kind for line in paged[-2:]] == ["sale", "top_up"]
        assert sum(line.amount_minor for line in paged) == queries.guarded(wallet).posted_minor
