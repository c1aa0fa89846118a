"""Try an endpoint with what it will meet one day: duplicates, late and reordered events, and forgeries.

Each case says what a good endpoint answers. The events say that nothing happened (their
type is `webhook_endpoint.test`) and stand in no list; they go the same guarded way as
every webhook, and nothing of them is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from merchant_platform.kernel.clock import unix
from merchant_platform.kernel.events import objects as event_objects
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.events.outbox import row
from merchant_platform.kernel.wire import dump
from payments.webhooks import objects, retries, secrets, signatures
from payments.webhooks.courier import USER_AGENT
from payments.webhooks.models import WebhookEndpoint
from payments.webhooks.operations import TEST_TYPE
from payments.webhooks.sending import Reply, Sender

SECONDS_MAX = 4.0
# When all answers together took so long, the rest is not sent: a person waits for this page.
BUDGET_MS = 20_000
# Verifiers of both ecosystems take a signature of up to five minutes of age.
STALE = timedelta(minutes=10)
REORDERED = timedelta(minutes=1)

# What no endpoint may believe.
REFUSED = frozenset({"tampered", "replayed", "forged", "unsigned"})


@dataclass(frozen=True, slots=True)
class Letter:
    """One request of a case: headers and body, as they go out."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Case:
    """Something that an endpoint meets, and what it should answer to each letter of it."""

    name: str
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What an endpoint answered to a case; fewer replies than letters where the time was over."""

    name: str
    letters: tuple[Letter, ...]
    replies: tuple[Reply, ...]

    @property
    def was_sent(self) -> bool:
        return len(self.replies) == len(self.letters)

    @property
    def is_good(self) -> bool:
        return self.was_sent and all(_is_right(self.name, reply) for reply in self.replies)


def run(
    *, endpoint: WebhookEndpoint, livemode: bool, now: datetime, make_sender: Callable[[], Sender] | None = None
) -> list[Result]:
    """Send every case to an endpoint, one letter after the other. This will write nothing; no transaction is open."""
    sender = make_sender() if make_sender else Sender(places=1, seconds_max=SECONDS_MAX)
    try:
        results: list[Result] = []
        left_ms = BUDGET_MS
        for case in cases(endpoint, livemode=livemode, now=now):
            replies: list[Reply] = []
            for letter in case.letters:
                if left_ms <= 0:
                    break
                replies.append(sender.post(endpoint.url, headers=letter.headers, body=letter.body))
                left_ms -= replies[-1].duration_ms
                if replies[-1].http_status is None:
                    left_ms = 0  # nobody answers: the rest would say the same
            results.append(Result(case.name, case.letters, tuple(replies)))
        return results
    finally:
        sender.close()


def cases(endpoint: WebhookEndpoint, *, livemode: bool, now: datetime) -> Sequence[Case]:
    """Everything that is sent, in its order."""
    right = [secrets.unseal(sealed, endpoint_id=endpoint.pk) for sealed in _sealed(endpoint, now)]
    wrong = [secrets.new()]

    def event(created_at: datetime = now) -> tuple[str, bytes]:
        drafted = row(TEST_TYPE, objects.endpoint(endpoint, livemode=livemode), now=created_at, is_public=False)
        told = event_objects.event(
            Event(id=drafted.id, type=drafted.type, created_at=created_at, data=drafted.data), livemode=livemode
        )
        return told["id"], dump(told).encode()

    def letter(
        event: tuple[str, bytes],
        *,
        signed_at: datetime = now,
        signers: Sequence[str] = right,
        sent: bytes | None = None,
    ) -> Letter:
        event_id, body = event
        signed = signatures.headers(event_id=event_id, body=body, secrets=signers, timestamp=unix(signed_at))
        plain = {"Content-Type": "application/json; charset=utf-8", "User-Agent": USER_AGENT}
        return Letter(headers={**plain, **(signed if signers else {})}, body=body if sent is None else sent)

    once, altered = event(), event()
    schedule = sum(retries.DELAYS, timedelta())
    return (
        Case("genuine", (letter(event()),)),
        Case("duplicate", (letter(once), letter(once))),
        Case("late", (letter(event(now - schedule)),)),
        Case("reordered", (letter(event()), letter(event(now - REORDERED)))),
        Case("tampered", (letter(altered, sent=_altered(altered[1])),)),
        Case("replayed", (letter(event(now - STALE), signed_at=now - STALE),)),
        Case("forged", (letter(event(), signers=wrong),)),
        Case("unsigned", (letter(event(), signers=()),)),
    )


def _altered(body: bytes) -> bytes:
    """The same event for another moment: a byte that no signature was made for."""
    return body.replace(b'"pending_webhooks":0', b'"pending_webhooks":1')


def _is_right(name: str, reply: Reply) -> bool:
    if name not in REFUSED:
        return reply.is_success
    return reply.http_status is not None and 400 <= reply.http_status < 500


def _sealed(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    """The secrets that the courier would sign with."""
    old = endpoint.sealed_old_secret if endpoint.old_secret_until and endpoint.old_secret_until > now else None
    return [endpoint.sealed_secret, *([old] if old else [])]
