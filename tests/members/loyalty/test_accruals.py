"""Orders earn once, after their payment; refunds take back the same share."""

import pytest

from members.loyalty import accruals
from members.loyalty.models import Accrual, Standing
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from payments.orders.models import Order
from tests.cast import NOW, move_clock, origin_of, race, shown
from tests.members.loyalty import scheme
from tests.members.loyalty.scheme import DAY, catch_up, points
from tests.payments import books
from tests.payments.acts import pay, refund

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]


@pytest.fixture
def programme(book):
    return scheme.start(book)


@pytest.fixture
def member(customer):
    return scheme.join(customer)


def paid_orders(book):
    with tenancy.within(book.pk):
        return dict(Order.objects.filter(status="paid").values_list("pk", "created_at"))


class TestAccrue:
    def test_adds_no_row_to_the_payment_of_a_member(self, api, book, customer, wallet_method, member):
        method = wallet_method(customer)
        pay(api, method)
        before = books.counts()
        pay(api, method)
        without = books.added(before)
        scheme.start(book)
        before = books.counts()

        pay(api, method)

        assert books.added(before) == without

    def test_earns_from_the_event_and_waits_for_the_refund_window(
        self, api, book, programme, member, customer, wallet_method
    ):
        pay(api, wallet_method(customer), 12_345)
        at_once = points(member, programme)

        catch_up(book)
        waits = points(member, programme)
        move_clock(book, NOW + 7 * DAY)
        scheme.settle(member, programme)

        assert (at_once, waits) == ((0, 0, 0), (0, 123, 0))
        assert points(member, programme) == (123, 0, 0)
        scheme.assert_proved()

    def test_says_why_and_can_be_replayed(self, api, book, programme, member, customer, wallet_method):
        pay(api, wallet_method(customer), 12_345)
        catch_up(book)

        with tenancy.within(book.pk):
            decision = Decision.objects.get(rule="points_earned")

            assert rules.replay(decision)
        assert decision.reasons == [{"code": "points_spend", "values": {"points": 123}}]

    def test_earns_once_however_often_and_at_once_it_is_told(
        self, api, book, programme, member, customer, wallet_method
    ):
        pay(api, wallet_method(customer), 10_000)
        paid = paid_orders(book)

        def earn():
            with tenancy.within(book.pk):
                return accruals.accrue(paid=paid, now=NOW, origin=origin_of(book))

        made = race(earn, earn, earn)

        assert sorted(made) == [0, 0, 1]
        assert points(member, programme) == (0, 100, 0)

    def test_gives_nothing_for_orders_of_before_nor_of_nobody(self, api, book, programme, customer, wallet_method):
        pay(api, wallet_method(customer), 10_000)
        move_clock(book, NOW + DAY)
        member = scheme.join(customer)

        with tenancy.within(book.pk):
            made = accruals.accrue(paid=paid_orders(book), now=book.now, origin=origin_of(book))

        assert (made, points(member, programme)) == (0, (0, 0, 0))

    def test_lets_the_purchase_earn_at_which_somebody_joins(self, api, book, programme, customer, wallet_method):
        pay(api, wallet_method(customer), 10_000)
        member = scheme.join(customer)

        catch_up(book)

        assert points(member, programme) == (0, 100, 0)

    def test_asks_as_much_of_the_database_for_many_orders_as_for_one(
        self, api, book, programme, member, customer, wallet_method
    ):
        method = wallet_method(customer)
        for _ in range(4):
            pay(api, method, 10_000)
        paid = paid_orders(book)
        (first, *_), counted = list(paid), []

        for chosen in ({first: paid[first]}, paid):
            with tenancy.within(book.pk), scheme.counted() as asked:
                accruals.accrue(paid=chosen, now=NOW, origin=origin_of(book))
            counted.append(len(asked))

        # The first one opens the member's purse.
        assert counted == [24, 19]
        assert points(member, programme) == (0, 400, 0)


class TestTakeBack:
    def test_keeps_the_same_share_rounded_down_and_all_of_it_goes_in_the_end(
        self, api, book, programme, member, customer, wallet_method
    ):
        paid = pay(api, wallet_method(customer), 10_000).json
        catch_up(book)
        seen = []

        for amount in (3_333, 3_333, 3_334):
            refund(api, paid, amount)
            catch_up(book)
            seen.append(points(member, programme))

        assert seen == [(0, 66, 0), (0, 33, 0), (0, 0, 0)]
        scheme.assert_proved()

    def test_owes_what_was_spent_already_and_later_points_pay_it(
        self, api, book, programme, member, customer, wallet_method
    ):
        method = wallet_method(customer)
        paid = pay(api, method, 10_000).json
        catch_up(book)
        move_clock(book, NOW + 7 * DAY)
        scheme.spend(member, programme, 80)

        refund(api, paid)
        catch_up(book)
        owing = points(member, programme)
        pay(api, method, 9_000)
        catch_up(book)
        move_clock(book, NOW + 14 * DAY)
        scheme.settle(member, programme)

        assert owing == (0, 0, 80)
        assert points(member, programme) == (10, 0, 0)
        scheme.assert_proved()

    def test_takes_back_what_was_refunded_before_it_earned(self, api, book, programme, member, customer, wallet_method):
        paid = pay(api, wallet_method(customer), 10_000).json
        refund(api, paid, 2_550)

        catch_up(book)

        with tenancy.within(book.pk):
            accrual = Accrual.objects.get()
        assert (accrual.points, accrual.reversed_points, accrual.returned_minor) == (100, 26, 2_550)
        assert points(member, programme) == (0, 74, 0)

    def test_loses_a_tier_that_was_bought_and_returned(self, api, book, programme, member, customer, wallet_method):
        paid = pay(api, wallet_method(customer), 60_000).json
        catch_up(book)
        with tenancy.within(book.pk):
            reached = Standing.objects.get().tier

        refund(api, paid, 10_001)
        catch_up(book)

        with tenancy.within(book.pk):
            assert (reached, Standing.objects.get().tier) == ("silver", "")


class TestTenancy:
    def test_a_strangers_payment_earns_nothing_here(self, other_api, other_book, other_customer, book, programme):
        scheme.join(other_customer)
        made = other_api.post("payment_intents", {"amount": 1_000, "currency": "cny"})

        catch_up(book)

        assert made.status == 200
        with tenancy.within(book.pk):
            assert not Accrual.objects.exists()
        assert shown("prog", programme)
