"""Search: what each clause finds, how clauses join, what cannot be asked, and that no query takes for ever."""

from datetime import timedelta

import pytest

from tests.cast import NOW, move_clock, shown
from tests.payments import books
from tests.payments.acts import ask_for, pay, refund

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

FIRST = int(NOW.timestamp())
# What each query finds, newest first.
INTENTS = {
    'status:"succeeded"': ["returned", "paid"],
    "status:'succeeded'": ["returned", "paid"],
    '-status:"succeeded"': ["declined", "open"],
    "amount:200": ["paid"],
    "amount>200": ["declined", "returned"],
    "amount>=200": ["declined", "returned", "paid"],
    "amount<200": ["open"],
    "amount<=200": ["paid", "open"],
    "-amount<=200": ["declined", "returned"],
    "amount>100 AND amount<300": ["paid"],
    "amount>100 amount<300": ["paid"],
    "amount>100 and amount<300": ["paid"],
    "amount<200 OR amount>300": ["declined", "open"],
    'currency:"usd"': ["open"],
    'currency:"CNY" AND status:"requires_payment_method"': ["declined"],
    'currency:"nope"': [],
    f"created:{FIRST + 10}": ["paid"],
    f"created>{FIRST + 10}": ["declined", "returned"],
    f"created>={FIRST + 10} AND created<{FIRST + 30}": ["returned", "paid"],
    f"created<={FIRST}": ["open"],
    "created<99999999999": ["declined", "returned", "paid", "open"],
    "customer:null": ["open"],
    "-customer:null": ["declined", "returned", "paid"],
    'customer:"cus_unknown"': [],
    'metadata["table"]:"7"': ["paid", "open"],
    "metadata['table']:'7'": ["paid", "open"],
    '-metadata["table"]:"7"': ["declined", "returned"],
    'metadata["table"]:null': ["declined"],
    '-metadata["table"]:null': ["returned", "paid", "open"],
    'metadata["table"]:"7" AND metadata["waiter"]:"Wang"': ["paid"],
    'metadata["waiter"]:"Wang" OR metadata["table"]:"8"': ["returned", "paid"],
    'metadata["TABLE"]:"7"': [],
    'metadata["table"]:""': [],
}
CHARGES = {
    'status:"succeeded"': ["returned", "paid"],
    'status:"failed"': ["declined"],
    'status:"nope"': [],
    'refunded:"true"': ["returned"],
    "refunded:false": ["declined", "paid"],
    'metadata["table"]:"8" OR amount>300': ["declined", "returned"],
    "amount<300 AND currency:cny": ["paid"],
}
CUSTOMERS = {
    'email:"lin@example.com"': ["Lin"],
    'email:"LIN@example.COM"': ["Lin"],
    "email:null": ["null"],
    '-email:"lin@example.com"': ["nameless", "null"],
    'name:"Lin Mei"': ["Lin"],
    'name:"lin mei"': [],
    'name:"null"': ["null"],
    "name:null": ["nameless"],
    'phone:"+86 21 5555"': ["null"],
    'metadata["table"]:"7" OR email:"wang@example.com"': ["nameless", "Lin"],
}
BAD = [
    "succeeded",
    'status:"succeeded',
    "status:",
    "status",
    'status:"a" AND',
    'AND status:"a"',
    'status:"a" AND amount>1 OR amount<1',
    'status:"a"amount>1',
    'nothing:"a"',
    'status["a"]:"b"',
    'metadata:"a"',
    'metadata["a"]>"b"',
    'metadata["a"]~"b"',
    'status~"succ"',
    'status>"succeeded"',
    "amount:many",
    "amount:null",
    'amount:"1.5"',
    "amount:1234567890123456789",
    "created:yesterday",
    "created:999999999999",
    'currency>"cny"',
    'customer<"cus_1"',
    "(amount>1)",
    " AND ".join(["amount>1"] * 11),
]
# Each would take for ever to refuse if the pattern could read a character in two ways.
LONG = [
    'metadata["' + "\\a" * 490,
    'metadata["' + "\\" * 980,
    'name:"' + "\\a" * 490,
    "a" * 999,
    " " * 999,
    "-" * 999,
    "[" * 999,
    'metadata["a"]' * 76,
]
WORDS = ['say "cheese"', "back\\slash", "it's", "null", "AND", "王伟", "a]b", "{}", " ", "x" * 500]


@pytest.fixture
def search(api):
    """The ids that a query finds, newest first: `search("charges", 'amount>1')`."""

    def find(resource, query):
        found = api.get(f"{resource}/search", {"query": query, "limit": 100})
        assert found.status == 200, found.json
        assert (found.json["object"], found.json["url"]) == ("search_result", f"/v1/{resource}/search")
        return [row["id"] for row in found.json["data"]]

    return find


@pytest.fixture
def intents(api, book, customer, wallet_method):
    """Four intents, ten seconds apart: open, paid, paid and given back, declined."""
    method = wallet_method(customer, 10_000)
    made = {"open": ask_for(api, 100, currency="usd", metadata={"table": "7"})["id"]}
    move_clock(book, NOW + timedelta(seconds=10))
    made["paid"] = pay(api, method, 200, metadata={"table": "7", "waiter": "Wang"}).json["id"]
    move_clock(book, NOW + timedelta(seconds=20))
    returned = pay(api, method, 300, metadata={"table": "8"}).json
    refund(api, returned)
    made["returned"] = returned["id"]
    move_clock(book, NOW + timedelta(seconds=30))
    made["declined"] = pay(api, method, 99_999).error["payment_intent"]["id"]
    return made


