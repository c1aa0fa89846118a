"""The cast: a merchant and a stranger, their keys, a customer with a wallet, and a client of the API.

Most tests need no more than this:

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_takes_the_money(self, api, customer, wallet_method):
        method = wallet_method(customer, 5_000)

        status, intent, _ = api.post("payment_intents", {"amount": 1_200, ..., "payment_method": shown("pm", method)})

The clock of the merchant's and of the stranger's test book stands at NOW (`move_clock` moves
it), so that what the API answers is exact. Live books have the world's time.
"""

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import orjson
import psycopg2
import pytest
from django.conf import settings
from django.db import connections, models
from django.http.response import ResponseHeaders
from django.test import RequestFactory

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events import router
from merchant_platform.wsgi import application
from payments.customers import operations as customers
from payments.customers.models import Customer, PaymentMethod
from payments.ledger import chart
from payments.ledger import queries as ledger
from payments.origin import Origin
from payments.wallets import operations as wallets
from payments.wallets.models import Consumer, Mandate, Wallet
from security.credentials import keys
from security.credentials.authentication import memory
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET
from security.merchants import operations as merchants
from security.merchants.models import LIVE, TEST, Book, Merchant

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


# --- merchants -----------------------------------------------------------------------


@pytest.fixture
def platform(db: None) -> Iterator[Merchant]:
    """The platform's own merchant, without which nothing can be funded: the tables are empty before each test."""
    name_cluster()
    _forget()
    yield merchants.found_platform(now=NOW)
    _forget()


@pytest.fixture
def merchant(platform: Merchant) -> Merchant:
    """A café in Shanghai that sells in CNY, with a test and a live book."""
    return found("cafe", "Café Moka")


@pytest.fixture
def book(merchant: Merchant) -> Book:
    """The café's test book; its clock stands at NOW."""
    return book_of(merchant, TEST)


@pytest.fixture
def live_book(merchant: Merchant) -> Book:
    """The café's live book, in the world's time."""
    return book_of(merchant, LIVE)


@pytest.fixture
def other_merchant(platform: Merchant) -> Merchant:
    """The stranger: another merchant of this platform."""
    return found("bakery", "Bakery Next Door")


@pytest.fixture
def other_book(other_merchant: Merchant) -> Book:
    """The stranger's test book; its clock stands at NOW too."""
    return book_of(other_merchant, TEST)


# --- keys ----------------------------------------------------------------------------


@pytest.fixture
def make_key(platform: Merchant) -> Callable[..., str]:
    """Makes a key and gives its text: `make_key(book)`, `make_key(book, kind="restricted", permissions={...})`."""

    def make(book: Book, *, kind: str = SECRET, permissions: dict[str, str] | None = None) -> str:
        _, text = keys.make(book=book, kind=kind, permissions=permissions, now=NOW)
        return text

    return make


@pytest.fixture
def key(make_key: Callable[..., str], book: Book) -> str:
    """The secret key of the café's test book."""
    return make_key(book)


@pytest.fixture
def live_key(make_key: Callable[..., str], live_book: Book) -> str:
    """The secret key of the café's live book."""
    return make_key(live_book)


@pytest.fixture
def publishable_key(make_key: Callable[..., str], book: Book) -> str:
    """The publishable key of the café's test book."""
    return make_key(book, kind=PUBLISHABLE)


@pytest.fixture
def restricted_key(make_key: Callable[..., str], book: Book) -> Callable[..., str]:
    """Makes a restricted key of the café's test book: `restricted_key(customers="read")`."""
    return lambda **permissions: make_key(book, kind=RESTRICTED, permissions=permissions)


@pytest.fixture
def other_key(make_key: Callable[..., str], other_book: Book) -> str:
    """The secret key of the stranger's test book."""
    return make_key(other_book)


# --- customers and their money -------------------------------------------------------


@pytest.fixture
def make_customer(platform: Merchant) -> Callable[..., Customer]:
    """Adds a customer to a book: `make_customer(book, email="...", metadata={...})`."""

    def make(book: Book, **fields: Any) -> Customer:
        with tenancy.within(book.pk):
            return customers.create(fields={"name": "Lin Mei", **fields}, now=book.now, origin=origin_of(book))

    return make


@pytest.fixture
def customer(make_customer: Callable[..., Customer], book: Book) -> Customer:
    """A customer of the café's test book."""
    return make_customer(book, email="lin.mei@example.com")


