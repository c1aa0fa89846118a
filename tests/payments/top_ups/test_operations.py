"""A top-up lands in the wallet when the acquirer has captured it, once, and never before."""

from contextlib import suppress
from random import Random
from uuid import UUID, uuid4

import pytest
from django.test import override_settings

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import NotFound
from payments.customers.models import PaymentMethod
from payments.customers.operations import CardRefused
from payments.intents import refunds, states
from payments.intents.models import Attempt
from payments.ledger import chart
from payments.ledger import queries as ledger
from payments.ledger.models import Entry
from payments.providers.sandbox.acquirer.faults import ROAD_FAULTS
from payments.providers.sandbox.client import ChallengeOver
from payments.top_ups import operations as top_ups
from payments.top_ups.operations import Means
from payments.wallets.models import Consumer, TopUp
from security.merchants import queries as merchants
from security.vault.cards import ClearCard
from tests.cast import NOW, make_wallet, origin_of, race
from tests.payments import books
from tests.payments.card_acts import answer_challenge, at_the_acquirer, sweep_until_quiet
from tests.payments.cases import SEED

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A1")]

GOOD, DECLINED, CHALLENGED = "4242424242424242", "4000000000000002", "4000002760003184"
BEFORE = {name for name in ROAD_FAULTS if name.endswith("before_commit")}


@pytest.fixture
def wallet(book):
    """A test consumer's wallet with nothing in it."""
    return make_wallet(book, 0)


@pytest.fixture
def platform_book(wallet):
    return merchants.book(merchants.platform_book_id(mode="test"))


def typed(number=GOOD, *, keeps=False) -> Means:
    return Means(card=ClearCard(number=number, exp_month=12, exp_year=2034, holder="Lin"), cvc="123", keeps_card=keeps)


def top_up(wallet, means=None, *, amount=10_000, token: UUID | None = None) -> TopUp:
    return top_ups.start(
        wallet=wallet,
        amount_minor=amount,
        means=means or typed(),
        token=token or uuid4(),
        return_url="http://localhost/wallet/test/top-up/{}/return".format,
        now=NOW,
    )


def balance(wallet) -> int:
    return ledger.guarded(wallet.account).posted_minor


def answer(begun: TopUp, choice: str) -> None:
    answer_challenge({"next_action": begun.intent.next_action}, choice)


def seen(wallet, begun: TopUp) -> str:
    found = top_ups.find(consumer=wallet.consumer, top_up_id=begun.pk)
    return top_ups.look(top_up=found, wallet=wallet, now=NOW, is_back=True).intent.status


class TestStart:
    def test_lands_whole_when_it_is_captured(self, wallet, platform_book, acquirer):
        begun = top_up(wallet)

        assert begun.intent.status == states.SUCCEEDED
        assert (balance(wallet), at_the_acquirer(platform_book)) == (10_000, {"capture": 10_000})
        with tenancy.within(platform_book.pk):
            accounts = [kind(platform_book.pk, "CNY", "test") for kind in (chart.acquirer, chart.merchant, chart.fees)]
            assert ledger.totals(accounts) == [10_000, 0, 0]
            assert list(Entry.objects.order_by("pk").values_list("kind", "amount_minor", "fee_minor")) == [
                ("charge", 10_000, 0),
                ("top_up", -10_000, 0),
            ]
        assert [line.kind for line in ledger.statement(wallet.account, limit=5)] == ["top_up"]
        books.assert_agree()

    def test_that_is_declined_leaves_the_wallet_as_it_was(self, wallet, platform_book, acquirer):
        begun = top_up(wallet, typed(DECLINED))

        assert begun.intent.status == states.REQUIRES_PAYMENT_METHOD
        assert begun.intent.last_error["code"] == "card_declined"
        assert (balance(wallet), at_the_acquirer(platform_book)) == (0, {})
        books.assert_agree()

    def test_sent_twice_does_it_once(self, wallet, platform_book, acquirer):
        token = uuid4()

        first, second = top_up(wallet, token=token), top_up(wallet, token=token, amount=20_000)

        assert (first.pk, balance(wallet)) == (second.pk, 10_000)
        assert at_the_acquirer(platform_book) == {"capture": 10_000}

    def test_sent_many_times_at_once_does_it_once(self, wallet, platform_book, acquirer):
        token = uuid4()

        raced = race(*[lambda: top_up(wallet, token=token)] * 8)

        assert len({begun.pk for begun in raced}) == 1
        assert (balance(wallet), at_the_acquirer(platform_book)) == (10_000, {"capture": 10_000})
        assert books.run("SELECT count(*) FROM payments_attempt") == [(1,)]
        books.assert_agree()

    @pytest.mark.parametrize("fault", ROAD_FAULTS)
    def test_whatever_the_acquirer_does_lands_what_it_captured(self, wallet, platform_book, acquirer, fault):
        acquirer.fail(fault, operation="authorise")

        begun = top_up(wallet)
        before = balance(wallet)
        sweep_until_quiet()

        assert before == (10_000 if begun.intent.status == states.SUCCEEDED else 0)
        landed = 0 if fault in BEFORE else 10_000
        assert (balance(wallet), at_the_acquirer(platform_book).get("capture", 0)) == (landed, landed)
        books.assert_agree()

    def test_of_any_cards_and_faults_the_wallet_holds_what_was_captured(self, wallet, platform_book, acquirer, proven):
        proven(12)
        chance = Random(SEED)
        tokens = [uuid4() for _ in range(5)]
        with override_settings(TOP_UPS_AN_HOUR_MAX=100):
            for _ in range(12):
                acquirer.heal()
                if chance.random() < 0.5:
                    acquirer.fail(chance.choice(ROAD_FAULTS), operation="authorise")
                begun = top_up(
                    wallet,
                    typed(chance.choice([GOOD, GOOD, DECLINED, CHALLENGED])),
                    amount=chance.randrange(100, 50_000),
                    token=chance.choice(tokens),
                )
                if begun.intent.status == states.REQUIRES_ACTION:
                    with suppress(ChallengeOver):  # of a form that is sent again
                        answer(begun, chance.choice(["approve", "refuse"]))
        acquirer.heal()
        sweep_until_quiet()

        assert balance(wallet) == at_the_acquirer(platform_book).get("capture", 0)
        books.assert_agree()

    @pytest.mark.parametrize(
        ("amount", "number", "refusal"),
        [
            (99, GOOD, top_ups.OutOfLimits),
            (500_001, GOOD, top_ups.OutOfLimits),
            (10_000, "4242424242424241", CardRefused),
        ],
    )
    def test_refuses_what_cannot_be_and_writes_nothing(self, wallet, acquirer, amount, number, refusal):
        with books.unchanged(), pytest.raises(refusal):
            top_up(wallet, typed(number), amount=amount)

    def test_stops_who_tries_card_after_card(self, wallet, acquirer):
        with override_settings(TOP_UPS_AN_HOUR_MAX=2):
            for _ in range(2):
                top_up(wallet, typed(DECLINED))
            with books.unchanged(), pytest.raises(top_ups.TooManyTopUps):
                top_up(wallet)


