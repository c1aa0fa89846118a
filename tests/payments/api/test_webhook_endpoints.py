"""/v1/webhook_endpoints: Stripe's part of it, and ours."""

import json

import pytest

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.clock import unix
from merchant_platform.kernel.idempotency import IdempotencyKey
from merchant_platform.kernel.wire import API_VERSION
from payments.webhooks import fan_out
from payments.webhooks import operations as webhooks
from payments.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.cast import NOW
from tests.payments.webhooks.post import START, attempts_of, deliveries_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform", "owner"])

URL = "https://example.com/hooks"
TWO = ["charge.succeeded", "payment_intent.succeeded"]


def made(reply):
    assert reply.status == 200, reply.json
    return reply.json


def create(api, **fields):
    return api.post("webhook_endpoints", {"url": URL, "enabled_events": ["*"], **fields})


def rows(book):
    with tenancy.within(book.pk):
        return WebhookEndpoint.objects.count()


class TestCreate:
    @pytest.mark.requirement("A40")
    def test_shows_the_secret_once(self, api):
        endpoint = made(create(api, enabled_events=TWO, description="Till", metadata={"a": "b"}))

        assert endpoint["object"] == "webhook_endpoint"
        assert endpoint["secret"].startswith("whsec_")
        assert (endpoint["url"], endpoint["status"], endpoint["livemode"]) == (URL, "enabled", False)
        assert (endpoint["enabled_events"], endpoint["description"]) == (TWO, "Till")
        assert endpoint["metadata"] == {"a": "b"}
        assert endpoint["api_version"] is None
        shown = made(api.get(f"webhook_endpoints/{endpoint['id']}"))
        assert "secret" not in shown
        assert {**shown, "secret": endpoint["secret"]} == endpoint
        assert made(api.get("webhook_endpoints"))["data"] == [shown]

    def test_repeats_with_its_key_and_keeps_the_secret_sealed_there(self, api, book):
        first = create(api, metadata={"a": "b"})
        key = {"idempotency_key": "k-1"}
        fields = {"url": URL, "enabled_events": ["*"]}
        second = api.post("webhook_endpoints", fields, **key)
        third = api.post("webhook_endpoints", fields, **key)

        assert first.status == second.status == 200
        assert third.json == second.json
        assert third.headers["Idempotent-Replayed"] == "true"
        assert rows(book) == 2
        with tenancy.within(book.pk):
            stored = IdempotencyKey.objects.get(key="k-1")
            sealed = WebhookEndpoint.objects.get(pk=ids.parse("we", second.json["id"])).sealed_secret
        assert "whsec_" not in stored.body + sealed
        assert second.json["secret"].removeprefix("whsec_") not in stored.body

    def test_names_each_type_once(self, api):
        assert made(create(api, enabled_events=[*TWO, TWO[0]]))["enabled_events"] == TWO

    def test_takes_the_version_that_is_served(self, api):
        assert made(create(api, api_version=API_VERSION))["api_version"] == API_VERSION

    @pytest.mark.parametrize(
        ("fields", "code", "param"),
        [
            ({"enabled_events": ["payment_intent.exploded"]}, "parameter_invalid", "enabled_events[0]"),
            ({"enabled_events": ["*", "charge.*"]}, "parameter_invalid", "enabled_events[1]"),
            ({"enabled_events": ["ledger.difference_found"]}, "parameter_invalid", "enabled_events[0]"),
            ({"enabled_events": ""}, "parameter_missing", "enabled_events"),
            ({"url": "https://user@example.com"}, "url_invalid", "url"),
            ({"url": "https://10.0.0.1/"}, "url_invalid", "url"),
            ({"url": f"https://example.com/{'a' * 3000}"}, "url_invalid", "url"),
            ({"url": ""}, "parameter_invalid_empty", "url"),
            ({"api_version": "2019-01-01"}, "parameter_invalid", "api_version"),
            ({"connect": True}, "parameter_unknown", "connect"),
            ({"metadata": {"x" * 41: "y"}}, "metadata_key_invalid", "metadata"),
        ],
    )
    def test_refuses_what_is_wrong_and_writes_nothing(self, fields, code, param, api, book):
        reply = create(api, **fields)

        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, code, param)
        assert rows(book) == 0

    def test_needs_https_in_live_mode(self, api, live_api):
        plain = {"url": "http://example.com/hooks"}

        assert create(api, **plain).status == 200
        assert create(live_api, **plain).error["code"] == "url_invalid"
        assert made(create(live_api))["livemode"] is True

    def test_stops_at_so_many(self, api, other_api, monkeypatch):
        monkeypatch.setattr(webhooks, "ENDPOINTS_MAX", 2)
        first = made(create(api))
        create(api)

        refused = create(api)

        assert (refused.status, refused.error["code"]) == (400, "webhook_endpoint_limit")
        assert create(other_api).status == 200
        made(api.delete(f"webhook_endpoints/{first['id']}"))
        assert create(api).status == 200


