"""The ledger's verbs: each moves what it says, refuses, happens once, and stands a race."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connections

from merchant_platform.kernel import clock, tenancy
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.ledger.models import AccountBalance, Entry, Hold, HoldOutcome, Transfer
from tests.cast import NOW, move_clock, race
from tests.payments import books
from tests.payments.ledger.postings import gift, held, opened, post, raised, sale, total

LATER = NOW + timedelta(hours=2)
pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


class TestOpenAccounts:
    def test_writes_a_balance_row_for_guarded_accounts_alone(self, book):
        wallet = chart.wallet(uuid4(), "CNY", "test")
        shop = chart.merchant(book.pk, "CNY", "test")

        with tenancy.within(book.pk):
            ledger.open_accounts([wallet, shop])

        assert held(wallet) == (0, 0)
        assert not AccountBalance.objects.filter(pk=shop.id).exists()

    def test_changes_nothing_the_second_time(self, book, wallet, shop):
        with books.unchanged(), tenancy.within(book.pk):
            ledger.open_accounts([wallet, shop, shop])


class TestPost:
    def test_moves_the_amount_and_the_fee(self, book, wallet, shop, fees, bank):
        draft = sale(wallet, shop, 4_000, fee_minor=15)

        post(book.pk, draft)

        assert held(wallet) == (6_000, 0)
        assert (total(shop), total(fees), total(bank)) == (3_985, 15, 10_000)
        books.assert_agree()

    def test_writes_the_entry_and_a_transfer_a_line(self, book, wallet, shop, fees):
        draft = sale(wallet, shop, 4_000, fee_minor=15)

        post(book.pk, draft)

        with tenancy.within(book.pk):
            entry = Entry.objects.get(pk=draft.id)
            transfers = Transfer.objects.filter(entry=entry).order_by("pk")
            moved = [
                (each.debit_account_id, each.credit_account_id, each.amount_minor, each.unit) for each in transfers
            ]
        assert (entry.reference, entry.kind, entry.unit) == (draft.reference, "sale", "CNY/2")
        assert (entry.amount_minor, entry.fee_minor, entry.net_minor) == (4_000, 15, 3_985)
        assert (entry.effective_at, entry.available_at) == (NOW, NOW)
        assert moved == [(wallet.id, shop.id, 4_000, "CNY/2"), (shop.id, fees.id, 15, "CNY/2")]

    def test_takes_the_last_unit(self, book, wallet, shop):
        post(book.pk, sale(wallet, shop, 10_000))

        assert held(wallet) == (0, 0)

    def test_refuses_more_than_there_is_and_leaves_nothing(self, book, wallet, shop):
        with books.unchanged(), pytest.raises(ledger.InsufficientFunds) as refused:
            post(book.pk, sale(wallet, shop, 10_001))

        assert refused.value.code == "insufficient_funds"

    def test_refuses_what_is_reserved(self, book, wallet, shop):
        with tenancy.within(book.pk):
            ledger.reserve(account=wallet, amount_minor=1, reference="table 7", now=NOW)

        with books.unchanged(), pytest.raises(ledger.InsufficientFunds):
            post(book.pk, sale(wallet, shop, 10_000))

    def test_happens_once_an_entry(self, book, wallet, shop):
        post(book.pk, sale(wallet, shop, 100, reference="order 1"))

        with books.unchanged(), pytest.raises(ledger.AlreadyPosted) as refused:
            post(book.pk, sale(wallet, shop, 200, reference="order 1"))

        assert refused.value.code == "already_posted"

    def test_lets_every_book_use_a_reference(self, book, other_book, wallet, shop):
        other_shop = opened(other_book.pk, "merchant")

        post(book.pk, sale(wallet, shop, 100, reference="order 1"))
        post(other_book.pk, sale(wallet, other_shop, 200, reference="order 1"))

        assert (total(shop), total(other_shop)) == (100, 200)
        books.assert_agree()

    def test_needs_an_open_book(self, wallet, shop):
        with books.unchanged(), pytest.raises(tenancy.NoBook):
            ledger.post(sale(wallet, shop, 100))

    def test_happens_once_of_two_at_once(self, book, wallet, shop):
        def pay():
            post(book.pk, sale(wallet, shop, 100, reference="order 1"))

        outcomes = race(pay, pay)

        assert raised(outcomes, ledger.AlreadyPosted) == 1
        assert (held(wallet), total(shop)) == ((9_900, 0), 100)
        books.assert_agree()

    def test_spends_the_same_money_once_of_many_at_once(self, book, wallet, shop):
        outcomes = race(*[lambda: post(book.pk, sale(wallet, shop, 3_000)) for _ in range(12)])

        assert raised(outcomes, ledger.InsufficientFunds) == 9
        assert (held(wallet), total(shop)) == ((1_000, 0), 9_000)
        books.assert_agree()

    def test_waits_in_no_circle_where_two_pay_each_other(self, book, wallet, other_wallet):
        def there():
            for _ in range(20):
                post(book.pk, gift(wallet, other_wallet, 10))

        def back():
            for _ in range(20):
                post(book.pk, gift(other_wallet, wallet, 10))

        outcomes = race(there, back, there, back)

        assert outcomes == [None, None, None, None]
        assert (held(wallet), held(other_wallet)) == ((10_000, 0), (10_000, 0))
        books.assert_agree()


class TestPostMany:
    def test_posts_all_or_nothing(self, book, wallet, shop):
        with books.unchanged(), pytest.raises(ledger.InsufficientFunds):
            post(book.pk, sale(wallet, shop, 100), sale(wallet, shop, 9_901))

    def test_counts_what_comes_in_against_what_goes_out(self, book, wallet, other_wallet, shop):
        post(book.pk, gift(other_wallet, wallet, 5_000), sale(wallet, shop, 15_000))

        assert (held(wallet), held(other_wallet), total(shop)) == ((0, 0), (5_000, 0), 15_000)
        books.assert_agree()

    def test_waits_in_no_circle(self, book, shop, wallet, other_wallet):
        def pay(first, second):
            for _ in range(20):
                post(book.pk, sale(first, shop, 10), sale(second, shop, 10))

        outcomes = race(lambda: pay(wallet, other_wallet), lambda: pay(other_wallet, wallet))

        assert outcomes == [None, None]
        assert (held(wallet), held(other_wallet), total(shop)) == ((9_600, 0), (9_600, 0), 800)


class TestLine:
    def test_says_nothing_unbalanced(self, book):
        wallet, shop = chart.wallet(uuid4(), "CNY", "test"), chart.merchant(book.pk, "CNY", "test")
        dollars = chart.merchant(book.pk, "USD", "test")

        for debit, credit, amount in ((wallet, shop, 0), (wallet, shop, -1), (shop, shop, 1), (wallet, dollars, 1)):
            with pytest.raises(ledger.Unbalanceable):
                ledger.Line(debit, credit, amount)


class TestReserve:
    def test_sets_aside_without_moving(self, book, wallet):
        expires_at = clock.wall() + timedelta(days=7)

        with tenancy.within(book.pk):
            hold = ledger.reserve(
                account=wallet, amount_minor=4_000, reference="table 7", now=NOW, expires_at=expires_at
            )
            found = Hold.objects.get(pk=hold.pk)

        assert held(wallet) == (10_000, 4_000)
        assert (found.amount_minor, found.unit, found.reference) == (4_000, "CNY/2", "table 7")
        assert found.expires_at == expires_at
        books.assert_agree()

    def test_refuses_more_than_is_free(self, book, wallet):
        with tenancy.within(book.pk):
            ledger.reserve(account=wallet, amount_minor=6_000, reference="table 7", now=NOW)

        with books.unchanged(), pytest.raises(ledger.InsufficientFunds), tenancy.within(book.pk):
            ledger.reserve(account=wallet, amount_minor=4_001, reference="table 8", now=NOW)

    def test_happens_once_a_reference(self, book, wallet):
        with tenancy.within(book.pk):
            ledger.reserve(account=wallet, amount_minor=10, reference="table 7", now=NOW)

        with books.unchanged(), pytest.raises(ledger.AlreadyPosted), tenancy.within(book.pk):
            ledger.reserve(account=wallet, amount_minor=10, reference="table 7", now=NOW)

    def test_refuses_nothing_less_than_nothing_and_a_total(self, book, wallet, shop):
        for account, amount in ((wallet, 0), (wallet, -1), (shop, 1)):
            with books.unchanged(), pytest.raises(ledger.Unbalanceable), tenancy.within(book.pk):
                ledger.reserve(account=account, amount_minor=amount, reference="table 7", now=NOW)

    def test_sets_aside_what_there_is_once_of_many_at_once(self, book, wallet):
        def reserve(number):
            with tenancy.within(book.pk):
                ledger.reserve(account=wallet, amount_minor=3_000, reference=f"table {number}", now=NOW)

        outcomes = race(*[lambda number=number: reserve(number) for number in range(8)])

        assert raised(outcomes, ledger.InsufficientFunds) == 5
        assert held(wallet) == (10_000, 9_000)
        books.assert_agree()


@pytest.fixture
def hold(book, wallet):
    """¥40.00 of the wallet's ¥100.00, set aside for an hour."""
    with tenancy.within(book.pk):
        return ledger.reserve(
            account=wallet, amount_minor=4_000, reference="table 7", now=NOW, expires_at=NOW + timedelta(hours=1)
        )


