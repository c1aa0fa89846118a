"""Killed with -9, or sent into a world that fails: every event arrives, at least once, under its own id."""

import os
import sys
from collections import Counter

import pytest
from django.conf import settings

from merchant_platform.embedded.processes import GENTLY, Process
from merchant_platform.kernel import tenancy
from merchant_platform.kernel.events import outbox
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.ids import show
from payments.webhooks.sending import Sender
from tests.architecture.asking import as_owner
from tests.cast import NOW, wait_until
from tests.payments.webhooks.post import Post, attempts_of, deliveries_of
from tests.payments.webhooks.receiver import receiving

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "platform", "owner"]),
    pytest.mark.requirement("A40"),
]


def tell(book, count):
    with tenancy.within(book.pk):
        outbox.publish(*(outbox.row("customer.created", {"id": number}, now=NOW) for number in range(count)))
        return {show("evt", identifier) for identifier in Event.objects.values_list("pk", flat=True)}


@pytest.fixture
def start(tmp_path, receiver):
    """Starts the courier as the platform does, in a process of its own."""
    started = []

    def begin():
        process = Process(
            f"courier-{len(started)}",
            [sys.executable, "manage.py", "courier"],
            log=tmp_path / f"courier-{len(started)}.log",
            environment={**os.environ, "WEBHOOK_ALLOW_HOSTS": receiver.authority, "LOG_LEVEL": "WARNING"},
            directory=settings.BASE_DIR,
            ending=GENTLY,
        )
        process.start()
        started.append(process)
        return process

    yield begin
    for process in started:
        process.stop()


class TestKill:
    def test_loses_nothing_under_way(self, start, endpoint, receiver, book):
        endpoint("/hang")
        events = tell(book, 30)
        killed = start()
        wait_until(lambda: receiver.under_way == 4)

        os.kill(killed.pid, 9)
        wait_until(lambda: not killed.is_running)
        receiver.released.set()  # the endpoint did its part: nobody wrote it down
        unfinished = deliveries_of(book)
        # The two minutes of the leases go by.
        as_owner("UPDATE payments_webhookdelivery SET claimed_until = now() - interval '1 second'")
        start()
        wait_until(lambda: all(each.status == "succeeded" for each in deliveries_of(book)))

        received = Counter(each.headers["webhook-id"] for each in receiver.received)
        assert {each.status for each in unfinished} == {"pending"}
        assert set(received) == events
        assert sum(received.values()) == 34, "the four that nobody wrote down were sent twice"
        assert len(attempts_of(book)) == 30

    def test_ends_gently_with_what_is_under_way_written_down(self, start, endpoint, receiver, book):
        endpoint("/hang")
        tell(book, 4)
        courier = start()
        wait_until(lambda: receiver.under_way == 4)

        os.kill(courier.pid, 15)
        receiver.released.set()
        wait_until(lambda: not courier.is_running)

        assert courier.exit_code == 0
        assert [each.status for each in deliveries_of(book)] == ["succeeded"] * 4


class TestTrouble:
    @pytest.mark.parametrize("count", [20, pytest.param(1_000, marks=pytest.mark.prove)])
    def test_ends_with_every_event_delivered(self, count, endpoint, receiver, book):
        """It fails, hangs, redirects inside, and recovers."""
        post = Post(places=8, sender=Sender(places=8, seconds_max=0.2))
        endpoint("/ok")
        events = tell(book, count)
        with receiving() as inside:  # a private address, which nobody allowed
            for answer in (500, "hang", (302, {"Location": inside.url()}, b""), (308, {"Location": inside.url()}, b"")):
                receiver.answers["/ok"] = answer
                post.deliver()
                post.later(hours=3)
            failed = {each.status for each in deliveries_of(book)}
            receiver.answers["/ok"] = 200

            post.later(hours=6).deliver()

            assert inside.connections == 0
        post.courier.close()
        assert failed == {"pending"}
        assert {each.status for each in deliveries_of(book)} == {"succeeded"}
        assert {each.headers["webhook-id"] for each in receiver.received} == events
        assert len(attempts_of(book)) == len(receiver.received) == 5 * count
