"""Card payments over HTTP through the sandbox acquirer, and checkout pages served."""

import itertools
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlencode, urlsplit

from merchant_platform.kernel import clock, ids
from payments.providers import port as providers
from payments.providers.port import Authorisation
from security.vault.cards import ClearCard
from tests.benchmarks import load, wallet_payments
from tests.cast import Api

CLIENTS = (1, 4, 16)
SESSIONS = 50
YEAR = 2040


def measure(*, port: int, seconds: float, emit: Callable[..., None]) -> bool:
    """Run the measurements and print a line for each. Returns whether none met an error."""
    book, secret = wallet_payments._merchant("cards")
    asked = {clients: _asked_directly(book.pk.hex, clients=clients, seconds=seconds) for clients in CLIENTS}
    has_errors = False
    for clients in CLIENTS:
        figures = load.run(port=port, clients=clients, seconds=seconds, requests=lambda _: _payments(secret))
        has_errors = has_errors or bool(figures.errors)
        emit(
            bench="POST /v1/payment_intents by card",
            peer="the acquirer, asked directly for the same money",
            **_figures(figures, clients),
            peer_per_second=round(asked[clients]),
            ratio=round(figures.per_second / asked[clients], 3),
        )
    addresses = _sessions(secret)
    for clients in CLIENTS:
        alive = load.run(port=port, clients=clients, seconds=seconds, requests=lambda _: _reads(["/healthz"]))
        served = load.run(port=port, clients=clients, seconds=seconds, requests=lambda _: _reads(addresses))
        has_errors = has_errors or bool(alive.errors or served.errors)
        emit(
            bench="GET /pay/<session>",
            peer="GET /healthz",
            **_figures(served, clients),
            peer_per_second=round(alive.per_second),
            ratio=round(served.per_second / alive.per_second, 3),
        )
    return not has_errors


def _figures(figures: load.Figures, clients: int) -> dict[str, object]:
    return {
        "clients": clients,
        "per_second": round(figures.per_second),
        "p50_ms": round(figures.percentile_ms(50), 2),
        "p99_ms": round(figures.percentile_ms(99), 2),
        "errors": len(figures.errors),
        "first_error": figures.errors[0] if figures.errors else None,
    }


def _asked_directly(account: str, *, clients: int, seconds: float) -> float:
    """What the acquirer itself answers a second, asked by so many threads through the platform's own client."""
    provider = providers.find("sandbox")
    ends = time.perf_counter() + seconds
    counts = [0] * clients

    def ask(number: int) -> None:
        while time.perf_counter() < ends:
            now = clock.wall()
            provider.authorise(
                Authorisation(
                    key=ids.show("ch", ids.new(now)),
                    account=account,
                    amount_minor=wallet_payments.AMOUNT,
                    currency="CNY",
                    card=ClearCard("4242424242424242", 12, YEAR),
                    captures=True,
                    is_off_session=True,
                    payee="Bench",
                    return_url="",
                    now=now,
                )
            )
            counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def _payments(secret: str) -> Iterator[bytes]:
    run = uuid.uuid4().hex
    body = urlencode(
        {"amount": wallet_payments.AMOUNT, "currency": "cny", "payment_method": "pm_card_visa", "confirm": "true"}
    ).encode()
    for number in itertools.count():
        yield (
            b"POST /v1/payment_intents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: %s-%d\r\nContent-Length: %d\r\n\r\n%s"
            % (secret.encode(), run.encode(), number, len(body), body)
        )


def _sessions(secret: str) -> list[str]:
    """The addresses of sessions that wait to be paid."""
    api = Api(secret)
    made = [
        api.post(
            "checkout/sessions",
            {
                "mode": "payment",
                "success_url": "https://shop.example/thanks",
                "line_items": [
                    {
                        "quantity": 2,
                        "price_data": {
                            "currency": "cny",
                            "unit_amount": 1_200,
                            "product_data": {"name": f"Tea {item}"},
                        },
                    }
                    for item in range(3)
                ],
            },
        ).json
        for _ in range(SESSIONS)
    ]
    return [urlsplit(session["url"]).path for session in made]


def _reads(paths: Sequence[str]) -> Iterator[bytes]:
    start = int.from_bytes(os.urandom(2), "big")
    for number in itertools.count(start):
        yield b"GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n" % paths[number % len(paths)].encode()