class TestChallenge:
    def test_that_is_passed_lands_once_however_often_it_is_looked_at(self, wallet, acquirer):
        begun = top_up(wallet, typed(CHALLENGED))
        before = balance(wallet)

        answer(begun, "approve")
        raced = race(*[lambda: seen(wallet, begun)] * 4)

        assert (begun.intent.status, before) == (states.REQUIRES_ACTION, 0)
        assert (set(raced), balance(wallet)) == ({states.SUCCEEDED}, 10_000)
        books.assert_agree()

    def test_that_is_refused_lands_nothing(self, wallet, acquirer):
        begun = top_up(wallet, typed(CHALLENGED))

        answer(begun, "refuse")

        assert (seen(wallet, begun), balance(wallet)) == (states.REQUIRES_PAYMENT_METHOD, 0)
        books.assert_agree()

    def test_that_is_given_up_lands_nothing(self, wallet, platform_book, acquirer):
        begun = top_up(wallet, typed(CHALLENGED))

        for _ in range(2):
            top_ups.give_up(top_up=begun, wallet=wallet, now=NOW)

        assert (seen(wallet, begun), balance(wallet)) == (states.REQUIRES_PAYMENT_METHOD, 0)
        assert at_the_acquirer(platform_book) == {}
        books.assert_agree()

    def test_that_nobody_comes_back_from_lands_nothing(self, wallet, acquirer):
        begun = top_up(wallet, typed(CHALLENGED))

        acquirer.hurry("challenge")
        sweep_until_quiet()

        assert (
            top_ups.find(consumer=wallet.consumer, top_up_id=begun.pk).intent.status == states.REQUIRES_PAYMENT_METHOD
        )
        assert balance(wallet) == 0
        books.assert_agree()


class TestCards:
    def test_are_kept_where_the_consumer_wished_so_and_pay_again(self, wallet, acquirer):
        top_up(wallet)
        consumer = Consumer.objects.get(pk=wallet.consumer_id)
        unkept = top_ups.cards(consumer)

        top_up(wallet, typed(keeps=True))
        (kept,) = top_ups.cards(consumer)
        top_up(wallet, Means(method_id=kept.pk))
        top_ups.forget_card(wallet=wallet, method_id=kept.pk, now=NOW)

        assert (unkept, top_ups.cards(consumer), balance(wallet)) == ([], [], 30_000)

    def test_of_another_consumer_are_not_there(self, book, wallet, acquirer):
        top_up(wallet, typed(keeps=True))
        (kept,) = top_ups.cards(Consumer.objects.get(pk=wallet.consumer_id))
        stranger = make_wallet(book, 0)

        with books.unchanged():
            with pytest.raises(NotFound):
                top_up(stranger, Means(method_id=kept.pk))
            with pytest.raises(NotFound):
                top_ups.forget_card(wallet=stranger, method_id=kept.pk, now=NOW)
            with pytest.raises(NotFound):
                top_ups.find(consumer=stranger.consumer, top_up_id=TopUp.objects.using("owner").get().pk)

    def test_that_was_declined_is_not_kept(self, wallet, acquirer):
        top_up(wallet, typed(DECLINED, keeps=True))

        assert top_ups.cards(Consumer.objects.get(pk=wallet.consumer_id)) == []
        assert PaymentMethod.objects.using("owner").filter(customer__isnull=False).count() == 0


class TestRefund:
    def test_by_the_platforms_staff_is_refused(self, wallet, platform_book, acquirer):
        top_up(wallet)
        attempt = Attempt.objects.using("owner").get()

        with books.unchanged(), tenancy.within(platform_book.pk), pytest.raises(refunds.NotRefundable):
            refunds.refund(attempt_id=attempt.pk, mode="test", now=NOW, origin=origin_of(platform_book))
