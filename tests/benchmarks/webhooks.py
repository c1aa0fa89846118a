"""Webhooks delivered a second, and wallet payments with an endpoint registered beside without."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg2
from django.conf import settings

from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.events import outbox
from payments.webhooks import operations as endpoints
from security.merchants.models import Book
from tests.benchmarks import wallet_payments

# Enough for so many seconds at a rate that this platform does not reach.
EVENTS_A_SECOND = 1_000
PAYERS, CLIENTS = 200, 16
PATIENCE_SECONDS = 120


def measure(*, port: int, seconds: float, emit: Callable[..., None]) -> bool:
    """Run the measurements and print a line for each. Returns whether everything was delivered without an error."""
    with _receiver() as address:
        delivered = _deliveries(address, count=round(EVENTS_A_SECOND * seconds), emit=emit)
        paid = _payments(address, port=port, seconds=seconds, emit=emit)
    return delivered and paid


def _deliveries(address: str, *, count: int, emit: Callable[..., None]) -> bool:
    book, _ = wallet_payments._merchant("hooked")
    _listen(book, address)
    shown = {"id": "pi_" + "0" * 22, "object": "payment_intent", "metadata": {"filling": "x" * 1_500}}
    now = clock.wall()
    with tenancy.within(book.pk):
        outbox.publish(*(outbox.row("payment_intent.succeeded", shown, now=now) for _ in range(count)))
    began = time.perf_counter()
    with closing(psycopg2.connect(settings.PLATFORM_URL)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        done = 0
        while done < count and time.perf_counter() - began < PATIENCE_SECONDS:
            time.sleep(0.1)
            cursor.execute(
                "SELECT count(*) FROM payments_webhookdelivery WHERE book_id = %s AND status = 'succeeded'",
                [str(book.pk)],
            )
            (done,) = cursor.fetchone()
    took = time.perf_counter() - began
    emit(bench="webhooks", endpoints=1, events=count, delivered=done, per_second=round(done / took))
    return done == count


def _payments(address: str, *, port: int, seconds: float, emit: Callable[..., None]) -> bool:
    """The same payers three times: without an endpoint, with one that asks for other types, with one told everything.

    The last shares the machine with three webhooks a payment: their courier, and the server that they go to.
    """
    merchant = wallet_payments._merchant("told")
    payers = wallet_payments._payers(merchant, PAYERS)
    wallet_payments._load(port, payers, clients=4, seconds=1)
    alone = wallet_payments._load(port, payers, clients=CLIENTS, seconds=seconds)
    has_errors = bool(alone.errors)
    for told in (["product.created"], ["*"]):
        _listen(merchant[0], address, told)
        beside = wallet_payments._load(port, payers, clients=CLIENTS, seconds=seconds)
        has_errors = has_errors or bool(beside.errors)
        emit(
            bench="POST /v1/payment_intents with an endpoint",
            enabled_events=told,
            clients=CLIENTS,
            per_second=round(beside.per_second),
            per_second_without=round(alone.per_second),
            ratio=round(beside.per_second / alone.per_second, 3) if alone.per_second else None,
            errors=len(beside.errors),
        )
    return not has_errors


def _listen(book: Book, address: str, types: Sequence[str] = ("*",)) -> None:
    with tenancy.within(book.pk):
        endpoints.create(fields={"url": address, "enabled_events": types}, livemode=False, now=clock.wall())


@contextmanager
def _receiver() -> Iterator[str]:
    """An endpoint in a process of its own, which answers 200 to everything.

    It stands for another machine, so it takes only what this one has left.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        program = "from tests.benchmarks.webhooks_receiver import serve; import sys; serve(int(sys.argv[1]))"
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(listening.fileno())],
            pass_fds=[listening.fileno()],
            start_new_session=True,
        )
        os.setpriority(os.PRIO_PROCESS, process.pid, 19)
        with suppress(OSError):
            Path(f"/proc/{process.pid}/autogroup").write_text("19")
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/hooks"
        finally:
            process.terminate()
            process.wait()