class TestUpdate:
    def test_changes_what_is_given(self, api):
        endpoint = made(create(api, description="Till"))

        changed = made(
            api.post(
                f"webhook_endpoints/{endpoint['id']}",
                {"url": "https://example.com/other", "enabled_events": TWO, "metadata": {"k": "v"}, "description": ""},
            )
        )

        assert (changed["url"], changed["enabled_events"]) == ("https://example.com/other", TWO)
        assert (changed["description"], changed["metadata"]) == (None, {"k": "v"})
        assert "secret" not in changed

    def test_disables_and_enables(self, api):
        path = f"webhook_endpoints/{made(create(api))['id']}"

        off, on = made(api.post(path, {"disabled": True})), made(api.post(path, {"disabled": False}))

        assert (off["status"], off["disabled_reason"]) == ("disabled", "merchant")
        assert (on["status"], on["disabled_reason"]) == ("enabled", None)

    @pytest.mark.parametrize("fields", [{"url": "https://localhost/"}, {"enabled_events": ["x"]}, {"disabled": "no"}])
    def test_refuses_what_is_wrong_and_changes_nothing(self, fields, api):
        path = f"webhook_endpoints/{made(create(api))['id']}"
        before = made(api.get(path))

        assert api.post(path, fields).status == 400
        assert made(api.get(path)) == before


class TestDelete:
    def test_forgets_it_with_its_secret_and_what_it_was_owed(self, api, book):
        path = f"webhook_endpoints/{made(create(api))['id']}"
        api.post("customers", {"name": "Lin Mei"})
        fan_out.run_once(now=START)
        fan_out.run_once(now=START)

        gone = made(api.delete(path))

        assert (gone["object"], gone["deleted"]) == ("webhook_endpoint", True)
        assert api.get(path).status == api.delete(path).status == 404
        assert api.get(f"{path}/deliveries").status == 404
        assert made(api.get("webhook_endpoints"))["data"] == []
        assert [each.status for each in deliveries_of(book)] == ["canceled"]
        with tenancy.within(book.pk):
            row = WebhookEndpoint.objects.get()
            assert (row.sealed_secret, row.sealed_old_secret) == ("", None)


class TestRotate:
    @pytest.mark.parametrize("seconds", [-1, 7 * 24 * 3600 + 1, 10**18])
    def test_refuses_an_overlap_over_a_week(self, seconds, api):
        endpoint = made(create(api))

        reply = api.post(f"webhook_endpoints/{endpoint['id']}/rotate_secret", {"expires_in": seconds})

        assert (reply.status, reply.error["code"], reply.error["param"]) == (
            400,
            "parameter_invalid_integer",
            "expires_in",
        )

    def test_repeats_with_its_key(self, api):
        path = f"webhook_endpoints/{made(create(api))['id']}/rotate_secret"

        first = made(api.post(path, idempotency_key="r"))
        again = made(api.post(path, idempotency_key="r"))
        other = made(api.post(path))

        assert again == first
        assert other["secret"] != first["secret"]


