"""/v1/wallets and /v1/test_helpers/wallets: test books only. A live merchant sees mandates, never balances."""

from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel import idempotency, ids
from merchant_platform.kernel.api import doors, paging
from merchant_platform.kernel.api.doors import Answer, Call, door, endpoint
from merchant_platform.kernel.api.params import LIMIT_DEFAULT, Currency, Id, Integer, InvalidParameter, Limit, Params
from merchant_platform.kernel.errors import Forbidden
from merchant_platform.kernel.idempotency import Asked
from merchant_platform.kernel.writes import Writes
from payments.api.addresses import not_here, origin, path_id
from payments.customers import operations as customers
from payments.ledger import queries as ledger
from payments.wallets import objects
from payments.wallets import operations as wallets
from payments.wallets.models import Mandate, Wallet

BALANCE_MAX = 10**13


class LiveMode(Forbidden):
    """Wallets are seen in test books only."""

    code = "testmode_only"


def _balance(value: int) -> int:
    if not 0 <= value <= BALANCE_MAX:
        raise PydanticCustomError(
            "parameter_invalid_integer", "This value must be between 0 and {n}.", {"n": BALANCE_MAX}
        )
    return value


class CreateTestWallet(Params):
    balance: Annotated[Integer, AfterValidator(_balance)]
    currency: Currency
    customer: Id


class Movements(Params):
    limit: Limit = LIMIT_DEFAULT
    starting_after: Id | None = None


@endpoint(permission="wallets:write", params=CreateTestWallet, returns="wallet", answers_itself=True)
def create_test_wallet(call: Call) -> Answer:
    """Make a test consumer with a funded wallet, saved to a customer"""
    _test_book_only(call)
    customer_id = paging.identifier("cus", call.params.customer, param="customer")

    def first(writes: Writes) -> Asked[None]:
        customers.find(customer_id, param="customer")
        return Asked(ids.show("cus", customer_id), None)

    def fund(_: None) -> Wallet:
        # In the platform's book: a unit of work of its own, between the two of the request.
        return wallets.open_test_wallet(balance_minor=call.params.balance, currency=call.params.currency, now=call.now)

    def second(_: None, wallet: Wallet, writes: Writes) -> Answer:
        customer = customers.find(customer_id, param="customer")
        mandate = wallets.give_mandate(wallet=wallet, now=call.now)
        method = customers.save_wallet(customer=customer, mandate=mandate, now=call.now, origin=origin(call))
        shown = objects.wallet(wallet, ledger.guarded(wallet.account), payment_method=ids.show("pm", method.pk))
        return Answer(status=200, body=doors.body(call, shown))

    return idempotency.run_around(call.book_id, call.idempotency, first=first, ask=fund, second=second)


@endpoint(permission="wallets:read", returns="wallet")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a test wallet with its balance"""
    wallet = _wallet(call)
    return objects.wallet(wallet, ledger.guarded(wallet.account))


@endpoint(permission="wallets:read", params=Movements, returns="wallet_transaction", is_list=True)
def movements(call: Call) -> dict[str, Any]:
    """List a test wallet's movements over all merchants"""
    wallet = _wallet(call)
    limit = call.params.limit
    lines = ledger.statement(wallet.account, before=_before(call.params.starting_after), limit=limit + 1)
    return {
        "object": "list",
        "data": [objects.movement(line, currency=wallet.currency) for line in lines[:limit]],
        "has_more": len(lines) > limit,
        "url": call.url,
    }


def _before(cursor: str | None) -> Any:
    if cursor is None:
        return None
    xid, _, line_id = cursor.partition("_")
    if not (xid.isascii() and xid.isdecimal() and len(xid) <= 19):
        raise InvalidParameter(
            f"No such wallet_transaction: '{cursor[:100]}'", code="resource_missing", param="starting_after"
        )
    return xid, paging.identifier("tr", line_id, param="starting_after")


def _wallet(call: Call) -> Wallet:
    _test_book_only(call)
    wallet = Wallet.objects.filter(pk=path_id(call, "wal"), mode="test").first()
    if wallet is None or not _is_of_this_book(wallet):
        raise not_here(call, "wal")
    return wallet


def _is_of_this_book(wallet: Wallet) -> bool:
    """A test wallet is seen by the books that hold a mandate on it; row-level security shows no others."""
    return Mandate.objects.filter(wallet=wallet).exists()


def _test_book_only(call: Call) -> None:
    if call.caller.livemode:
        raise LiveMode("Wallets can be made and seen with a test key only.")


urlpatterns = [
    door("wallets/<id>", GET=retrieve),
    door("wallets/<id>/transactions", GET=movements),
    door("test_helpers/wallets", POST=create_test_wallet),
]