class TestPaymentIntents:
    def test_are_found(self, search, intents):
        names = {identifier: name for name, identifier in intents.items()}

        found = {query: [names[each] for each in search("payment_intents", query)] for query in INTENTS}

        assert found == INTENTS

    def test_are_found_by_their_customer(self, search, intents, customer):
        assert search("payment_intents", f'customer:"{shown("cus", customer)}" AND amount<300') == [intents["paid"]]

    def test_are_paged(self, api, intents):
        first = api.get("payment_intents/search", {"query": "amount>0", "limit": 3}).json
        second = api.get("payment_intents/search", {"query": "amount>0", "limit": 3, "page": first["next_page"]}).json

        assert (first["has_more"], second["has_more"], second["next_page"]) == (True, False, None)
        assert [row["id"] for row in first["data"] + second["data"]] == list(intents.values())[::-1]

    def test_follow_a_change_of_their_metadata(self, api, search, intents):
        api.post(f"payment_intents/{intents['paid']}", {"metadata": {"table": "9", "waiter": ""}})

        assert search("payment_intents", 'metadata["table"]:"9"') == [intents["paid"]]
        assert search("payment_intents", 'metadata["table"]:"7"') == [intents["open"]]
        assert search("payment_intents", 'metadata["waiter"]:"Wang"') == []

    def test_lose_all_of_it_at_once(self, api, search, intents):
        api.post(f"payment_intents/{intents['paid']}", {"metadata": ""})

        assert search("payment_intents", 'metadata["table"]:"7"') == [intents["open"]]
        assert search("payment_intents", 'metadata["waiter"]:"Wang"') == []

    def test_are_found_by_any_words(self, api, search):
        intents = {words: ask_for(api, metadata={"words": words})["id"] for words in WORDS}
        escaped = {words: words.replace("\\", "\\\\").replace('"', '\\"') for words in WORDS}

        found = {words: search("payment_intents", f'metadata["words"]:"{escaped[words]}"') for words in WORDS}

        assert found == {words: [identifier] for words, identifier in intents.items()}


class TestCharges:
    def test_are_found(self, api, search, intents):
        names = {api.get(f"payment_intents/{each}").json["latest_charge"]: name for name, each in intents.items()}

        found = {query: [names[each] for each in search("charges", query)] for query in CHARGES}

        assert found == CHARGES


class TestCustomers:
    @pytest.fixture
    def people(self, api, book):
        """Three customers, a second apart, by the name that the tests call them."""
        fields = {
            "Lin": {"name": "Lin Mei", "email": "Lin@Example.com", "metadata": {"table": "7"}},
            "null": {"name": "null", "phone": "+86 21 5555"},
            "nameless": {"email": "wang@example.com"},
        }
        made = {}
        for second, (name, each) in enumerate(fields.items()):
            move_clock(book, NOW + timedelta(seconds=second))
            made[api.post("customers", each).json["id"]] = name
        return made

    def test_are_found(self, search, people):
        found = {query: [people[each] for each in search("customers", query)] for query in CUSTOMERS}

        assert found == CUSTOMERS

    def test_are_not_found_once_deleted(self, api, search, people):
        lin = next(iter(people))
        api.delete(f"customers/{lin}")

        assert search("customers", 'metadata["table"]:"7"') == []
        assert [people[each] for each in search("customers", "created>0")] == ["nameless", "null"]


class TestBadQuery:
    def test_is_refused_and_says_so(self, api):
        with books.unchanged():
            replies = {query: api.get("payment_intents/search", {"query": query}) for query in BAD}

        refusals = {
            query: (reply.status, reply.error["code"], reply.error["param"]) for query, reply in replies.items()
        }
        assert refusals == dict.fromkeys(BAD, (400, "search_query_invalid", "query"))
        assert all(reply.error["message"] for reply in replies.values())

    def test_of_charges_is_refused(self, api):
        queries = ("refunded:maybe", "refunded>true", 'status>"succeeded"')

        codes = [api.get("charges/search", {"query": query}).error["code"] for query in queries]

        assert codes == ["search_query_invalid"] * 3

    def test_needs_a_query_and_a_page_that_is_one(self, api):
        missing = api.get("customers/search")
        empty = api.get("customers/search", {"query": ""})
        long = api.get("customers/search", {"query": 'name:"' + "x" * 1_000 + '"'})
        page = api.get("customers/search", {"query": "created>0", "page": "2"})

        assert (missing.error["code"], missing.error["param"]) == ("parameter_missing", "query")
        assert (empty.error["code"], empty.error["param"]) == ("parameter_invalid_empty", "query")
        assert (long.error["code"], long.error["param"]) == ("parameter_invalid", "query")
        assert (page.status, page.error["param"]) == (400, "page")

    def test_is_refused_in_one_pass(self, api):
        assert [api.get("customers/search", {"query": query}).status for query in LONG] == [400] * len(LONG)