class TestDeliveries:
    def test_are_listed_with_their_attempts(self, api, endpoint, receiver, post):
        receiver.answers["/ok"] = (500, {}, b"out of order")
        path = f"webhook_endpoints/{endpoint()['id']}/deliveries"
        api.post("customers", {"name": "Lin Mei"})
        post.deliver()
        receiver.answers["/ok"] = 200
        post.later(seconds=20).deliver()

        (delivery,) = made(api.get(path))["data"]

        first, second = delivery["attempts"]
        assert (delivery["object"], delivery["status"]) == ("webhook_delivery", "succeeded")
        assert (delivery["attempts_count"], delivery["event_type"]) == (2, "customer.created")
        assert delivery["event"] == made(api.get("events"))["data"][0]["id"]
        assert delivery["next_attempt"] is None
        assert (first["outcome"], first["http_status"], first["response_body"]) == ("http_error", 500, "out of order")
        assert unix(START) + 5 <= first["next_attempt"] <= unix(START) + 8
        assert (second["outcome"], second["http_status"], second["next_attempt"]) == ("succeeded", 200, None)
        assert (first["number"], second["number"], first["created"]) == (1, 2, unix(START))

    def test_are_listed_by_state_newest_first(self, api, endpoint, receiver, post):
        path = f"webhook_endpoints/{endpoint()['id']}/deliveries"
        for name in ("One", "Two", "Three"):
            api.post("customers", {"name": name})
        fan_out.run_once(now=START)
        fan_out.run_once(now=START)

        page = made(api.get(path, {"limit": 2}))
        rest = made(api.get(path, {"limit": 2, "starting_after": page["data"][-1]["id"]}))

        assert (len(page["data"]), page["has_more"], len(rest["data"]), rest["has_more"]) == (2, True, 1, False)
        assert made(api.get(path, {"status": "succeeded"}))["data"] == []
        assert len(made(api.get(path, {"status": "pending"}))["data"]) == 3
        assert api.get(path, {"status": "lost"}).status == 400


class TestResend:
    def test_sends_an_event_again_under_its_id(self, api, endpoint, receiver, post, book):
        path = f"webhook_endpoints/{endpoint()['id']}"
        api.post("customers", {"name": "Lin Mei"})
        post.deliver()
        event = made(api.get("events"))["data"][0]["id"]

        delivery = made(api.post(f"{path}/resend", {"event": event}))
        post.now = deliveries_of(book)[0].due_at
        post.deliver()

        assert (delivery["status"], delivery["attempts_count"]) == ("pending", 0)
        assert [each.headers["webhook-id"] for each in receiver.received] == [event, event]
        assert receiver.received[0].body == receiver.received[1].body
        assert len(deliveries_of(book)) == 1

    def test_sends_what_the_endpoint_did_not_ask_for(self, api, endpoint, receiver, post, book):
        path = f"webhook_endpoints/{endpoint(enabled_events=['charge.succeeded'])['id']}"
        api.post("customers", {"name": "Lin Mei"})
        event = made(api.get("events"))["data"][0]["id"]
        post.deliver()
        assert receiver.received == []

        made(api.post(f"{path}/resend", {"event": event}))
        post.now = deliveries_of(book)[0].due_at
        post.deliver()

        assert [each.headers["webhook-id"] for each in receiver.received] == [event]

    def test_refuses_events_of_others_and_disabled_endpoints(self, api, other_api, endpoint, book):
        path = f"webhook_endpoints/{endpoint()['id']}"
        other_api.post("customers", {"name": "Theirs"})
        theirs = made(other_api.get("events"))["data"][0]["id"]

        unknown = api.post(f"{path}/resend", {"event": theirs})
        nonsense = api.post(f"{path}/resend", {"event": "evt_1"})
        made(api.post(path, {"disabled": True}))
        disabled = api.post(f"{path}/resend", {"event": theirs})

        for reply in (unknown, nonsense):
            assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "event")
        assert (disabled.status, disabled.error["code"]) == (400, "webhook_endpoint_disabled")
        assert deliveries_of(book) == []


class TestSendTest:
    def test_is_delivered_and_listed_nowhere_else(self, api, endpoint, receiver, post, book):
        made_endpoint = endpoint(enabled_events=["charge.succeeded"])
        endpoint("/other")

        delivery = made(api.post(f"webhook_endpoints/{made_endpoint['id']}/test"))
        post.now = deliveries_of(book)[0].due_at
        post.deliver()

        (received,) = receiver.received
        event = json.loads(received.body)
        assert received.path == "/ok"
        assert (event["type"], event["id"]) == ("webhook_endpoint.test", delivery["event"])
        assert event["data"]["object"]["id"] == made_endpoint["id"]
        assert "secret" not in event["data"]["object"]
        assert made(api.get("events"))["data"] == []