@pytest.fixture
def complete(book, hold, wallet, shop):
    """Completes the hold by a sale: `complete(2_500)`."""

    def do(amount_minor, **words):
        with tenancy.within(book.pk):
            ledger.complete(hold=hold, account=wallet, draft=sale(wallet, shop, amount_minor, **words), now=NOW)

    return do


@pytest.fixture
def void(book, hold, wallet):
    """Gives the hold back."""

    def do():
        with tenancy.within(book.pk):
            ledger.void(hold=hold, account=wallet, now=NOW)

    return do


class TestComplete:
    def test_takes_all_of_it(self, book, wallet, shop, fees, hold, complete):
        complete(4_000, fee_minor=15)

        with tenancy.within(book.pk):
            outcome = HoldOutcome.objects.get(hold=hold)
        assert (outcome.kind, outcome.completed_minor) == ("complete", 4_000)
        assert (held(wallet), total(shop), total(fees)) == ((6_000, 0), 3_985, 15)
        books.assert_agree()

    def test_of_less_releases_the_rest(self, wallet, shop, complete):
        complete(2_500)

        assert (held(wallet), total(shop)) == ((7_500, 0), 2_500)
        books.assert_agree()

    def test_refuses_more_than_was_set_aside(self, complete):
        with books.unchanged(), pytest.raises(ledger.HoldTooSmall) as refused:
            complete(4_001)

        assert refused.value.code == "hold_too_small"

    def test_refuses_an_entry_that_takes_from_elsewhere(self, book, wallet, other_wallet, shop, hold):
        with books.unchanged(), pytest.raises(ledger.Unbalanceable), tenancy.within(book.pk):
            ledger.complete(hold=hold, account=wallet, draft=sale(other_wallet, shop, 100), now=NOW)

    def test_refuses_another_account_than_the_holds(self, book, other_wallet, shop, hold):
        with books.unchanged(), pytest.raises(ledger.Unbalanceable), tenancy.within(book.pk):
            ledger.complete(hold=hold, account=other_wallet, draft=sale(other_wallet, shop, 100), now=NOW)

    def test_happens_once(self, complete):
        complete(1_000)

        with books.unchanged(), pytest.raises(ledger.AlreadySettled) as refused:
            complete(1_000)

        assert refused.value.code == "hold_settled"

    def test_is_refused_after_a_void(self, void, complete):
        void()

        with books.unchanged(), pytest.raises(ledger.AlreadySettled):
            complete(1_000)

    def test_leaves_the_hold_open_where_the_entry_was_posted_before(self, wallet, complete, book, shop):
        post(book.pk, sale(wallet, shop, 10, reference="order 1"))

        with books.unchanged(), pytest.raises(ledger.AlreadyPosted):
            complete(1_000, reference="order 1")


