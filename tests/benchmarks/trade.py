"""A book's years of trade, by COPY into the real tables, for what is measured over much history.

The rows are made by one connection's `COPY (SELECT …) TO` and taken by another's `COPY …
FROM`, a batch of orders at a time and in the order of time, as trade would have left them.
References are checked afterwards for new rows alone, as a restore does. Two lines an
order; one order in 25 is given back whole. Transfers are not made: no fact reads them.
"""

import os
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
from django.conf import settings

from merchant_platform.kernel import ids, tenancy
from payments.customers.models import PaymentMethod
from security.merchants.models import Book, Store

ORDERS_A_BATCH = 100_000
CUSTOMERS, STORES, CATEGORIES = 200_000, 4, 40
BRANDS = ("", "visa", "mastercard", "unionpay")
_PRICE, _FEE = 1500, 12
# What the seeded lines occupy.
TABLES = (
    *("payments_order", "payments_orderline", "payments_paymentintent", "payments_attempt", "payments_entry"),
    "payments_refund",
)
# An id as kernel/ids.py makes them: a time in milliseconds, then what tells rows apart.
_ID = "(lpad(to_hex({ms}), 12, '0') || '70008' || lpad('{kind}', 3, '0') || lpad(to_hex({n}), 12, '0'))::uuid"


@dataclass(frozen=True, slots=True)
class Trade:
    """Orders 0, 1, 2 … of a book, `step` apart from `since` on."""

    book: Book
    since: datetime
    step: timedelta
    stores: tuple[str, ...]
    methods: tuple[str, ...]


def prepare(book: Book, *, since: datetime, step: timedelta) -> Trade:
    """The stores, the ways of paying and the customers, who are older than every order."""
    stores = [
        Store.objects.create(id=ids.new(since), merchant=book.merchant, name=f"Store {number}", created_at=since)
        for number in range(STORES)
    ]
    with tenancy.within(book.pk):
        methods = [
            PaymentMethod.objects.create(
                id=ids.new(since), book_id=book.pk, type="card" if brand else "wallet",
                card={"brand": brand, "last4": "4242"} if brand else None, created_at=since,
            )
            for brand in BRANDS
        ]  # fmt: skip
    trade = Trade(book, since, step, tuple(str(each.pk) for each in stores), tuple(str(each.pk) for each in methods))
    with closing(psycopg2.connect(settings.OWNER_URL)) as source, closing(psycopg2.connect(settings.OWNER_URL)) as into:
        _pass_on(source, into, "payments_customer", _customers(trade))
        into.commit()
    return trade


def sell(trade: Trade, first: int, after: int) -> None:
    """Write the orders from `first` up to `after`."""
    with closing(psycopg2.connect(settings.OWNER_URL)) as source, closing(psycopg2.connect(settings.OWNER_URL)) as into:
        references = _without_references(into)
        for begins in range(first, after, ORDERS_A_BATCH):
            ends = min(begins + ORDERS_A_BATCH, after)
            for table, columns in _rows(trade, begins, ends).items():
                _pass_on(source, into, table, columns)
            into.commit()
        with into.cursor() as cursor:
            for statement in references:
                cursor.execute(statement)
        into.commit()


def bytes_of_tables() -> int:
    """What the tables of TABLES occupy with their indexes."""
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s) AS name", [list(TABLES)])
        return int(cursor.fetchone()[0])


