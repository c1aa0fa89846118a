"""The one gate: reports in any order, twice, late and wrong, against a small model of what must come of them."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant_platform.kernel import ids, tenancy
from payments.intents import outcomes
from payments.intents.models import Attempt, ParkedReport, PaymentIntent
from payments.providers.port import Report
from tests.cast import NOW, origin_of, owed_to, race
from tests.payments import books
from tests.payments.cases import cases

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
AMOUNT = 10_000


@pytest.fixture
def begin(api, book, monkeypatch):
    """An intent whose question went out and was not answered: `begin(capture_method="manual")` gives its charge."""
    from payments.intents import provider_road

    def start(**more):
        with monkeypatch.context() as patched:
            patched.setattr(provider_road, "ask", lambda *_, **__: outcomes_unanswered())
            intent = api.post(
                "payment_intents",
                {"amount": AMOUNT, "currency": "cny", "payment_method": "pm_card_visa", "confirm": True, **more},
            ).json
        assert intent["status"] == "processing"
        return ids.parse("ch", intent["latest_charge"])

    return start


def outcomes_unanswered():
    from payments.providers.port import Unanswered

    return Unanswered


def report(book, charge_id, status, captured=0, **more):
    held = status in ("authorized", "captured") or captured
    return Report(
        key=ids.show("ch", charge_id),
        account=book.pk.hex,
        reference="acq_1",
        status=status,
        amount_minor=AMOUNT,
        currency="CNY",
        authorized_minor=AMOUNT if held else 0,
        captured_minor=captured,
        code="card_declined" if status == "declined" else None,
        decline_code="generic_decline" if status == "declined" else None,
        challenge_url="https://bank.example/c" if status == "challenge" else None,
        **more,
    )


def record(book, charge_id, told):
    with tenancy.within(book.pk):
        return outcomes.record_outcome(attempt_id=charge_id, report=told, mode="test", now=NOW, origin=origin_of(book))


def state(book, charge_id):
    with tenancy.within(book.pk):
        attempt = Attempt.objects.get(pk=charge_id)
        intent = PaymentIntent.objects.get(pk=attempt.intent_id)
    return attempt.status, intent.status, attempt.captured_minor


# The lives that a payment can have at a provider: what it would report, in its order.
LIVES = {
    "taken at once": (False, [("captured", AMOUNT)]),
    "taken after a while": (False, [("pending", 0), ("captured", AMOUNT)]),
    "taken after a challenge": (False, [("challenge", 0), ("captured", AMOUNT)]),
    "declined": (False, [("pending", 0), ("declined", 0)]),
    "a challenge refused": (False, [("challenge", 0), ("declined", 0)]),
    "held and released": (True, [("authorized", 0), ("voided", 0)]),
    "held and taken": (True, [("authorized", 0), ("captured", AMOUNT)]),
    "taken in parts": (True, [("authorized", 0), ("authorized", 3_000), ("authorized", 4_000), ("captured", 9_000)]),
    "taken in part, then released": (True, [("authorized", 0), ("authorized", 3_000), ("voided", 3_000)]),
    "challenged, held, taken": (True, [("challenge", 0), ("authorized", 0), ("captured", 2_000)]),
}
ENDS = {
    "captured": ("captured", "succeeded"),
    "declined": ("declined", "requires_payment_method"),
    "voided": ("voided", "canceled"),
}


class TestRecordOutcome:
    @pytest.mark.parametrize("life", LIVES)
    @cases(12)
    def test_ends_the_same_in_any_order(self, begin, book, life, cases_max):
        """Every report of a life comes at least once, some twice, in any order: the end is the life's own."""
        is_manual, told = LIVES[life]

        @settings(
            max_examples=max(cases_max // len(LIVES), 6),
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(st.data())
        def play(data):
            numbers = list(range(len(told)))
            extra = data.draw(st.lists(st.sampled_from(numbers), max_size=3))
            order = data.draw(st.permutations(numbers + extra))
            charge_id = begin(**({"capture_method": "manual"} if is_manual else {}))
            before = owed_to(book)
            seen = 0
            for number in order:
                record(book, charge_id, report(book, charge_id, *told[number]))
                captured = state(book, charge_id)[2]
                assert captured >= seen, "money shrank"
                seen = captured
            status, captured = told[-1]
            end = ENDS["captured" if captured else status]
            if end[0] == "voided" and order.index(len(told) - 1) < order.index(0):
                # Nobody told us in time that it was held: the payer may simply pay again.
                end = ("voided", "requires_payment_method")
            assert state(book, charge_id) == (*end, captured)
            # One fee on the whole: 0.6 %.
            assert owed_to(book) - before == captured - captured * 6 // 1_000

        play()
        with tenancy.within(book.pk):
            assert not ParkedReport.objects.exists()
        books.assert_agree()

    @pytest.mark.parametrize(
        ("wrong", "reason"),
        [
            ({"amount_minor": 9_999}, "another_amount"),
            ({"currency": "USD"}, "another_currency"),
            ({"account": "0" * 32}, "another_merchant"),
            ({"key": "ch_0000000000000000000000"}, "another_key"),
            ({"captured_minor": AMOUNT + 1}, "more_than_asked"),
        ],
    )
    def test_parks_what_is_not_the_attempts(self, begin, book, wrong, reason):
        charge_id = begin()
        told = replace(report(book, charge_id, "captured", AMOUNT), **wrong)

        for _ in range(2):
            record(book, charge_id, told)

        with tenancy.within(book.pk):
            (parked,) = ParkedReport.objects.all()
        assert (parked.reason, state(book, charge_id)) == (reason, ("unknown", "processing", 0))
        books.assert_agree()

    def test_parks_money_after_the_last_word(self, begin, book):
        charge_id = begin()
        record(book, charge_id, report(book, charge_id, "declined"))

        record(book, charge_id, report(book, charge_id, "captured", AMOUNT))

        with tenancy.within(book.pk):
            (parked,) = ParkedReport.objects.all()
        assert parked.reason == "captured_after_final"
        assert state(book, charge_id) == ("declined", "requires_payment_method", 0)
        books.assert_agree()

    def test_posts_once_where_answer_notice_and_sweep_come_at_once(self, begin, book):
        charge_id = begin()
        told = report(book, charge_id, "captured", AMOUNT)

        outcomes_ = race(*[lambda: record(book, charge_id, told) for _ in range(16)])

        assert {intent.status for intent in outcomes_} == {"succeeded"}
        assert owed_to(book) == 9_940
        assert books.run("SELECT count(*) FROM payments_entry WHERE kind = 'charge'") == [(1,)]
        assert books.run("SELECT count(*) FROM kernel_event WHERE type = 'payment_intent.succeeded'") == [(1,)]
        books.assert_agree()