class TestVoid:
    def test_gives_all_of_it_back(self, book, wallet, hold, void):
        void()

        with tenancy.within(book.pk):
            outcome = HoldOutcome.objects.get(hold=hold)
        assert (outcome.kind, outcome.completed_minor, outcome.entry_id) == ("void", 0, None)
        assert held(wallet) == (10_000, 0)
        books.assert_agree()

    def test_happens_once(self, void):
        void()

        with books.unchanged(), pytest.raises(ledger.AlreadySettled):
            void()

    def test_is_refused_after_a_completion(self, void, complete):
        complete(1)

        with books.unchanged(), pytest.raises(ledger.AlreadySettled):
            void()

    def test_refuses_another_account_than_the_holds(self, book, hold, other_wallet):
        with books.unchanged(), pytest.raises(ledger.Unbalanceable), tenancy.within(book.pk):
            ledger.void(hold=hold, account=other_wallet, now=NOW)

    def test_and_complete_at_once_leave_exactly_one(self, book, wallet, shop):
        def settle(number):
            with tenancy.within(book.pk):
                hold = ledger.reserve(account=wallet, amount_minor=100, reference=f"table {number}", now=NOW)

            def complete():
                with tenancy.within(book.pk):
                    ledger.complete(hold=hold, account=wallet, draft=sale(wallet, shop, 100), now=NOW)
                return "completed"

            def void():
                with tenancy.within(book.pk):
                    ledger.void(hold=hold, account=wallet, now=NOW)
                return "voided"

            return race(complete, void)

        rounds = [settle(number) for number in range(12)]

        assert [raised(outcomes, ledger.AlreadySettled) for outcomes in rounds] == [1] * 12
        completed = sum("completed" in outcomes for outcomes in rounds)
        assert (held(wallet), total(shop)) == ((10_000 - 100 * completed, 0), 100 * completed)
        books.assert_agree()


