"""Test wallets: made with any balance, seen by who holds a mandate, and not at all in live mode."""

from datetime import timedelta

import pytest

from merchant_platform.kernel import clock
from payments.intents import sweep
from payments.wallets import operations as wallets
from payments.wallets.models import Wallet
from tests.cast import Api, balance_of, race, shown
from tests.payments import books
from tests.payments.acts import pay, refund

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A1")]


@pytest.fixture
def open_wallet(api, customer):
    """Makes a test wallet for the customer: `open_wallet(5_000)`."""
    return lambda balance, **more: api.post(
        "test_helpers/wallets", {"balance": balance, "currency": "cny", "customer": shown("cus", customer)}, **more
    )


class TestCreate:
    @pytest.mark.parametrize("balance", [0, 1, 10**13])
    def test_funds_it_through_the_ledger(self, api, open_wallet, balance):
        made = open_wallet(balance)

        wallet = api.get(f"wallets/{made.json['id']}").json
        assert (made.status, made.json["balance"], wallet["balance"], wallet["reserved"]) == (200, balance, balance, 0)
        assert made.json == {**wallet, "payment_method": made.json["payment_method"]}
        movements = api.get(f"wallets/{wallet['id']}/transactions").json["data"]
        assert [(each["amount"], each["type"]) for each in movements] == ([(balance, "top_up")] if balance else [])
        books.assert_agree()

    @pytest.mark.parametrize("balance", [-1, 10**13 + 1, "", "1.5"])
    def test_refuses_what_no_wallet_holds(self, open_wallet, balance):
        with books.unchanged():
            refused = open_wallet(balance)

        assert (refused.status, refused.error["code"]) == (400, "parameter_invalid_integer")
        assert refused.error["param"] == "balance"

    def test_pays_at_once(self, api, customer, open_wallet):
        made = open_wallet(5_000).json

        paid = api.post(
            "payment_intents",
            {"amount": 1_000, "currency": "cny", "payment_method": made["payment_method"], "confirm": True},
        )

        assert (paid.status, paid.json["customer"]) == (200, shown("cus", customer))
        assert api.get(f"wallets/{made['id']}").json["balance"] == 4_000

    def test_happens_once_a_key(self, open_wallet):
        first = open_wallet(5_000, idempotency_key="fill")

        with books.unchanged():
            second = open_wallet(5_000, idempotency_key="fill")
            other = open_wallet(6_000, idempotency_key="fill")

        assert (second.json, second.headers["Idempotent-Replayed"]) == (first.json, "true")
        assert (other.status, other.error["code"]) == (400, "idempotency_error")

    def test_leaves_one_wallet_of_several_with_one_key_at_once(self, open_wallet):
        answered = race(*[lambda: open_wallet(5_000, idempotency_key="fill") for _ in range(4)])

        done = [each for each in answered if each.status == 200]
        assert len(done) >= 1
        assert {each.json["id"] for each in done} == {done[0].json["id"]}
        assert {each.error["code"] for each in answered if each.status != 200} <= {"idempotency_key_in_use"}
        assert Wallet.objects.count() == 1
        books.assert_agree()

    def test_can_be_repeated_where_the_process_died_between(self, open_wallet, monkeypatch):
        with monkeypatch.context() as broken:
            broken.setattr(wallets, "give_mandate", lambda **_: exit())
            with pytest.raises(SystemExit):
                open_wallet(5_000, idempotency_key="fill")
        assert open_wallet(5_000, idempotency_key="fill").status == 409

        sweep.answer_in_flight(at=clock.wall() + timedelta(minutes=2))

        assert open_wallet(5_000, idempotency_key="fill").status == 200

    def test_is_not_for_live_books(self, live_api, live_book, make_customer):
        person = shown("cus", make_customer(live_book))

        with books.unchanged():
            refused = live_api.post("test_helpers/wallets", {"balance": 5, "currency": "cny", "customer": person})

        assert (refused.status, refused.error["code"]) == (403, "testmode_only")

    def test_is_for_a_customer_of_ones_own(self, other_api, customer):
        with books.unchanged():
            refused = other_api.post(
                "test_helpers/wallets", {"balance": 5, "currency": "cny", "customer": shown("cus", customer)}
            )

        assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "resource_missing", "customer")


class TestRetrieve:
    def test_is_of_those_alone_who_hold_a_mandate(self, api, other_api, live_api, open_wallet):
        path = f"wallets/{open_wallet(5_000).json['id']}"

        assert api.get(path).status == 200
        for address in (path, f"{path}/transactions"):
            assert (other_api.get(address).status, other_api.get(address).error["code"]) == (404, "resource_missing")
            assert (live_api.get(address).status, live_api.get(address).error["code"]) == (403, "testmode_only")

    def test_shows_no_live_wallet(self, api, live_book, make_customer, wallet_method):
        method = wallet_method(make_customer(live_book), 5_000)

        assert api.get(f"wallets/{shown('wal', method.mandate.wallet)}").status == 404


class TestTransactions:
    def test_are_paged_newest_first_and_sum_to_the_balance(self, api, customer, wallet_method):
        method = wallet_method(customer, 100_000)
        path = f"wallets/{shown('wal', method.mandate.wallet)}/transactions"
        amounts = [100_000]
        for number in range(1, 13):
            paid = pay(api, method, number * 10).json
            refund(api, paid, number)
            amounts += [-number * 10, number]

        walked: list[dict] = []
        after: dict[str, str] = {}
        while True:
            page = api.get(path, {"limit": 7, **after}).json
            walked += page["data"]
            if not page["has_more"]:
                break
            after = {"starting_after": walked[-1]["id"]}

        assert [each["amount"] for each in walked] == amounts[::-1]
        assert {each["type"] for each in walked} == {"top_up", "charge", "refund"}
        assert len({each["id"] for each in walked}) == 25
        assert sum(amounts) == balance_of(method).posted_minor

    def test_are_of_all_merchants(self, api, other_book, other_customer, make_key, customer, wallet_method):
        """A wallet is its consumer's: what another merchant took is in the same statement."""
        from merchant_platform.kernel import tenancy
        from payments.customers import operations as customers
        from payments.wallets import operations as wallets
        from tests.cast import NOW, origin_of

        method = wallet_method(customer, 10_000)
        with tenancy.within(other_book.pk):
            mandate = wallets.give_mandate(wallet=method.mandate.wallet, now=NOW)
            theirs = customers.save_wallet(
                customer=other_customer, mandate=mandate, now=NOW, origin=origin_of(other_book)
            )
        pay(api, method, 1_000)
        pay(Api(make_key(other_book)), theirs, 2_000)

        path = f"wallets/{shown('wal', method.mandate.wallet)}/transactions"
        amounts = [each["amount"] for each in api.get(path).json["data"]]

        assert amounts == [-2_000, -1_000, 10_000]
        assert amounts == [each["amount"] for each in Api(make_key(other_book)).get(path).json["data"]]
        books.assert_agree()
