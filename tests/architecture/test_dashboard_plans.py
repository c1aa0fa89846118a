"""No page of the dashboard reads more of a long history than of a short one.

Every page is opened by its owner over two histories, one of them with the same newest
payments and many more before them; each statement that the page asked is planned and run
again as the app role. A page that is added is found by its address; one with an object in
its address needs an example of it here.
"""

import os
from collections import Counter
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, reverse

from analytics.facts import operations as facts
from merchant_platform.kernel import tenancy
from security.merchants import operations as merchants
from tests.architecture.asking import as_owner
from tests.architecture.history import History
from tests.architecture.plans import scans
from tests.cast import NOW, name_cluster, shown
from tests.staff import make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])

# A payment every so often: Home's 28 days, and the 28 before them, hold 4,480.
SPACING = timedelta(minutes=18)
# The short history reaches beyond every window that a page looks through (payments/listing/windows.py).
SHORT, LONG, MILLION = 6_000, 30_000, 1_000_000
# What a page may read at most where it reads more than of the short history: the windows and counts of all its tabs,
# which the short one does not fill.
ROWS_MAX = 25_000
# Examples of the objects that stand in addresses.
OBJECTS = {
    "payment": lambda h: shown("pi", h.id("intent", 70)),
    "customer": lambda h: shown("cus", h.id("customer", 3)),
    "event": lambda h: shown("evt", h.id("event", 70)),
    "member": lambda h: shown("mem", h.id("member", 3)),
    "order": lambda h: shown("ord", h.id("order", 70)),
    "webhook": lambda h: shown("we", h.id("hook", 1)),
    "refund": lambda h: shown("re", h.id("refund", 70)),
    "chart": lambda h: "volume",
}
# Objects that no history makes more of, or that are reached by their own key alone.
APART = {
    *("view", "job", "note", "key", "price", "product", "method", "staff", "store", "device", "invitation", "delivery"),
    *("request_id", "request", "code", "token", "approval", "session", "act", "colleague", "place", "role", "record"),
    *("merge", "duplicate", "offer", "card", "kind", "programme", "sheet", "promotion"),
    *("report", "schedule"),
}
# Pages that give out all they are asked for, in batches: how much they read is how much they say.
WHOLE = ("export",)
# Questions beside the plain address, by the page's name.
QUESTIONS: dict[str, list[dict[str, str]]] = {
    "home": [{"period": "7"}, {"period": "28"}],
    "payments": [
        *({"status": status} for status in ("succeeded", "refunded", "uncaptured", "processing", "failed")),
        *({"status": status} for status in ("incomplete", "canceled")),
        {"currency": "cny"},
        {"currency": "eur"},
        {"method": "card"},
        {"method": "wallet", "status": "canceled"},
        {"amount_min": "1.00", "amount_max": "1.00"},
        {"amount_min": "5.00"},
        {"last4": "0075"},
        {"last4": "4242"},
        {"customer": "r3@example.com"},
        {"order": "unknown"},
        {"metadata": "receipt=R77"},
        {"metadata": "channel=till"},
        {"created_from": "2026-02-20", "created_to": "2026-02-27"},
        {"created_from": "2026-02-20", "created_to": "2026-02-27", "status": "failed", "method": "card"},
    ],
    "refunds": [{"status": "succeeded"}, {"status": "failed"}, {"reason": "duplicate"}, {"currency": "eur"}],
    "balance": [{"type": "payment"}, {"type": "payment_refund"}, {"currency": "eur"}],
    "customers": [{"q": "r3@example.com"}, {"q": "guest 77"}, {"q": "Regular"}],
    "members": [{"q": "r3"}, {"q": "guest 77"}, {"q": "Regular"}, {"source": "qr"}, {"status": "left"}],
    "search": [{"q": "0075"}, {"q": "1.00"}, {"q": "guest 77"}, {"q": "r3@example.com"}, {"q": "nobody at all"}],
    "stored_value": [{"tab": "active"}, {"tab": "frozen"}, {"tab": "expired"}, {"q": "0075"}],
    "palette": [{"q": "0075"}, {"q": "guest"}],
    "events": [{"type": "charge.succeeded"}, {"type": "payout.paid"}],
}