class TestVoidExpired:
    def test_gives_back_what_is_past_its_time(self, book, wallet, hold):
        move_clock(book, NOW + timedelta(minutes=59))
        assert ledger.void_expired(now=LATER) == 0
        assert held(wallet) == (10_000, 4_000)

        move_clock(book, NOW + timedelta(hours=1))
        assert ledger.void_expired(now=LATER) == 1

        assert held(wallet) == (10_000, 0)
        with tenancy.within(book.pk):
            assert HoldOutcome.objects.get().effective_at == NOW + timedelta(hours=1)
        assert ledger.void_expired(now=LATER) == 0
        books.assert_agree()

    def test_gives_back_what_was_forgotten_for_years(self, book, wallet, hold):
        move_clock(book, NOW + timedelta(days=3_650))

        assert ledger.void_expired(now=NOW) == 1

        assert held(wallet) == (10_000, 0)
        books.assert_agree()

    def test_goes_by_the_worlds_time_where_a_book_has_no_clock(self, book, wallet, hold):
        move_clock(book, None)

        assert ledger.void_expired(now=NOW + timedelta(minutes=59)) == 0
        assert ledger.void_expired(now=NOW + timedelta(hours=1)) == 1

        assert held(wallet) == (10_000, 0)

    def test_leaves_what_was_completed(self, book, wallet, complete):
        complete(1_000)
        move_clock(book, LATER)

        assert ledger.void_expired(now=LATER) == 0
        assert held(wallet) == (9_000, 0)

    def test_reaches_every_book(self, book, other_book, wallet, hold):
        move_clock(book, LATER)
        with tenancy.within(other_book.pk):
            ledger.reserve(account=wallet, amount_minor=1, reference="elsewhere", now=NOW, expires_at=NOW)

        assert ledger.void_expired(now=LATER) == 2
        assert held(wallet) == (10_000, 0)

    def test_runs_anywhere_twice(self, book, wallet):
        for number in range(10):
            with tenancy.within(book.pk):
                ledger.reserve(account=wallet, amount_minor=100, reference=f"table {number}", now=NOW, expires_at=NOW)

        outcomes = race(*[lambda: ledger.void_expired(now=NOW) for _ in range(3)])

        assert sum(outcomes) == 10
        assert held(wallet) == (10_000, 0)
        books.assert_agree()

    def test_and_complete_at_once_leave_exactly_one(self, book, wallet, shop, complete):
        move_clock(book, LATER)

        outcomes = race(lambda: ledger.void_expired(now=LATER), lambda: complete(4_000))

        completed = raised(outcomes, ledger.AlreadySettled) == 0
        assert (held(wallet), total(shop)) == (((6_000, 0), 4_000) if completed else ((10_000, 0), 0))
        assert outcomes[0] == (0 if completed else 1)
        books.assert_agree()