def _without_references(connection: Any) -> list[str]:
    """Drop the foreign keys of the tables; returns what makes them again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])",
            [list(TABLES)],
        )
        found = cursor.fetchall()
        for table, name, _ in found:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    connection.commit()
    return [
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition.removesuffix(' NOT VALID')} NOT VALID"
        for table, name, definition in found
    ]


def _pass_on(source: Any, into: Any, table: str, columns: dict[str, str]) -> None:
    """What a SELECT makes, into a table: no row passes through Python."""
    named = {name: value for name, value in columns.items() if name}
    chosen = ", ".join(f"{value} AS {name}" for name, value in named.items())
    reading, writing = os.pipe()

    def send() -> None:
        with os.fdopen(writing, "wb") as out, source.cursor() as cursor:
            cursor.copy_expert(f"COPY (SELECT {chosen} FROM {columns['']}) TO STDOUT", out)

    thread = threading.Thread(target=send)
    thread.start()
    with os.fdopen(reading, "rb") as received, into.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(named)}) FROM STDIN", received)
    thread.join()


def _customers(trade: Trade) -> dict[str, str]:
    return {
        "id": _customer(trade, "n"),
        "book_id": f"'{trade.book.pk}'",
        "name": "'Customer ' || n",
        "preferred_locales": "'[]'",
        "metadata": "'{}'",
        "created_at": f"'{trade.since.isoformat()}'",
        "": f"generate_series(0, {CUSTOMERS - 1}) AS n",
    }


def _customer(trade: Trade, number: str) -> str:
    return _ID.format(ms=_ms(trade.since), kind="c", n=number)


def _rows(trade: Trade, first: int, after: int) -> dict[str, dict[str, str]]:
    """The columns of each table as expressions over the numbers of orders."""
    base, step = _ms(trade.since), trade.step / timedelta(milliseconds=1)
    at = f"({base} + (n * {step}::float8)::bigint)"
    orders = f"(SELECT n, {at} AS ms FROM generate_series({first}, {after - 1}) AS n) AS o"
    back = f"(SELECT n, {at} + 3600000 AS ms, {at} AS made_ms FROM generate_series({first}, {after - 1}) AS n"
    back += " WHERE n % 25 = 7) AS o"
    own = {"book_id": f"'{trade.book.pk}'"}
    # One order in nine is a guest's. The others are spread unevenly: some come often.
    who = _customer(trade, f"(n * 7919::bigint % {CUSTOMERS}) * (n % 7 + 1) / 7")
    customer = f"CASE WHEN n % 9 = 0 THEN NULL ELSE {who} END"
    store = f"('{{{','.join(trade.stores)}}}'::uuid[])[1 + n % {STORES}]"
    method = f"('{{{','.join(trade.methods)}}}'::uuid[])[1 + n % {len(BRANDS)}]"
    brand = f"('{{{','.join(BRANDS[1:])}}}'::text[])[n % {len(BRANDS)}]"
    is_back = "n % 25 = 7"
    total = 2 * _PRICE
    return {
        "payments_order": own
        | {
            "id": _ID.format(ms="ms", kind="1", n="n"),
            "customer_id": customer,
            "store_id": store,
            "status": f"CASE WHEN {is_back} THEN 'refunded' ELSE 'paid' END",
            "is_implicit": "false",
            "currency": "'CNY'",
            "total_minor": str(total),
            "paid_minor": str(total),
            "refunded_minor": f"CASE WHEN {is_back} THEN {total} ELSE 0 END",
            "metadata": "'{}'",
            "created_at": _at("ms"),
            "": orders,
        },
        "payments_orderline": own
        | {
            "id": _ID.format(ms="ms", kind="2", n="2 * n + line"),
            "order_id": _ID.format(ms="ms", kind="1", n="n"),
            "description": "'Something that was sold'",
            "category": f"'category ' || (n + 7 * line) % {CATEGORIES}",
            "quantity": "1",
            "unit_price_minor": str(_PRICE),
            "discount_minor": "0",
            "tax_minor": "0",
            "amount_minor": str(_PRICE),
            "refunded_minor": f"CASE WHEN {is_back} THEN {_PRICE} ELSE 0 END",
            "refunded_quantity": f"CASE WHEN {is_back} THEN 1 ELSE 0 END",
            "": f"{orders}, generate_series(0, 1) AS line",
        },
        "payments_paymentintent": own
        | {
            "id": _ID.format(ms="ms", kind="3", n="n"),
            "order_id": _ID.format(ms="ms", kind="1", n="n"),
            "customer_id": customer,
            "payment_method_id": method,
            "status": "'succeeded'",
            "amount_minor": str(total),
            "received_minor": str(total),
            "currency": "'CNY'",
            "capture_method": "'automatic_async'",
            "confirmation_method": "'automatic'",
            "payment_method_types": """'["card", "wallet"]'""",
            "latest_attempt_id": _ID.format(ms="ms", kind="4", n="n"),
            "metadata": "'{}'",
            "created_at": _at("ms"),
            "": orders,
        },
        "payments_entry": own
        | {
            "id": _ID.format(ms="ms", kind="5", n="n"),
            "reference": "'capture:' || n",
            "kind": "'charge'",
            "source_id": _ID.format(ms="ms", kind="4", n="n"),
            "unit": "'CNY/2'",
            "amount_minor": str(total),
            "fee_minor": str(_FEE),
            "effective_at": _at("ms"),
            "available_at": _at("ms"),
            "": orders,
        },
        "payments_attempt": own
        | {
            "id": _ID.format(ms="ms", kind="4", n="n"),
            "intent_id": _ID.format(ms="ms", kind="3", n="n"),
            "customer_id": customer,
            "payment_method_id": method,
            "method": f"CASE WHEN n % {len(BRANDS)} = 0 THEN 'wallet' ELSE 'card' END",
            "card": f"""CASE WHEN n % {len(BRANDS)} = 0 THEN NULL ELSE
                format('{{"brand": "%s", "last4": "4242"}}', {brand}) END""",
            "status": "'captured'",
            "amount_minor": str(total),
            "captured_minor": str(total),
            "refunded_minor": f"CASE WHEN {is_back} THEN {total} ELSE 0 END",
            "currency": "'CNY'",
            "fee_rate_ppm": "4000",
            "fee_minor": str(_FEE),
            "entry_id": _ID.format(ms="ms", kind="5", n="n"),
            "billing_details": "'{}'",
            "metadata": "'{}'",
            "created_at": _at("ms"),
            "": orders,
        },
        "payments_refund": own
        | {
            "id": _ID.format(ms="ms", kind="7", n="n"),
            "attempt_id": _ID.format(ms="made_ms", kind="4", n="n"),
            "intent_id": _ID.format(ms="made_ms", kind="3", n="n"),
            "status": "'succeeded'",
            "amount_minor": str(total),
            "fee_returned_minor": str(_FEE),
            "currency": "'CNY'",
            "entry_id": _ID.format(ms="ms", kind="8", n="n"),
            "metadata": "'{}'",
            "created_at": _at("ms"),
            "": back,
        },
        # The entries of refunds.
        "payments_entry ": own
        | {
            "id": _ID.format(ms="ms", kind="8", n="n"),
            "reference": "'refund:' || n",
            "kind": "'refund'",
            "source_id": _ID.format(ms="ms", kind="7", n="n"),
            "unit": "'CNY/2'",
            "amount_minor": str(-total),
            "fee_minor": str(-_FEE),
            "effective_at": _at("ms"),
            "available_at": _at("ms"),
            "": back,
        },
    }


def _at(ms: str) -> str:
    return f"to_timestamp({ms} / 1000.0)"


def _ms(at: datetime) -> int:
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
