"""Deliveries over real HTTP: verified by both ecosystems, retried by the schedule, bounded, at least once."""

import base64
import json
from datetime import timedelta

import pytest
import stripe
from django.db import connections
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from merchant_platform.kernel import tenancy
from payments.intents.hot_path import wallets
from payments.webhooks import retries
from payments.webhooks.models import WebhookEndpoint
from payments.webhooks.sending import Sender
from tests.architecture.asking import as_owner
from tests.cast import NOW, Api, move_clock, shown
from tests.payments.webhooks.post import START, Post, attempts_of, deliveries_of

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "platform", "owner"]),
    pytest.mark.requirement("A40"),
]


def verified(secret, received):
    """What both verifiers read out of a request; they raise where it is not genuine."""
    body = received.body
    event = stripe.Webhook.construct_event(body, received.headers["stripe-signature"], secret, tolerance=10**10)
    # The other verifier has no way to be told the time.
    key = base64.b64decode(secret.removeprefix("whsec_"))
    hook = Webhook(key)
    hook._Webhook__verify_timestamp = lambda header: START.__class__.fromtimestamp(int(header), START.tzinfo)
    assert hook.verify(body, received.headers) == json.loads(body)
    return event


def open_transactions():
    """What other connections of this database hold open without being at work."""
    return as_owner(
        "SELECT pid, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND state LIKE 'idle in transaction%'"
    )


class TestDelivery:
    def test_tells_an_endpoint_what_happened(self, api, endpoint, receiver, post, book):
        secret = endpoint()["secret"]
        customer = api.post("customers", {"name": "Lin Mei"}).json

        post.deliver()

        (received,) = receiver.received
        event = verified(secret, received)
        assert (event.type, event.data.object.id) == ("customer.created", customer["id"])
        assert received.headers["webhook-id"] == event.id
        assert received.headers["webhook-timestamp"] == str(int(START.timestamp()))
        assert received.headers["content-type"] == "application/json; charset=utf-8"
        assert received.headers["host"] == receiver.authority
        (delivery,) = deliveries_of(book)
        assert (delivery.status, delivery.attempts_count) == ("succeeded", 1)

    def test_sends_the_very_object_that_events_show(self, api, endpoint, receiver, post):
        endpoint()
        api.post("customers", {"name": "Lin Mei", "metadata": {"table": "七"}}, idempotency_key="a key")

        post.deliver()

        shown = api.get("events").json["data"][0]
        assert json.loads(receiver.received[0].body) == shown
        assert shown["request"]["idempotency_key"] == "a key"

    def test_tells_only_the_types_asked_for(self, api, endpoint, receiver, post):
        endpoint(enabled_events=["customer.updated"])
        customer = api.post("customers", {"name": "Lin Mei"}).json
        api.post(f"customers/{customer['id']}", {"name": "Lin Mei Hua"})

        post.deliver()

        assert [json.loads(each.body)["type"] for each in receiver.received] == ["customer.updated"]

    def test_tells_an_endpoint_nothing_of_what_was_before_it(self, api, endpoint, receiver, post):
        api.post("customers", {"name": "Before"})
        endpoint()
        api.post("customers", {"name": "After"})

        post.deliver()

        assert [json.loads(each.body)["data"]["object"]["name"] for each in receiver.received] == ["After"]

    def test_tells_nothing_to_another_merchant(self, api, other_api, endpoint, receiver, post):
        endpoint()
        other_api.post("customers", {"name": "Not ours"})

        post.deliver()

        assert receiver.received == []

    def test_goes_on_while_a_test_clock_stands(self, api, endpoint, receiver, post, book):
        endpoint()
        move_clock(book, NOW + timedelta(days=90))
        api.post("customers", {"name": "Lin Mei"})

        post.deliver()

        assert len(receiver.received) == 1

    def test_signs_twice_while_a_secret_rotates(self, api, endpoint, receiver, post):
        made = endpoint()
        rotated = api.post(f"webhook_endpoints/{made['id']}/rotate_secret", {"expires_in": 3600}).json
        api.post("customers", {"name": "Lin Mei"})
        # Rotation is in the world's time, and so must the courier be.
        with tenancy.within(WebhookEndpoint.objects.using("platform").get().book_id):
            until = WebhookEndpoint.objects.get().old_secret_until
        post.now = until - timedelta(seconds=1)

        post.deliver()
        api.post("customers", {"name": "Late"})
        post.later(seconds=2).deliver()

        during, after = receiver.received
        assert made["secret"] != rotated["secret"]
        verified(made["secret"], during)
        verified(rotated["secret"], during)
        verified(rotated["secret"], after)
        with pytest.raises(stripe.SignatureVerificationError):
            verified(made["secret"], after)