@pytest.fixture
def other_customer(make_customer: Callable[..., Customer], other_book: Book) -> Customer:
    """A customer of the stranger's test book."""
    return make_customer(other_book, name="Stranger's Guest", email="guest@example.com")


@pytest.fixture
def wallet_method(platform: Merchant) -> Callable[..., PaymentMethod]:
    """Saves a funded wallet to a customer: `wallet_method(customer, 5_000)`, with `limit_minor=` or `expires_at=`.

    The method's `mandate` and its `mandate.wallet` are loaded; `balance_of(method)` reads what is left.
    """

    def save(
        customer: Customer,
        balance_minor: int = 100_000,
        *,
        currency: str = "CNY",
        limit_minor: int | None = None,
        expires_at: datetime | None = None,
    ) -> PaymentMethod:
        book = Book.objects.get(pk=customer.book_id)
        wallet = make_wallet(book, balance_minor, currency=currency)
        with tenancy.within(book.pk):
            mandate = wallets.give_mandate(wallet=wallet, limit_minor=limit_minor, expires_at=expires_at, now=book.now)
            return customers.save_wallet(customer=customer, mandate=mandate, now=book.now, origin=origin_of(book))

    return save


def make_wallet(book: Book, balance_minor: int, *, currency: str = "CNY") -> Wallet:
    """A new consumer's wallet in the mode of a book, funded through the ledger; no mandate on it yet."""
    if book.mode == TEST:
        return wallets.open_test_wallet(balance_minor=balance_minor, currency=currency, now=book.now)
    consumer = Consumer.objects.create(id=ids.new(book.now), mode=book.mode, created_at=book.now)
    wallet = wallets.open_wallet(consumer=consumer, currency=currency, now=book.now)
    if balance_minor:
        wallets.top_up(wallet=wallet, amount_minor=balance_minor, reference=f"top_up:{wallet.pk}", now=book.now)
    return wallet


def balance_of(method: PaymentMethod) -> ledger.GuardedBalance:
    """What the wallet behind a payment method holds: `posted_minor`, `reserved_minor`, `available_minor`."""
    assert method.mandate_id, "a wallet's method has a mandate"
    with tenancy.within(method.book_id):
        return ledger.guarded(Mandate.objects.select_related("wallet").get(pk=method.mandate_id).wallet.account)


def owed_to(book: Book, currency: str = "CNY") -> int:
    """What the platform owes the merchant of a book, by the ledger."""
    with tenancy.within(book.pk):
        return ledger.total(chart.merchant(book.pk, currency, book.mode))


def fees_of(book: Book, currency: str = "CNY") -> int:
    """What the platform earned from the merchant of a book, by the ledger."""
    with tenancy.within(book.pk):
        return ledger.total(chart.fees(book.pk, currency, book.mode))


# --- the API -------------------------------------------------------------------------


class Reply(NamedTuple):
    """What the API answered."""

    status: int
    json: Any
    headers: Mapping[str, str]

    @property
    def error(self) -> dict[str, Any]:
        """The error inside the envelope. KeyError where the request succeeded."""
        return self.json["error"]


