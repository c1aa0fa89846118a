"""Wallet payments: create and confirm in one request, a key each."""

import itertools
import json
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import psycopg2
from django.conf import settings

from merchant_platform.embedded import postgres as embedded
from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.rows import unsaved
from payments import proof
from payments.customers import operations as customers
from payments.intents import objects
from payments.intents.models import Attempt, PaymentIntent
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.origin import Origin
from payments.wallets import operations as wallets
from security.credentials import keys
from security.merchants import operations as merchants
from security.merchants.models import Book
from tests.benchmarks import load

AMOUNT = 1234
FUNDS = 10**12
PAYERS = 1_000
MANY_MERCHANTS = 50
CLIENTS = (1, 4, 16)
BATCH = 1_000


@dataclass(frozen=True)
class Payer:
    book_id: uuid.UUID
    secret: str
    customer: uuid.UUID
    method: uuid.UUID


def measure(*, port: int, seconds: float, history: int, emit: Callable[..., None], scratch: Path) -> bool:
    """Run every measurement and print a line for each. Returns whether the books agree afterwards."""
    busy = _merchant("busy")
    many = [
        payer
        for number in range(MANY_MERCHANTS)
        for payer in _payers(_merchant(f"many-{number}"), PAYERS // MANY_MERCHANTS)
    ]
    payers = _payers(busy, PAYERS)
    fresh, veteran = _payers(busy, 2)
    _prepare_raw(payers[0])
    _give_history(veteran, history)

    raw = {clients: _pgbench(payers, clients=clients, seconds=seconds, scratch=scratch) for clients in CLIENTS}
    for clients, per_second in raw.items():
        emit(bench="raw limit", peer="pgbench, pay_wallets_v3", clients=clients, per_second=round(per_second))
    _load(port, payers, clients=4, seconds=2)  # warm: plans, connections, keys
    scenarios: list[tuple[str, Sequence[Payer], int]] = [
        *((f"{PAYERS} payers, one merchant", payers, clients) for clients in CLIENTS),
        (f"{len(many)} payers, {MANY_MERCHANTS} merchants", many, 16),
        ("one payer, fresh", [fresh], 1),
        (f"one payer, {history} payments before", [veteran], 1),
        ("one payer, fresh", [fresh], 16),
        (f"one payer, {history} payments before", [veteran], 16),
    ]
    has_errors = False
    for name, who, clients in scenarios:
        figures = _load(port, who, clients=clients, seconds=seconds)
        has_errors = has_errors or bool(figures.errors)
        emit(
            bench="POST /v1/payment_intents",
            payers=name,
            clients=clients,
            per_second=round(figures.per_second),
            p50_ms=round(figures.percentile_ms(50), 2),
            p95_ms=round(figures.percentile_ms(95), 2),
            p99_ms=round(figures.percentile_ms(99), 2),
            errors=len(figures.errors),
            first_error=figures.errors[0] if figures.errors else None,
            ratio_to_raw=round(figures.per_second / raw[clients], 3),
        )
    differences = proof.prove()
    emit(bench="reconcile", differences=len(differences), first=differences[0].detail if differences else None)
    return not differences and not has_errors


def _merchant(slug: str) -> tuple[Book, str]:
    now = clock.wall()
    merchant = merchants.found(slug=slug, name=slug, country="CN", time_zone="Asia/Shanghai", currency="CNY", now=now)
    book = Book.objects.get(merchant=merchant, mode="test")
    _, secret = keys.make(book=book, kind="secret", now=now)
    with tenancy.within(book.pk):
        ledger.open_accounts([chart.merchant(book.pk, "CNY", "test"), chart.fees(book.pk, "CNY", "test")])
    return book, secret


def _payers(merchant: tuple[Book, str], count: int) -> list[Payer]:
    book, secret = merchant
    now, origin = clock.wall(), Origin(livemode=False)
    found = []
    for number in range(count):
        wallet = wallets.open_test_wallet(balance_minor=FUNDS, currency="CNY", now=now)
        with tenancy.within(book.pk):
            customer = customers.create(fields={"name": f"Payer {number}"}, now=now, origin=origin)
            mandate = wallets.give_mandate(wallet=wallet, now=now)
            method = customers.save_wallet(customer=customer, mandate=mandate, now=now, origin=origin)
        found.append(Payer(book.pk, secret, customer.pk, method.pk))
    return found


def _prepare_raw(payer: Payer) -> None:
    """The raw function and the JSON it writes, as large as a real payment's."""
    now = clock.wall()
    intent = unsaved(
        PaymentIntent,
        id=ids.new(now),
        book_id=payer.book_id,
        order_id=ids.new(now),
        customer_id=payer.customer,
        payment_method_id=payer.method,
        status="succeeded",
        amount_minor=AMOUNT,
        received_minor=AMOUNT,
        currency="CNY",
        latest_attempt_id=ids.new(now),
        created_at=now,
    )
    attempt = unsaved(
        Attempt,
        id=ids.new(now),
        book_id=payer.book_id,
        intent_id=intent.pk,
        customer_id=payer.customer,
        payment_method_id=payer.method,
        method="wallet",
        status="captured",
        amount_minor=AMOUNT,
        captured_minor=AMOUNT,
        currency="CNY",
        entry_id=ids.new(now),
        created_at=now,
    )
    texts = [
        json.dumps(shown, separators=(",", ":"))
        for shown in (objects.payment_intent(intent, livemode=False), objects.charge(attempt, livemode=False))
    ]
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_json (intent text, charge text)")
        cursor.execute("TRUNCATE bench_json")
        cursor.execute("INSERT INTO bench_json VALUES (%s, %s)", texts)
        cursor.execute((Path(__file__).parent / "raw_payment.sql").read_text())
        app = settings.DATABASES["default"]["USER"]
        cursor.execute(f"GRANT EXECUTE ON FUNCTION bench_pay TO {app}")


def _accounts(book_id: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    return chart.merchant(book_id, "CNY", "test").id, chart.fees(book_id, "CNY", "test").id


def _give_history(payer: Payer, count: int) -> None:
    merchant, fees = _accounts(payer.book_id)
    with closing(psycopg2.connect(settings.APP_URL)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for start in range(0, count, BATCH):
                cursor.execute(
                    "SELECT count(bench_pay(%s::uuid, %s::uuid, %s::uuid, %s::uuid, %s::uuid))"
                    " FROM generate_series(1, %s)",
                    [str(payer.book_id), str(payer.customer), str(payer.method), str(merchant), str(fees),
                     min(BATCH, count - start)],
                )  # fmt: skip


def _pgbench(payers: Sequence[Payer], *, clients: int, seconds: float, scratch: Path) -> float:
    """Payments a second of pgbench, each from a payer by chance."""
    merchant, fees = _accounts(payers[0].book_id)
    with closing(psycopg2.connect(settings.OWNER_URL)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_payer (n integer PRIMARY KEY, customer uuid, method uuid)")
        cursor.execute("TRUNCATE bench_payer")
        cursor.execute(
            "INSERT INTO bench_payer SELECT row_number() OVER (), * FROM unnest(%s::uuid[], %s::uuid[])",
            [[str(payer.customer) for payer in payers], [str(payer.method) for payer in payers]],
        )
        cursor.execute("ANALYZE bench_payer")
    script = scratch / "raw.pgbench"
    script.write_text(
        f"\\set n random(1, {len(payers)})\n"
        f"SELECT bench_pay('{payers[0].book_id}', customer, method, '{merchant}', '{fees}')"
        " FROM bench_payer WHERE n = :n;\n"
    )
    parts = urlsplit(settings.APP_URL)
    environment = {"PGPASSWORD": unquote(parts.password or ""), "PATH": "/usr/bin:/bin"}
    host = unquote(parts.hostname or parse_qs(parts.query).get("host", [""])[0])
    done = subprocess.run(
        [str(embedded._programs() / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)),
         "-T", str(max(1, round(seconds))), "-f", str(script), "-h", host, "-p", str(parts.port or 5432),
         "-U", unquote(parts.username or ""), parts.path.lstrip("/")],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    match = re.search(r"tps = ([0-9.]+) \(without", done.stdout)
    if match is None:
        raise SystemExit(f"pgbench said:\n{done.stdout}\n{done.stderr}")
    return float(match[1])


def _load(port: int, payers: Sequence[Payer], *, clients: int, seconds: float) -> load.Figures:
    return load.run(
        port=port, clients=clients, seconds=seconds, requests=lambda n: _requests(payers[n::clients] or payers)
    )


def _requests(payers: Sequence[Payer]) -> Iterator[bytes]:
    run = uuid.uuid4().hex
    bodies = [
        (
            payer.secret,
            urlencode(
                {
                    "amount": AMOUNT,
                    "currency": "cny",
                    "customer": ids.show("cus", payer.customer),
                    "payment_method": ids.show("pm", payer.method),
                    "confirm": "true",
                    "off_session": "true",
                }
            ).encode(),
        )
        for payer in payers
    ]
    for number in itertools.count():
        secret, body = bodies[number % len(bodies)]
        yield (
            b"POST /v1/payment_intents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: %s-%d\r\nContent-Length: %d\r\n\r\n%s"
            % (secret.encode(), run.encode(), number, len(body), body)
        )
