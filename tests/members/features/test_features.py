"""Figures of members: exact, of those alone who allow them, and up with what they buy."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from members.directory import merging, operations
from members.features import computing, queries, sums
from members.features import models as tables
from members.features import operations as features
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events import relay
from security.audit.operations import PLATFORM
from security.privacy import operations as consents
from tests.cast import NOW, move_clock, origin_of, shown
from tests.members.people import hand_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner", "platform"])
ORDERS = [("Coffee", 2_800), ("Coffee", 2_800), ("Tea", 3_000)]


@pytest.fixture
def buy(api, book, wallet_method):
    """Somebody buys: an order of one line with a category, paid from a wallet at a time."""

    def go(customer, category, amount, at):
        move_clock(book, at)
        product = api.post("products", {"name": category, "metadata": {"n": "1"}}).json
        line = {"description": category, "unit_amount": amount, "quantity": 1, "category": category}
        order = api.post("orders", {"currency": "cny", "customer": shown("cus", customer), "line_items": [line]})
        assert order.status == 200, order.json
        paid = api.post(
            "payment_intents",
            {
                "amount": amount,
                "currency": "cny",
                "customer": shown("cus", customer),
                "payment_method": shown("pm", wallet_method(customer, 50_000)),
                "payment_details": {"order_reference": order.json["id"]},
                "confirm": True,
            },
        )
        assert (paid.status, product["object"]) == (200, "product"), paid.json
        return paid.json

    return go


def allow(book, customer, *purposes):
    with tenancy.within(book.pk):
        for purpose in purposes:
            consents.grant(customer_id=customer.pk, purpose=purpose, source="test", now=book.now, actor=PLATFORM)


def enrol(book, customer):
    with tenancy.within(book.pk):
        return operations.enrol(customer_id=customer.pk, source="api", now=book.now, origin=origin_of(book))


def of(book, member):
    with tenancy.within(book.pk):
        return queries.of(member.pk, now=book.now)


def run_reactions():
    while relay.run_once(now=NOW + timedelta(days=9_999)):
        pass


class TestCompute:
    @pytest.mark.requirement("A47")
    def test_says_what_the_orders_of_a_year_say(self, api, book, customer, buy):
        allow(book, customer, "profile")
        member = enrol(book, customer)
        for number, (category, amount) in enumerate(ORDERS):
            paid = buy(customer, category, amount, NOW + timedelta(days=7 * number))
        assert api.post("refunds", {"payment_intent": paid["id"], "amount": 500}).status == 200
        move_clock(book, NOW + timedelta(days=28))

        with tenancy.within(book.pk), CaptureQueriesContext(connections["default"]) as asked:
            assert computing.compute(book=book, now=book.now) == (1, 0)

        assert len(asked) == 1
        figures = of(book, member)
        assert (figures.frequency, figures.spent_minor, figures.average_minor) == (3, 8_100, 2_700)
        assert (figures.recency_days, figures.gap_days) == (14, 7.0)
        # 09:30 UTC is 17:30 in Shanghai, on Mondays.
        assert (figures.favourite_hour, figures.favourite_weekday, figures.hours) == (17, 0, {"17": 3})
        assert (figures.favourite_category, figures.categories) == ("Coffee", {"Coffee": 5_600, "Tea": 2_500})
        assert (figures.usual_method, figures.methods) == ("wallet", {"wallet": 3})
        assert (figures.version, figures.churn_risk) == (1, 0.6321)

    def test_forgets_what_is_older_than_a_year(self, book, customer, buy):
        allow(book, customer, "profile")
        member = enrol(book, customer)
        buy(customer, "Coffee", 2_800, NOW)
        move_clock(book, NOW + timedelta(days=366))

        with tenancy.within(book.pk):
            computing.compute(book=book, now=book.now)

        assert of(book, member) == queries.Features()


@pytest.mark.requirement("A25")
class TestConsent:
    def test_without_one_nothing_is_kept(self, book, customer, buy):
        allow(book, customer, "marketing")
        member = enrol(book, customer)
        buy(customer, "Coffee", 2_800, NOW)

        features.refresh_all()

        assert of(book, member) == queries.Features()
        with tenancy.within(book.pk):
            assert tables.Features.objects.count() == 0

    @pytest.mark.parametrize("purpose", computing.PURPOSES)
    def test_given_brings_the_figures_and_taken_back_takes_them(self, book, customer, buy, purpose):
        member = enrol(book, customer)
        buy(customer, "Coffee", 2_800, NOW)

        allow(book, customer, purpose)
        run_reactions()
        assert of(book, member).frequency == 1
        with tenancy.within(book.pk):
            consents.withdraw(customer_id=customer.pk, purpose=purpose, source="wallet", now=book.now, actor=PLATFORM)
        run_reactions()
        assert of(book, member) == queries.Features()


class TestRefresh:
    def test_finds_who_bought_since_the_last_time_and_nobody_else(self, book, other_book, customer, buy):
        allow(book, customer, "profile")
        member = enrol(book, customer)
        assert features.refresh(at=NOW) == 6  # the first time: every book there is
        buy(customer, "Coffee", 2_800, NOW)

        assert of(book, member).frequency == 0
        assert features.refresh(at=NOW) == 1
        assert of(book, member).frequency == 1
        assert features.refresh(at=NOW) == 0

    def test_follows_a_merge_and_its_undoing(self, book, customer, make_customer, buy):
        other = make_customer(book, name="Lin M")
        allow(book, customer, "profile")
        allow(book, other, "profile")
        winner, loser = enrol(book, customer), enrol(book, other)
        buy(customer, "Coffee", 2_800, NOW)
        buy(other, "Tea", 3_000, NOW)
        features.refresh_all()

        with tenancy.within(book.pk):
            merged = merging.merge(loser_id=loser.pk, winner_id=winner.pk, hand=hand_of(book))
        assert (of(book, winner).spent_minor, of(book, loser).spent_minor) == (5_800, 0)
        with tenancy.within(book.pk):
            merging.undo(merge_id=merged.pk, hand=hand_of(book))
        assert (of(book, winner).spent_minor, of(book, loser).spent_minor) == (2_800, 3_000)


class TestChurnRisk:
    @pytest.mark.parametrize(
        ("days_since", "orders_count", "risk"),
        [(0, 5, 0.0), (10, 5, 0.0), (20, 5, 0.6321), (50, 5, 0.9817), (30, 1, 0.0), (60, 1, 0.6321)],
    )
    def test_grows_with_what_is_overdue(self, days_since, orders_count, risk):
        last = NOW - timedelta(days=days_since)
        first = last - timedelta(days=10 * (orders_count - 1))

        assert sums.churn_risk(first, last, orders_count, now=NOW) == risk
