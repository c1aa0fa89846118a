"""Nothing on a merchant's way grows with its history: a question reads as much of 20,000 rows as of 2,000.

Plans are made as the app role: under row-level security only plain comparisons reach an index.
"""

from collections.abc import Callable, Iterator

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.events import relay
from merchant_platform.kernel.wire import load
from payments.webhooks import fan_out, queue
from security.credentials import keys
from security.credentials.models import SECRET
from security.merchants import operations as merchants
from tests import database
from tests.architecture.asking import as_owner
from tests.architecture.history import BEGAN, History
from tests.cast import NOW, Api, name_cluster, shown

pytestmark = pytest.mark.django_db(databases=["default", "platform"])

SMALL, LARGE = 2_000, 20_000
# What one question may read at either size: a page and one row more of each index it walks, and little besides.
ROWS_MAX = 100

# The questions a merchant asks, by what they are called here. Each is a request to the API.
REQUESTS: dict[str, Callable[[History], tuple[str, dict]]] = {
    "a payment": lambda h: (f"payment_intents/{shown('pi', h.id('intent', 70))}", {}),
    "payments, newest first": lambda h: ("payment_intents", {}),
    "payments after a cursor": lambda h: ("payment_intents", {"starting_after": shown("pi", h.id("intent", 900))}),
    "payments before a cursor": lambda h: ("payment_intents", {"ending_before": shown("pi", h.id("intent", 900))}),
    "payments until a second": lambda h: ("payment_intents", {"created": {"lte": clock.unix(BEGAN) + 1}}),
    "payments since a second": lambda h: ("payment_intents", {"created": {"gt": clock.unix(BEGAN)}}),
    "payments of a customer": lambda h: ("payment_intents", {"customer": shown("cus", h.id("customer", 3))}),
    "payments by a rare metadata": lambda h: ("payment_intents/search", {"query": 'metadata["receipt"]:"R77"'}),
    "payments by a common metadata": lambda h: ("payment_intents/search", {"query": 'metadata["channel"]:"till"'}),
    "payments by an unknown metadata": lambda h: ("payment_intents/search", {"query": 'metadata["receipt"]:"none"'}),
    "payments by a customer, searched": lambda h: (
        "payment_intents/search",
        {"query": f'customer:"{shown("cus", h.id("customer", 3))}"'},
    ),
    "payments by a rare status": lambda h: ("payment_intents/search", {"query": 'status:"canceled"'}),
    "charges, newest first": lambda h: ("charges", {}),
    "charges of a payment": lambda h: ("charges", {"payment_intent": shown("pi", h.id("intent", 70))}),
    "charges of a customer": lambda h: ("charges", {"customer": shown("cus", h.id("customer", 3))}),
    "refunds, newest first": lambda h: ("refunds", {}),
    "refunds of a charge": lambda h: ("refunds", {"charge": shown("ch", h.id("attempt", 70))}),
    "refunds of a payment": lambda h: ("refunds", {"payment_intent": shown("pi", h.id("intent", 70))}),
    "customers, newest first": lambda h: ("customers", {}),
    "customers by e-mail": lambda h: ("customers", {"email": "G77@example.com"}),
    "customers by e-mail, searched": lambda h: ("customers/search", {"query": 'email:"g77@example.com"'}),
    "customers by name, searched": lambda h: ("customers/search", {"query": 'name:"guest 77"'}),
    "customers by phone, searched": lambda h: ("customers/search", {"query": 'phone:"+177"'}),
    "a customer's methods": lambda h: (f"customers/{shown('cus', h.id('customer', 1))}/payment_methods", {}),
    "orders, newest first": lambda h: ("orders", {}),
    "orders of a customer": lambda h: ("orders", {"customer": shown("cus", h.id("customer", 3))}),
    "balance transactions, newest first": lambda h: ("balance_transactions", {}),
    "balance transactions of a charge": lambda h: (
        "balance_transactions",
        {"source": shown("ch", h.id("attempt", 70))},
    ),
    "the balance": lambda h: ("balance", {}),
    "events, newest first": lambda h: ("events", {}),
    "events of a type": lambda h: ("events", {"type": "charge.succeeded"}),
    "deliveries of an endpoint": lambda h: (f"webhook_endpoints/{shown('we', h.id('hook', 1))}/deliveries", {}),
    "deliveries that failed": lambda h: (
        f"webhook_endpoints/{shown('we', h.id('hook', 1))}/deliveries",
        {"status": "failed"},
    ),
    "events of a type that never happened": lambda h: ("events", {"type": "payout.paid"}),
}
# A unit of work names its book in the trip of its first statement.
NAMING = "SELECT set_config('app.book'"
CLAIM = "the relay's claim"
CARRIED = "the courier's claim"
FANNED_OUT = "what the fan-out asks where nothing is new"


@pytest.fixture(scope="module")
def measured(django_db_setup, django_db_blocker):
    """How many rows each question reads, at both sizes."""
    with django_db_blocker.unblock():
        name_cluster()
        merchants.found_platform(now=NOW)
        cafe = History("cafe", 1)
        History("bakery", 2).grow_to(SMALL)
        _, text = keys.make(book=cafe.book, kind=SECRET, now=NOW)
        try:
            yield [_measure(size, cafe, Api(text)) for size in (SMALL, LARGE)]
        finally:
            database.empty()


def _measure(size: int, cafe: History, api: Api) -> dict[str, int]:
    cafe.grow_to(size)
    as_owner("ANALYZE")
    found = {}
    for name, request in REQUESTS.items():
        path, params = request(cafe)
        with CaptureQueriesContext(connections["default"]) as captured:
            reply = api.get(path, params)
        assert reply.status == 200, (name, reply.json)
        with tenancy.within(cafe.book.pk):
            found[name] = _read("default", [each["sql"] for each in captured])
    for _ in range(3):
        fan_out.run_once(now=NOW)
    for name, act in (
        (CLAIM, lambda: relay._claim(now=NOW, limit=2)),
        (CARRIED, lambda: queue.claim(now=NOW, room=2, room_held_back=1, paces={})),
        (FANNED_OUT, lambda: fan_out.run_once(now=NOW)),
    ):
        with transaction.atomic(using="platform"):
            with CaptureQueriesContext(connections["platform"]) as captured:
                act()
            transaction.set_rollback(True, using="platform")
        with transaction.atomic(using="platform"):
            found[name] = _read("platform", [each["sql"] for each in captured])
            transaction.set_rollback(True, using="platform")
    return found


def _read(alias: str, statements: list[str]) -> int:
    """How many rows the scans of statements read, whether they kept them or not."""
    rows = 0
    for statement in statements:
        if statement.startswith(NAMING):
            statement = statement.partition(";")[2]
        if not statement.strip().startswith(("SELECT", "UPDATE", "WITH")):
            continue
        with connections[alias].cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF, FORMAT JSON) {statement}")
            (plan,) = cursor.fetchone()
        for node in _nodes((load(plan) if isinstance(plan, str) else plan)[0]["Plan"]):
            if node["Node Type"].endswith("Scan"):
                removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
                rows += round((node["Actual Rows"] + removed) * node["Actual Loops"])
    return rows


def _nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


class TestQuestion:
    @pytest.mark.parametrize("question", [*REQUESTS, CLAIM, CARRIED, FANNED_OUT])
    def test_reads_no_more_of_a_long_history(self, question, measured):
        assert max(rows[question] for rows in measured) <= ROWS_MAX
