"""Many at once, over HTTP, against the real server's processes and threads: money is spent once, a key pays once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from merchant_platform.kernel import tenancy
from payments.intents.models import Attempt, PaymentIntent
from payments.ledger import checkpoints
from tests.cast import balance_of, fees_of, owed_to, race
from tests.payments import books
from tests.payments.acts import ask_for, confirm, pay, refund

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A12"),
]


@pytest.fixture
def method(wire, customer, wallet_method):
    """The customer's wallet with ¥100.00: ten payments of ¥10.00. The book's accounts are open."""
    assert pay(wire, wallet_method(customer, 1), 1).status == 200
    return wallet_method(customer, 10_000)


def at_once(count, act):
    """So many threads, each with its own connection to the server; what each was answered."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(act, range(count)))


def short_road(wire, method):
    return lambda number, **options: pay(wire, method, 1_000, **options)


def general_road(wire, method):
    intents = [ask_for(wire, 1_000) for _ in range(64)]
    return lambda number, **options: confirm(wire, intents[number], method, **options)


class TestOneWallet:
    @pytest.mark.parametrize("road", [short_road, general_road])
    def test_pays_ten_of_sixty_four(self, wire, book, method, road):
        act = road(wire, method)

        replies = at_once(64, act)

        assert Counter(reply.status for reply in replies) == {200: 10, 402: 54}
        assert {reply.error["decline_code"] for reply in replies if reply.status == 402} == {"insufficient_funds"}
        assert balance_of(method).posted_minor == 0
        assert (owed_to(book), fees_of(book)) == (1 + 9_960, 40)
        with tenancy.within(book.pk):
            assert Counter(Attempt.objects.values_list("status", flat=True)) == {"captured": 11, "declined": 54}
        books.assert_agree()

    def test_is_paid_from_and_back_to_while_totals_roll(self, wire, book, method):
        def buy_and_return(number):
            paid = pay(wire, method, 100 + number)
            return refund(wire, paid.json) if number % 2 else paid

        def roll():
            for _ in range(20):
                checkpoints.roll_forward()

        with ThreadPoolExecutor(1) as background:
            rolling = background.submit(lambda: race(roll))
            replies = at_once(24, buy_and_return)
            assert rolling.result() == [None]

        kept = sum(100 + number for number in range(0, 24, 2))
        assert {reply.status for reply in replies} == {200}
        assert balance_of(method).posted_minor == 10_000 - kept
        assert owed_to(book) + fees_of(book) == 1 + kept
        books.assert_agree()


class TestOneKey:
    @pytest.mark.parametrize("road", [short_road, general_road])
    def test_pays_once_of_sixteen(self, wire, book, method, road):
        act = road(wire, method)

        replies = at_once(16, lambda _: act(0, key="table 7"))

        assert {reply.status for reply in replies} == {200}
        assert all(reply.json == replies[0].json for reply in replies)
        assert Counter(reply.headers.get("Idempotent-Replayed") for reply in replies) == {"true": 15, None: 1}
        first = next(reply for reply in replies if "Idempotent-Replayed" not in reply.headers)
        replays = [reply for reply in replies if "Idempotent-Replayed" in reply.headers]
        assert {reply.headers["Original-Request"] for reply in replays} == {first.headers["Request-Id"]}
        assert balance_of(method).posted_minor == 9_000
        with tenancy.within(book.pk):
            assert PaymentIntent.objects.filter(status="succeeded", amount_minor=1_000).count() == 1
        books.assert_agree()

    def test_is_refused_once_of_sixteen(self, wire, book, method):
        replies = at_once(16, lambda _: pay(wire, method, 10_001, key="too dear"))

        assert {reply.status for reply in replies} == {402}
        assert all(reply.json == replies[0].json for reply in replies)
        with tenancy.within(book.pk):
            assert Attempt.objects.filter(status="declined").count() == 1

    def test_refunds_once_of_sixteen(self, wire, method):
        paid = pay(wire, method, 1_000).json

        replies = at_once(16, lambda _: refund(wire, paid, 400, key="cold"))

        assert {reply.status for reply in replies} == {200}
        assert len({reply.json["id"] for reply in replies}) == 1
        assert balance_of(method).posted_minor == 9_400
        books.assert_agree()