class TestRetries:
    def test_follow_the_schedule_to_its_end_with_the_same_body(self, api, endpoint, receiver, post, book):
        receiver.answers["/ok"] = 500
        endpoint()
        api.post("customers", {"name": "Lin Mei"})

        waits = []
        for _ in range(retries.ATTEMPTS_MAX):
            post.deliver()
            (delivery,) = deliveries_of(book)
            waits.append(delivery.due_at - post.now)
            post.now = delivery.due_at
        post.later(days=30).deliver()

        assert len(receiver.received) == retries.ATTEMPTS_MAX == 10
        assert {(each.body, each.headers["webhook-id"]) for each in receiver.received} == {
            (receiver.received[0].body, receiver.received[0].headers["webhook-id"])
        }
        for wait, delay in zip(waits, retries.DELAYS[1:], strict=False):
            assert delay <= wait <= delay * 1.1 + timedelta(seconds=2), (wait, delay)
        (delivery,) = deliveries_of(book)
        assert (delivery.status, delivery.attempts_count) == ("failed", 10)
        attempts = attempts_of(book)
        assert [each.number for each in attempts] == list(range(1, 11))
        assert {(each.outcome, each.http_status, each.response_body) for each in attempts} == {
            ("http_error", 500, "thank you")
        }
        assert attempts[-1].next_attempt_at is None

    def test_end_with_the_first_success(self, api, endpoint, receiver, post, book):
        receiver.answers["/ok"] = 503
        endpoint()
        api.post("customers", {"name": "Lin Mei"})
        post.deliver()
        receiver.answers["/ok"] = 204

        post.later(seconds=10).deliver()
        post.later(days=10).deliver()

        assert len(receiver.received) == 2
        assert [(each.status, each.attempts_count) for each in deliveries_of(book)] == [("succeeded", 2)]
        with tenancy.within(book.pk):
            assert WebhookEndpoint.objects.get().failing_since is None

    @pytest.mark.parametrize(
        ("asked", "seconds"), [("600", 600), ("999999999", 24 * 3600), ("1", 5), ("soon", 5), ("-3", 5)]
    )
    def test_wait_as_long_as_the_endpoint_asks_within_bounds(self, asked, seconds, api, endpoint, receiver, post, book):
        receiver.answers["/ok"] = (429, {"Retry-After": asked}, b"")
        endpoint()
        api.post("customers", {"name": "Lin Mei"})

        post.deliver()

        (delivery,) = deliveries_of(book)
        wait = delivery.due_at - START
        assert timedelta(seconds=seconds) <= wait <= timedelta(seconds=seconds * 1.1 + 2)

    @pytest.mark.parametrize(
        ("path", "outcome", "status"),
        [
            ("/redirect", "redirected", 302),
            ("/reset", "unreachable", None),
            ("/hang", "timed_out", None),
            ("/drip", "timed_out", None),
        ],
    )
    def test_follow_every_kind_of_failure(self, path, outcome, status, api, endpoint, receiver, post, book):
        receiver.answers["/redirect"] = (302, {"Location": receiver.url("/elsewhere")}, b"")
        endpoint(path)
        api.post("customers", {"name": "Lin Mei"})

        post.deliver()

        (attempt,) = attempts_of(book)
        assert (attempt.outcome, attempt.http_status) == (outcome, status)
        assert attempt.duration_ms < 10_000
        assert deliveries_of(book)[0].status == "pending"
        assert receiver.at("/elsewhere") == []

    def test_need_none_where_a_huge_answer_begins_well(self, api, endpoint, receiver, post, book):
        endpoint("/huge")
        api.post("customers", {"name": "Lin Mei"})

        post.deliver()

        (attempt,) = attempts_of(book)
        assert (attempt.outcome, attempt.response_body) == ("succeeded", "x" * 1024)
        assert receiver.sent_bytes < 10**8

    def test_are_made_where_nobody_listens(self, api, endpoint, receiver, post, book):
        endpoint()
        api.post("customers", {"name": "Lin Mei"})
        receiver.shutdown()
        receiver.server_close()

        post.deliver()

        assert [each.outcome for each in attempts_of(book)] == ["unreachable"]


