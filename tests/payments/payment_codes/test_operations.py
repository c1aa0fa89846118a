"""A payment code pays once, for a minute, up to the day's limit, whoever reads it how often."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import override_settings

from merchant_platform.kernel import clock, tenancy
from payments.intents import states
from payments.intents.operations import Terms
from payments.ledger import queries as ledger
from payments.payment_codes import digits
from payments.payment_codes import operations as codes
from payments.payment_codes.models import PaymentCode
from tests.cast import NOW, make_wallet, origin_of, owed_to, race
from tests.payments import books

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A1")]


@pytest.fixture
def wallet(book):
    return make_wallet(book, 50_000)


@pytest.fixture
def show(wallet):
    return lambda at=NOW, is_strong=False: codes.show(wallet=wallet, is_strong=is_strong, recorded=at)


@pytest.fixture
def pay(book):
    """The café's till reads a code."""

    def read(code, amount=1_200, *, at=NOW, till=book, currency="CNY"):
        with tenancy.within(till.pk):
            return codes.pay(
                code=code,
                terms_=Terms(amount_minor=amount, currency=currency),
                now=till.now,
                recorded=at,
                origin=origin_of(till),
            )

    return read


def balance(wallet):
    return ledger.guarded(wallet.account).posted_minor


class TestShow:
    def test_gives_eighteen_digits_and_keeps_none_of_them(self, show, wallet):
        shown = show()

        kept = PaymentCode.objects.get()
        assert (len(shown.code), shown.code[:2], shown.code.isdigit()) == (18, "88", True)
        assert digits.grouped(shown.code).replace(" ", "") == shown.code
        assert shown.code not in str(books.rows()["payments_paymentcode"])
        assert (kept.wallet_id, kept.expires_at) == (wallet.pk, NOW + timedelta(seconds=60))

    def test_takes_the_place_of_the_one_before(self, show, pay):
        before, after = show(), show()

        with pytest.raises(codes.CodeUnknown):
            pay(before.code)
        assert pay(after.code).status == states.SUCCEEDED
        assert PaymentCode.objects.count() == 1


class TestPay:
    def test_moves_the_money_and_leaves_no_permission(self, show, pay, wallet, book):
        shown = show()

        intent = pay(shown.code)

        assert (intent.status, balance(wallet), owed_to(book)) == (states.SUCCEEDED, 48_800, 1_195)
        assert books.run("SELECT count(*) FROM payments_mandate WHERE revoked_at IS NULL") == [(0,)]
        assert codes.find(wallet=wallet, token=shown.token).paid_minor == 1_200
        books.assert_agree()

    def test_does_so_once(self, show, pay, wallet):
        code = show().code
        pay(code)

        with books.unchanged(), pytest.raises(codes.CodeSpent):
            pay(code)
        assert balance(wallet) == 48_800

    def test_read_by_sixteen_tills_at_once_pays_one(self, show, pay, wallet, book, other_book):
        code = show().code

        raced = race(*[lambda till=till: pay(code, till=till) for till in [book, other_book] * 8])

        assert sorted(type(each).__name__ for each in raced) == ["CodeSpent"] * 15 + ["PaymentIntent"]
        assert balance(wallet) == 48_800
        books.assert_agree()

    @pytest.mark.parametrize("late", [timedelta(seconds=60), timedelta(days=1)])
    def test_refuses_one_that_has_run_out(self, show, pay, late):
        code = show().code

        with books.unchanged(), pytest.raises(codes.CodeUnknown):
            pay(code, at=NOW + late)

    @pytest.mark.parametrize("code", ["", "88", "8" * 17, "8" * 18, "1" * 18, "８" * 18, "8" * 400, "'; --"])
    def test_refuses_what_is_no_code(self, pay, show, code):
        show()

        with books.unchanged(), pytest.raises(codes.CodeUnknown):
            pay(code)

    def test_refuses_play_money_in_a_live_book_and_another_currency(self, show, pay, live_book):
        code = show().code

        with books.unchanged():
            with pytest.raises(codes.CodeUnknown):
                pay(code, till=live_book)
            with pytest.raises(codes.CodeUnknown):
                pay(code, currency="EUR")

    def test_spends_the_code_where_the_money_is_not_there(self, show, pay, wallet):
        code = show().code

        intent = pay(code, 60_000)

        assert (intent.status, intent.last_error["decline_code"]) == ("requires_payment_method", "insufficient_funds")
        with pytest.raises(codes.CodeSpent):
            pay(code)
        assert (balance(wallet), PaymentCode.objects.get().spent_minor) == (50_000, 0)

    @override_settings(PAYMENT_CODE_LIMITS={"CNY": (2_000, 3_000)})
    def test_stops_at_the_days_limit_by_how_the_consumer_signed_in(self, show, pay, wallet):
        pay(show().code, 1_500)
        with pytest.raises(codes.OverLimit):
            pay(show().code, 501)
        pay(show().code, 500)
        pay(show(is_strong=True).code, 1_000)
        tomorrow = NOW + timedelta(days=1)
        pay(show(tomorrow).code, 2_000, at=tomorrow)

        assert balance(wallet) == 45_000
        books.assert_agree()


class TestDoor:
    def test_takes_a_code_and_replays_its_answer(self, api, show, wallet, monkeypatch):
        monkeypatch.setattr("payments.api.payment_codes.clock.wall", lambda: NOW)
        asked = {"payment_code": show().code, "amount": 1_200, "currency": "cny", "description": "Flat white"}

        first, again = (api.post("payment_codes/redeem", asked, idempotency_key="till-1") for _ in range(2))
        spent = api.post("payment_codes/redeem", asked)

        assert (first.status, first.json["status"], first.json["amount_received"]) == (200, "succeeded", 1_200)
        assert (again.json["id"], again.headers["Idempotent-Replayed"]) == (first.json["id"], "true")
        assert (spent.status, spent.error["code"], spent.error["param"]) == (400, "payment_code_spent", "payment_code")
        assert balance(wallet) == 48_800

    def test_answers_402_where_the_money_is_not_there(self, api, show, monkeypatch):
        monkeypatch.setattr("payments.api.payment_codes.clock.wall", lambda: NOW)

        reply = api.post("payment_codes/redeem", {"payment_code": show().code, "amount": 60_000, "currency": "cny"})

        assert (reply.status, reply.error["decline_code"]) == (402, "insufficient_funds")

    def test_refuses_a_publishable_and_a_reading_key(self, api, show, publishable_key, restricted_key):
        asked = {"payment_code": show().code, "amount": 1_200, "currency": "cny"}
        reading = restricted_key(payment_intents="read")

        with books.unchanged():
            for key in (publishable_key, reading):
                assert api.with_key(key).post("payment_codes/redeem", asked).status == 403


class TestGuessing:
    def test_ends_for_a_minute_and_what_is_a_code_counts_for_nothing(self, api, show, monkeypatch):
        cache.clear()
        monkeypatch.setattr(codes, "GUESSES_MAX", 2)

        def read(code):
            till = api.post("payment_codes/redeem", {"payment_code": code, "amount": 100, "currency": "cny"})
            return till.status, till.json.get("error", {}).get("code")

        wrong = "880000000000000000"
        assert [read(each) for each in (wrong, show(clock.wall()).code, wrong)] == [
            (400, "payment_code_invalid"),
            (200, None),
            (400, "payment_code_invalid"),
        ]
        fresh = show(clock.wall()).code
        with books.unchanged():
            assert read(fresh) == (429, "rate_limit")
