"""What the tests of webhooks share: a receiver, an endpoint there, and a courier whose clock the test moves."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from merchant_platform.kernel import tenancy
from payments.webhooks.courier import Courier
from payments.webhooks.models import WebhookAttempt, WebhookDelivery
from payments.webhooks.sending import Sender
from security.merchants.models import Book
from tests.cast import Api
from tests.payments.webhooks.receiver import Receiver, receiving

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A server on the loopback, where a developer allowed webhooks to go."""
    with receiving() as server:
        settings.WEBHOOK_ALLOW_HOSTS = [server.authority]
        yield server


@pytest.fixture
def endpoint(api: Api, receiver: Receiver) -> Callable[..., dict]:
    """Registers an endpoint at a path of the receiver: `endpoint("/ok", enabled_events=["customer.created"])`."""

    def make(path: str = "/ok", **fields: Any) -> dict:
        reply = api.post("webhook_endpoints", {"url": receiver.url(path), "enabled_events": ["*"], **fields})
        assert reply.status == 200, reply.json
        return reply.json

    return make


class Post:
    """A courier, and the world's time as it sees it."""

    def __init__(self, **options: Any) -> None:
        self.now = START
        self.courier = Courier(**options)

    def clock(self) -> datetime:
        return self.now

    def deliver(self) -> None:
        """Rounds until nothing is due and nothing under way."""
        quiet = 0
        while quiet < 2:
            was_busy = self.courier.round(now=self.clock, wait_seconds=5)
            quiet = 0 if was_busy or self.courier.under_way else quiet + 1

    def later(self, **times: float) -> "Post":
        self.now += timedelta(**times)
        return self


@pytest.fixture
def post() -> Iterator[Post]:
    """The courier of a test. A request of its has two seconds."""
    sending = Post(places=8, sender=Sender(places=8, seconds_max=2))
    yield sending
    sending.courier.close()


def deliveries_of(book: Book) -> list[WebhookDelivery]:
    with tenancy.within(book.pk):
        return list(WebhookDelivery.objects.select_related("event", "endpoint").order_by("pk"))


def attempts_of(book: Book) -> list[WebhookAttempt]:
    with tenancy.within(book.pk):
        return list(WebhookAttempt.objects.order_by("attempted_at", "pk"))