class TestSwitchOff:
    def test_follows_410_at_once(self, api, endpoint, receiver, post, book):
        receiver.answers["/ok"] = 410
        made = endpoint()
        api.post("customers", {"name": "Lin Mei"})

        post.deliver()
        api.post("customers", {"name": "Unheard"})
        post.later(days=2).deliver()

        shown = api.get(f"webhook_endpoints/{made['id']}").json
        assert (shown["status"], shown["disabled_reason"]) == ("disabled", "gone")
        assert len(receiver.received) == 1
        assert [each.status for each in deliveries_of(book)] == ["failed"]

    def test_follows_five_days_of_nothing_but_failures(self, api, endpoint, receiver, post, book):
        receiver.answers["/ok"] = 500
        made = endpoint()
        api.post("customers", {"name": "Lin Mei"})
        post.deliver()
        post.now = START + retries.SWITCHED_OFF_AFTER - timedelta(seconds=1)
        post.deliver()
        almost = api.get(f"webhook_endpoints/{made['id']}").json

        post.later(days=1).deliver()

        assert (almost["status"], almost["failing_since"]) == ("enabled", int(START.timestamp()))
        shown = api.get(f"webhook_endpoints/{made['id']}").json
        assert (shown["status"], shown["disabled_reason"]) == ("disabled", "failing")

    def test_is_put_off_by_one_success(self, api, endpoint, receiver, post, book):
        made = endpoint()
        receiver.answers["/ok"] = 500
        api.post("customers", {"name": "First"})
        post.deliver()
        receiver.answers["/ok"] = 200
        post.later(days=4).deliver()
        receiver.answers["/ok"] = 500
        api.post("customers", {"name": "Second"})
        post.later(days=2).deliver()

        post.later(days=1).deliver()

        assert api.get(f"webhook_endpoints/{made['id']}").json["status"] == "enabled"

    def test_ends_when_the_merchant_enables_it_again(self, api, endpoint, receiver, post):
        receiver.answers["/ok"] = 410
        made = endpoint()
        api.post("customers", {"name": "Refused"})
        post.deliver()
        api.post("customers", {"name": "While it was off"})
        receiver.answers["/ok"] = 200

        shown = api.post(f"webhook_endpoints/{made['id']}", {"disabled": False}).json
        api.post("customers", {"name": "Back"})
        post.later(seconds=1).deliver()

        assert (shown["status"], shown["disabled_reason"]) == ("enabled", None)
        assert [json.loads(each.body)["data"]["object"]["name"] for each in receiver.received] == ["Refused", "Back"]


