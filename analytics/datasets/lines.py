"""Sales lines out of the database: COPY to Arrow, without an object a row.

A line is what one entry of the ledger moved for one line of an order; the SELECT is that
of the facts (analytics/facts/cubes.py), so that what is summed here is what is summed
there. Days and hours are those of the merchant's zone, made by the database as in the facts.
"""

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
from django.db import connections
from pyarrow import csv

from analytics.datasets.files import COLUMNS
from analytics.facts.cubes import GAP, SALES, SALES_LINES
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.arrays import literal

_NAMES = ("number", "at", *SALES.dimensions, *SALES.measures, "entry_kind", "product_id", "customer_id")
# In the order of files.COLUMNS. A refund that failed is a refund of less than nothing.
_COPY = f"""
COPY (
    {GAP}, rows ({", ".join(_NAMES)}) AS ({SALES_LINES})
    SELECT floor(extract(epoch FROM at) * 1000)::bigint AS at,
        (at AT TIME ZONE %(zone)s)::date - date '1970-01-01' AS day,
        (extract(isodow FROM at AT TIME ZONE %(zone)s) - 1)::int * 24
            + extract(hour FROM at AT TIME ZONE %(zone)s)::int AS hour,
        CASE WHEN entry_kind = 'charge' THEN 'charge' ELSE 'refund' END AS kind,
        currency, store_id AS store, method, brand, category,
        coalesce(product_id::text, '') AS product, coalesce(customer_id::text, '') AS customer,
        charges_count + refunds_count AS count, baskets_count AS basket,
        collected_minor + refunded_minor AS amount_minor, discounts_minor AS discount_minor, tax_minor,
        fees_minor AS fee_minor, items_milli
    FROM rows
) TO STDOUT WITH (FORMAT csv, HEADER true)
"""


def copy(stretches: Sequence[tuple[datetime, datetime]], *, zone: str, scratch: Path) -> pa.Table:
    """The sales lines of the open book in some stretches of time, as files.COLUMNS. One statement; nothing is fetched.

    What the database sends passes through a file in `scratch` that has no name.
    """
    asked = {
        "book": tenancy.book_id(),
        "zone": zone,
        "sinces": literal(since for since, _ in stretches),
        "untils": literal(until for _, until in stretches),
    }
    with connections["default"].cursor() as cursor, tempfile.TemporaryFile(dir=scratch) as received:
        # COPY goes round the wrapper that names the book with a unit of work's first statement (kernel/tenancy.py).
        cursor.execute("SELECT 1")
        cursor.copy_expert(cursor.mogrify(_COPY, asked).decode(), received)
        received.seek(0)
        return csv.read_csv(
            received,
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(column_types=COLUMNS, strings_can_be_null=False),
        )