@dataclass(frozen=True)
class Api:
    """Speaks the API with one key. A path is what follows /v1/: `api.post("customers", {"name": "Lin"})`.

    Parameters go as a form, nested with brackets as Stripe's SDKs write them, or with
    `json=` as JSON. `headers` are plain names: `headers={"Stripe-Account": "acct_1"}`.
    """

    key: str | None
    uses_basic: bool = False

    def get(self, path: str, params: Mapping[str, Any] | None = None, **options: Any) -> Reply:
        return self.request("GET", path, query=encode(params or {}), **options)

    def delete(self, path: str, params: Mapping[str, Any] | None = None, **options: Any) -> Reply:
        return self.request("DELETE", path, query=encode(params or {}), **options)

    def post(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        json: Any = None,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        sent = dict(headers or {})
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        if json is not None:
            return self.request("POST", path, orjson.dumps(json), "application/json", headers=sent)
        return self.request("POST", path, encode(params or {}).encode(), FORM, headers=sent)

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "",
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Any request at all: what the well-behaved methods above cannot say."""
        sent = {**self._authorization(), **(headers or {})}
        environ = (
            RequestFactory(headers=sent)
            .generic(method, f"/v1/{path}" + (f"?{query}" if query else ""), body, content_type)
            .environ
        )
        head: list[Any] = []
        # The very application that is served: not Django's test client, which goes another way.
        content = b"".join(application(environ, lambda status, headers: head.extend((status, headers))))
        status, given = head
        return Reply(int(status[:3]), orjson.loads(content) if content else None, ResponseHeaders(dict(given)))

    def with_key(self, key: str | None) -> "Api":
        """The same client with another key, or without any."""
        return replace(self, key=key)

    def _authorization(self) -> dict[str, str]:
        if self.key is None:
            return {}
        if self.uses_basic:
            return {"Authorization": "Basic " + base64.b64encode(f"{self.key}:".encode()).decode()}
        return {"Authorization": f"Bearer {self.key}"}


FORM = "application/x-www-form-urlencoded"


def encode(params: Mapping[str, Any]) -> str:
    """Parameters in Stripe's bracket form: `{"a": {"b": [1]}}` is `a[b][0]=1`. None and "" are both an empty value."""
    return urlencode([pair for name, value in params.items() for pair in _pairs(name, value)])


def _pairs(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner, item in value.items():
            yield from _pairs(f"{name}[{inner}]", item)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _pairs(f"{name}[{position}]", item)
    else:
        yield (
            name,
            {True: "true", False: "false", None: ""}[value]
            if value is None or value is True or value is False
            else str(value),
        )


@pytest.fixture
def api(key: str) -> Api:
    """The café's server, with its secret test key."""
    return Api(key)


@pytest.fixture
def live_api(live_key: str) -> Api:
    """The café's server, with its secret live key."""
    return Api(live_key)


@pytest.fixture
def other_api(other_key: str) -> Api:
    """The stranger's server, with the stranger's secret test key."""
    return Api(other_key)


# --- words for all -------------------------------------------------------------------


def shown(prefix: str, row: models.Model | UUID) -> str:
    """The id of a row as the API shows it: `shown("cus", customer)`."""
    return ids.show(prefix, row if isinstance(row, UUID) else row.pk)


def origin_of(book: Book) -> Origin:
    """Where an operation comes from that no request asked for."""
    return Origin(livemode=book.livemode)


def move_clock(book: Book, to: datetime) -> None:
    """Put the clock of a test book somewhere else; keys that are remembered with the old time are forgotten."""
    Book.objects.filter(pk=book.pk).update(clock_at=to)
    book.clock_at = to
    _forget()


def wait_until(condition: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true, for a minute at most. Gives the answer."""
    end = time.monotonic() + 60
    while not (answer := condition()):
        assert time.monotonic() < end, "waited for a minute"
        time.sleep(0.01)
    return answer


def waiting_for_locks() -> int:
    """How many statements of this database wait for somebody's lock at this moment."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        )
        return cursor.fetchone()[0]


def race(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls at the same moment, a thread and a connection each. Gives what they returned or raised, in order.

    Needs a test with `transaction=True`: another connection sees only what was committed.
    """
    start = threading.Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(position: int, call: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=30)
            outcomes[position] = call()
        except Exception as error:
            outcomes[position] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=numbered) for numbered in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive(), "a racer is still waiting after a minute"
    return outcomes


@pytest.fixture
def reactions(settings: Any) -> Iterator[dict[str, Sequence[str]]]:
    """The table of reactions for one test: fill it with `event type -> dotted names of handlers`."""
    settings.EVENT_REACTIONS = "tests.cast.REACTIONS"
    router.reset()
    yield REACTIONS
    REACTIONS.clear()
    settings.EVENT_REACTIONS = "merchant_platform.reactions.REACTIONS"
    router.reset()


REACTIONS: dict[str, Sequence[str]] = {}


def found(slug: str, name: str) -> Merchant:
    """A merchant in Shanghai that sells in CNY; its test book's clock stands at NOW."""
    merchant = merchants.found(slug=slug, name=name, country="CN", time_zone="Asia/Shanghai", currency="CNY", now=NOW)
    Book.objects.filter(merchant=merchant, mode=TEST).update(clock_at=NOW)
    return merchant


def book_of(merchant: Merchant, mode: str) -> Book:
    return Book.objects.select_related("merchant").get(merchant=merchant, mode=mode)


def name_cluster() -> None:
    """The one row of the payments app that a migration writes: emptying the tables takes it along."""
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_cluster (id, system_identifier)"
            " SELECT 1, system_identifier FROM pg_control_system() ON CONFLICT (id) DO NOTHING"
        )


def _forget() -> None:
    """What this process remembers of keys: each test has keys of its own."""
    memory.holders.clear()
    memory.polled_at = float("-inf")