class TestFairness:
    def test_keeps_a_place_for_the_swift_while_others_hang(self, api, other_api, endpoint, receiver, book):
        """Eight places, all of whose hanging endpoints would fill them: the swift one is served meanwhile."""
        post = Post(places=8, sender=Sender(places=8, seconds_max=30))
        try:
            for number in range(3):
                made = endpoint("/hang", description=str(number))
                with tenancy.within(book.pk):
                    WebhookEndpoint.objects.filter(deleted_at__isnull=True).update(failing_since=START)
                assert made["status"] == "enabled"
            for number in range(6):
                api.post("customers", {"name": f"Guest {number}"})
            other_api.post("webhook_endpoints", {"url": receiver.url("/swift"), "enabled_events": ["*"]})
            for number in range(6):
                other_api.post("customers", {"name": f"Guest {number}"})

            while len(receiver.at("/swift")) < 6:
                post.courier.round(now=post.clock, wait_seconds=0.2)

            assert len(receiver.at("/hang")) == 3, "one at once to each that fails"
        finally:
            receiver.released.set()
            post.courier.finish(now=post.clock)
            post.courier.close()

    def test_bounds_what_is_under_way_to_one_endpoint(self, api, endpoint, receiver):
        post = Post(places=8, sender=Sender(places=8, seconds_max=30))
        try:
            endpoint("/hang")
            for number in range(8):
                api.post("customers", {"name": f"Guest {number}"})

            for _ in range(5):
                post.courier.round(now=post.clock, wait_seconds=0.1)

            assert post.courier.under_way == 4
            assert open_transactions() == [], "nothing is held while HTTP is under way"
        finally:
            receiver.released.set()
            post.courier.finish(now=post.clock)
            post.courier.close()


class TestStatements:
    @pytest.mark.parametrize("many", [1, 30])
    def test_do_not_grow_with_events_and_endpoints(self, many, api, endpoint, receiver, post, book):
        post.courier.round(now=post.clock)
        for _ in range(min(many, 5)):
            endpoint()
        for number in range(many):
            api.post("customers", {"name": f"Guest {number}"})

        with CaptureQueriesContext(connections["platform"]) as captured:
            post.courier.round(now=post.clock)

        assert len(deliveries_of(book)) == many * min(many, 5)
        statements = [each["sql"] for each in captured if not each["sql"].startswith(("BEGIN", "COMMIT"))]
        # One of them asks which books' programmes follow what is told.
        assert len(statements) == 6, statements
        post.courier.finish(now=post.clock)

    def test_write_nothing_where_nothing_happened(self, post, endpoint):
        endpoint()
        post.deliver()

        with CaptureQueriesContext(connections["platform"]) as captured:
            assert post.courier.round(now=post.clock) is False

        assert len(captured) == 3

    def test_of_a_payment_are_the_same_with_an_endpoint(self, api, endpoint, book, customer, wallet_method):
        method = wallet_method(customer, 5_000)
        payment = {"amount": 100, "currency": "cny", "customer": shown("cus", customer), "confirm": True}
        payment["payment_method"] = shown("pm", method)
        assert api.post("payment_intents", payment).status == 200
        with CaptureQueriesContext(wallets.connection) as without:
            assert api.post("payment_intents", payment).status == 200
        endpoint()

        with CaptureQueriesContext(wallets.connection) as beside:
            assert api.post("payment_intents", payment).status == 200

        assert len(beside) == len(without) == 1


class TestStranger:
    def test_is_refused_with_every_lesser_key(self, api, publishable_key, restricted_key, endpoint):
        made = endpoint()

        for key in (publishable_key, restricted_key(customers="write")):
            lesser = Api(key)
            assert lesser.get("webhook_endpoints").status == 403
            assert (
                lesser.post("webhook_endpoints", {"url": "https://example.com", "enabled_events": ["*"]}).status == 403
            )
            assert lesser.get(f"webhook_endpoints/{made['id']}").status == 403
            assert lesser.delete(f"webhook_endpoints/{made['id']}").status == 403
        assert Api(restricted_key(webhook_endpoints="read")).get("webhook_endpoints").status == 200
        assert len(api.get("webhook_endpoints").json["data"]) == 1