def pages() -> dict[str, set[str]]:
    """Every page of the dashboard that can be opened, by its route's name, with the objects in its address."""
    found: dict[str, set[str]] = {}
    for pattern in _patterns(get_resolver()):
        is_desk = hasattr(pattern.callback, "desk_action") and pattern.default_args.get("mode") == "test"
        if is_desk and pattern.name and not any(word in pattern.name for word in WHOLE):
            found[pattern.name] = set(pattern.pattern.converters) - {"merchant"}
    return found


def _patterns(resolver):
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield each
        else:
            yield from _patterns(each)


def addresses(history: History) -> list[str]:
    """Every address that is tried, with its questions."""
    found = []
    for name, objects in pages().items():
        if objects & APART:
            continue
        examples = {each: OBJECTS[each](history) for each in objects}
        path = reverse(name, kwargs={"merchant": history.book.merchant.slug, "mode": "test", **examples})
        found += [path, *(f"{path}?{urlencode(question)}" for question in QUESTIONS.get(name, []))]
    return found


def measure(history: History, client, *, by_index: bool) -> dict[str, Counter[str]]:
    """What each page reads: rows by what they were read from. Pages that only take forms read nothing."""
    as_owner("VACUUM ANALYZE")
    found: dict[str, Counter[str]] = {}
    for address in addresses(history):
        with CaptureQueriesContext(connections["default"]) as captured:
            response = client.get(address)
        # A step of a form wants more than its address, and says so; the page of an object shows it.
        is_object = response.resolver_match.url_name in OBJECTS
        assert response.status_code == 200 if is_object else response.status_code < 500, (address, response.status_code)
        read: Counter[str] = Counter()
        with tenancy.within(history.book.pk):
            for each in captured:
                for rows, source in scans("default", each["sql"], by_index=by_index):
                    read[source] += rows
        found[address] = read
    return found


def histories(
    short: int, long: int, *, by_index: bool = False
) -> tuple[dict[str, Counter[str]], dict[str, Counter[str]]]:
    """What the pages read of a short history, and of a long one; `by_index` whatever the planner would rather do."""
    name_cluster()
    merchants.found_platform(now=NOW)
    cafe = History("cafe", 1, spacing=-SPACING, has_losses=True)
    # A neighbour in the same days: who reads by time alone, and not by book, reads its rows too.
    History("bakery", 2, spacing=-SPACING).grow_to(short)
    client = signed_in(make_staff(cafe.book.merchant, "owner"))
    cafe.grow_to(short)
    _follow(cafe)
    before = measure(cafe, client, by_index=True)
    cafe.grow_to(long)
    _follow(cafe)
    return before, measure(cafe, client, by_index=by_index)


def _follow(history: History) -> None:
    """The facts of a history that no event tells of."""
    facts.rebuild(history.book.pk)
    as_owner("VACUUM ANALYZE")
    facts.run()


def grown(before: dict[str, Counter[str]], after: dict[str, Counter[str]]) -> list[str]:
    """The pages that read more of the longer history, and of what."""
    return [
        f"{address}: {before[address].total()} rows, then {read.total()}: {(read - before[address]).most_common(2)}"
        for address, read in after.items()
        if read.total() > max(before[address].total(), ROWS_MAX)
    ]


class TestPages:
    def test_have_an_example_of_each_object_in_their_addresses(self):
        unknown = {name: objects - OBJECTS.keys() - APART for name, objects in pages().items()}

        assert {name: objects for name, objects in unknown.items() if objects} == {}

    def test_read_no_more_of_a_long_history(self):
        found = grown(*histories(SHORT, LONG, by_index=True))

        assert not found, "\n".join(found)

    @pytest.mark.prove
    def test_read_no_more_of_a_million_payments(self, record_property):
        before, after = histories(SHORT, int(os.environ.get("PROVE_PAYMENTS", MILLION)))

        record_property("pages", len(after))
        found = grown(before, after)
        assert not found, "\n".join(found)