class TestReverse:
    def test_turns_every_transfer_round(self, book, wallet, shop, fees):
        draft = sale(wallet, shop, 4_000, fee_minor=15)
        post(book.pk, draft)

        with tenancy.within(book.pk):
            entry = Entry.objects.get(pk=draft.id)
            mirror = ledger.reverse(entry=entry, kind="reversal", now=NOW)

        assert (mirror.amount_minor, mirror.fee_minor) == (-4_000, -15)
        assert (held(wallet), total(shop), total(fees)) == ((10_000, 0), 0, 0)
        books.assert_agree()

    def test_happens_once_an_entry(self, book, wallet, shop):
        draft = sale(wallet, shop, 4_000)
        post(book.pk, draft)

        def reverse():
            with tenancy.within(book.pk):
                entry = Entry.objects.get(pk=draft.id)
                ledger.reverse(entry=entry, kind="reversal", now=NOW)

        outcomes = race(reverse, reverse)

        assert raised(outcomes, ledger.AlreadyPosted) == 1
        assert (held(wallet), total(shop)) == ((10_000, 0), 0)
        books.assert_agree()

    def test_refuses_what_a_wallet_has_spent(self, book, wallet, other_wallet, shop):
        draft = gift(other_wallet, wallet, 5_000)
        post(book.pk, draft)
        post(book.pk, sale(wallet, shop, 12_000))

        with tenancy.within(book.pk):
            entry = Entry.objects.get(pk=draft.id)

        with books.unchanged(), pytest.raises(ledger.InsufficientFunds), tenancy.within(book.pk):
            ledger.reverse(entry=entry, kind="reversal", now=NOW)


class TestFacts:
    """Entries, transfers, accounts, holds and their outcomes are facts: nobody but the owner can change them."""

    @pytest.mark.parametrize("role", ["default", "platform"])
    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
    @pytest.mark.parametrize(
        "table", ["payments_account", "payments_entry", "payments_hold", "payments_holdoutcome", "payments_transfer"]
    )
    def test_are_not_changed(self, book, wallet, shop, complete, role, statement, table):
        complete(1_000)

        refused = pytest.raises(DatabaseError, match="permission denied")

        with books.unchanged(), refused, tenancy.within(book.pk, using=role), connections[role].cursor() as cursor:
            cursor.execute(statement.format(table))


class TestClock:
    def test_is_the_books(self, book, wallet, shop):
        move_clock(book, NOW + timedelta(days=400))
        draft = sale(wallet, shop, 100, now=book.now)

        post(book.pk, draft)

        with tenancy.within(book.pk):
            assert Entry.objects.get(pk=draft.id).effective_at == NOW + timedelta(days=400)
