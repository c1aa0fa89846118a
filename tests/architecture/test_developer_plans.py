"""What developers ask of the request log and of events reads an index, as the app role, whatever lies before it."""

import pytest
from django.db import connections

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.request_log import operations, queries
from merchant_platform.kernel.request_log.lines import Noted, kept
from merchant_platform.kernel.request_log.queries import Wanted
from merchant_platform.kernel.wire import load
from tests.architecture.asking import as_owner
from tests.cast import NOW, shown

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
ROWS, PAGE = 5_000, 26
READ_MAX = 2 * PAGE


@pytest.fixture
def logged(book, other_book):
    """A long log: one request in a thousand is rare in every way that can be asked for."""
    rare_key, key = ids.new(NOW), ids.new(NOW)
    rare = shown("cus", ids.new(NOW))
    lines = [
        kept(
            Noted(
                *(ids.new(clock.wall()), each.pk, "DELETE" if number % 1_000 == 7 else "GET"),
                *("/v1/rare/{id}" if number % 1_000 == 7 else "/v1/customers", (rare,) if number % 1_000 == 7 else ()),
                *(500 if number % 1_000 == 7 else 200, b"", rare_key if number % 1_000 == 7 else key, "secret"),
                *("", "", "", "", 1_000, ()),
            )
        )
        for each in (book, other_book)
        for number in range(ROWS)
    ]
    operations.write(lines)
    as_owner("ANALYZE kernel_loggedrequest")
    return {"key_id": rare_key, "object_id": rare}


def read(book, rows):
    """How many rows the plan of a page reads, and the names of its scans."""
    with tenancy.within(book.pk), connections["default"].cursor() as cursor:
        statement, parameters = rows.order_by("-pk")[:PAGE].query.sql_with_params()
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON) {statement}", parameters)
        (plan,) = cursor.fetchone()
    nodes, counted, scans = [(load(plan) if isinstance(plan, str) else plan)[0]["Plan"]], 0, set()
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", ())
        if node["Node Type"].endswith("Scan"):
            scans.add(node["Node Type"])
            counted += (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return counted, scans


class TestRequestLog:
    @pytest.mark.parametrize(
        "wanted",
        [
            Wanted(),
            Wanted(status_class=5),
            Wanted(method="DELETE"),
            Wanted(path="/v1/rare/{id}"),
            Wanted(key_id=ids.first_at(NOW)),
            Wanted(object_id="cus_nobody"),
            Wanted(before=NOW),
        ],
        ids=lambda wanted: str(wanted)[:60],
    )
    def test_reads_a_page_and_no_more(self, logged, book, wanted):
        counted, scans = read(book, queries.matching(wanted))

        assert counted <= READ_MAX
        assert "Seq Scan" not in scans

    def test_finds_the_rare(self, logged, book):
        for wanted in (Wanted(key_id=logged["key_id"]), Wanted(object_id=logged["object_id"]), Wanted(status_class=5)):
            with tenancy.within(book.pk):
                assert queries.matching(wanted).count() == ROWS // 1_000
            assert read(book, queries.matching(wanted))[0] <= READ_MAX


class TestEvents:
    def test_of_an_object_are_read_by_its_index(self, book):
        with tenancy.within(book.pk), connections["default"].cursor() as cursor:
            cursor.execute(
                "INSERT INTO kernel_event (id, book_id, type, created_at, data, is_public)"
                " SELECT gen_random_uuid(), %s, 'customer.updated', %s,"
                """ '{"id":"cus_' || n || '","object":"customer"}', true FROM generate_series(1, %s) n""",
                [book.pk, NOW, ROWS],
            )
        as_owner("ANALYZE kernel_event")

        counted, scans = read(book, Event.objects.filter(is_public=True, object_id="cus_77"))

        assert (counted, "Seq Scan" in scans) == (1, False)