class TestBackfill:
    @pytest.fixture
    def history(self, api):
        """Two customers and an order, before there was any endpoint. The book's clock stands at NOW."""
        for name in ("One", "Two"):
            made(api.post("customers", {"name": name}))
        made(api.post("orders", {"currency": "cny", "line_items": [{"description": "Tea", "unit_amount": 100}]}))

    def fill(self, api, path, **fields):
        created = {"gte": unix(NOW) - 60, "lt": unix(NOW) + 60}
        return api.post(f"{path}/backfill", {"created": created, **fields})

    def count(self, book):
        return len(deliveries_of(book))

    def test_sends_a_range_of_the_types_asked_for(self, history, api, endpoint, receiver, post, book):
        path = f"webhook_endpoints/{endpoint(enabled_events=['customer.created'])['id']}"

        filled = made(self.fill(api, path))
        post.now = deliveries_of(book)[0].due_at
        post.deliver()

        assert (filled["object"], filled["deliveries_count"]) == ("webhook_backfill", 2)
        assert {json.loads(each.body)["type"] for each in receiver.received} == {"customer.created"}

    def test_sends_types_that_were_subscribed_later_or_never(self, history, api, endpoint, book):
        path = f"webhook_endpoints/{endpoint(enabled_events=['customer.created'])['id']}"
        never = made(self.fill(api, path, types=["order.created"]))
        made(api.post(path, {"enabled_events": ["*"]}))

        later = made(self.fill(api, path))

        assert (never["deliveries_count"], later["deliveries_count"]) == (1, 2)

    def test_leaves_alone_what_arrived_or_is_on_its_way(self, history, api, endpoint, receiver, post, book):
        path = f"webhook_endpoints/{endpoint()['id']}"
        first, second = made(self.fill(api, path)), made(self.fill(api, path))
        post.now = deliveries_of(book)[-1].due_at
        post.deliver()

        third = made(self.fill(api, path))
        again = made(self.fill(api, path, include_succeeded=True))

        counts = [each["deliveries_count"] for each in (first, second, third, again)]
        assert counts == [3, 0, 0, 3]
        assert self.count(book) == 3

    def test_sends_what_failed_from_the_beginning_of_the_schedule(self, history, api, endpoint, book):
        path = f"webhook_endpoints/{endpoint()['id']}"
        self.fill(api, path)
        with tenancy.within(book.pk):
            WebhookDelivery.objects.update(status="failed", attempts_count=10, finished_at=START)

        filled = made(self.fill(api, path))

        assert filled["deliveries_count"] == 3
        assert {(each.status, each.attempts_count, each.finished_at) for each in deliveries_of(book)} == {
            ("pending", 0, None)
        }

    def test_is_half_open(self, history, api, endpoint, book):
        path = f"webhook_endpoints/{endpoint()['id']}"

        before = made(self.fill(api, path, created={"gte": 0, "lt": unix(NOW)}))
        within = made(self.fill(api, path, created={"gte": unix(NOW), "lt": unix(NOW) + 1}))
        ever = made(self.fill(api, path, created={"gte": -(10**18), "lt": 10**18}))

        assert (before["deliveries_count"], within["deliveries_count"], ever["deliveries_count"]) == (0, 3, 0)

    @pytest.mark.parametrize(
        ("fields", "code", "param"),
        [
            ({"created": {"gte": 5, "lt": 5}}, "parameter_invalid", "created[lt]"),
            ({"created": {"gte": 5}}, "parameter_missing", "created[lt]"),
            ({"created": {"gte": 10**18, "lt": -(10**18)}}, "parameter_invalid", "created[lt]"),
            ({"types": ["nothing.happened"]}, "parameter_invalid", "types[0]"),
        ],
    )
    def test_refuses_what_is_wrong(self, fields, code, param, history, api, endpoint, book):
        reply = self.fill(api, f"webhook_endpoints/{endpoint()['id']}", **fields)

        assert (reply.status, reply.error["code"], reply.error["param"]) == (400, code, param)
        assert self.count(book) == 0

    def test_refuses_more_than_one_sends(self, history, api, endpoint, book, monkeypatch):
        monkeypatch.setattr(webhooks, "BACKFILL_MAX", 2)
        path = f"webhook_endpoints/{endpoint()['id']}"

        reply = self.fill(api, path)

        assert (reply.status, reply.error["code"]) == (400, "backfill_too_large")
        assert self.count(book) == 0


class TestAttempts:
    def test_say_nothing_of_the_inside(self, api, endpoint, receiver, post, book, settings):
        endpoint()
        settings.WEBHOOK_ALLOW_HOSTS = []
        api.post("customers", {"name": "Lin Mei"})

        post.deliver()

        (attempt,) = attempts_of(book)
        assert (attempt.outcome, attempt.http_status) == ("refused_address", None)
        assert "127.0.0.1" not in attempt.detail
        assert receiver.received == []
