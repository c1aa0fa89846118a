"""The doors as a client meets them, on the addresses of customers: what they let in, and how they refuse."""

import base64
from datetime import timedelta
from types import SimpleNamespace

import pytest
import redis
from django.conf import settings as django_settings

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.api.doors import API_VERSION
from merchant_platform.kernel.events.models import Event
from payments.customers.models import Customer
from security.credentials import keys, limits
from security.credentials.authentication import memory
from security.credentials.models import ApiKey
from tests.cast import FORM, NOW, Api, move_clock, shown

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "application/json"


def summary(reply) -> tuple[int, str, str]:
    return reply.status, reply.error["type"], reply.error["code"]


def count(book) -> int:
    with tenancy.within(book.pk):
        return Customer.objects.count()


class TestAnswer:
    def test_is_json_with_the_headers_of_the_wire(self, api):
        reply = api.post("customers", {"name": "李梅"}, idempotency_key="one")

        assert reply.status == 200
        assert reply.json["name"] == "李梅"
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.headers["Stripe-Version"] == API_VERSION
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Idempotency-Key"] == "one"
        assert ids.parse("req", reply.headers["Request-Id"])
        assert "Idempotent-Replayed" not in reply.headers
        assert "Stripe-Should-Retry" not in reply.headers

    def test_has_the_time_of_the_book(self, api, book):
        first = api.post("customers", {})
        move_clock(book, NOW + timedelta(days=90))
        later = api.post("customers", {})

        assert [reply.json["created"] for reply in (first, later)] == [
            clock.unix(NOW),
            clock.unix(NOW + timedelta(days=90)),
        ]

    def test_carries_a_request_id_of_its_own(self, api):
        replies = [api.get("customers") for _ in range(2)]

        assert len({reply.headers["Request-Id"] for reply in replies}) == 2

    def test_names_its_request_in_the_event(self, api, book):
        reply = api.post("customers", {}, idempotency_key="one")

        with tenancy.within(book.pk):
            event = Event.objects.get()
        assert (event.request_id, event.idempotency_key) == (reply.headers["Request-Id"], "one")

    def test_reads_a_form_json_and_a_query_the_same(self, api):
        by_form = api.post("customers", {"name": "Lin", "metadata": {"table": "7"}, "preferred_locales": ["zh", "en"]})
        by_json = api.post(
            "customers", json={"name": "Lin", "metadata": {"table": "7"}, "preferred_locales": ["zh", "en"]}
        )
        by_query = api.request(
            "POST", "customers", query="name=Lin&metadata[table]=7&preferred_locales[]=zh&preferred_locales[]=en"
        )

        kept = [
            {k: reply.json[k] for k in ("name", "metadata", "preferred_locales")}
            for reply in (by_form, by_json, by_query)
        ]
        assert kept == [{"name": "Lin", "metadata": {"table": "7"}, "preferred_locales": ["zh", "en"]}] * 3

    def test_passes_the_middleware_of_pages_by(self, api):
        reply = api.get("customers")

        assert {"Vary", "Set-Cookie", "X-Frame-Options", "Content-Language"} & set(reply.headers) == set()


class TestRefusal:
    def test_has_the_envelope_and_a_page_that_helps(self, api, settings):
        settings.PUBLIC_URL = "https://pay.example.com"

        reply = api.post("customers", {"colour": "red"})

        assert reply.status == 400
        assert reply.json == {
            "error": {
                "type": "invalid_request_error",
                "code": "parameter_unknown",
                "message": "Received unknown parameter: colour",
                "param": "colour",
                "doc_url": "https://pay.example.com/docs/errors/parameter_unknown",
            }
        }
        assert reply.headers["Stripe-Should-Retry"] == "false"
        assert ids.parse("req", reply.headers["Request-Id"])

    @pytest.mark.parametrize("path", ["", "nothing", "customers/", "customers/a/b/c", "customers//", "Customers"])
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
    def test_of_an_unknown_address_is_404(self, api, path, method):
        reply = api.request(method, path)

        assert summary(reply) == (404, "invalid_request_error", "url_unknown")
        assert reply.error["message"] == f"Unrecognized request URL ({method}: /v1/{path})."
        assert ids.parse("req", reply.headers["Request-Id"])

    @pytest.mark.parametrize("identifier", ["nonsense", "pi_1", "x" * 500, "%00", "..%2f"])
    def test_of_an_id_that_cannot_be_one_is_404(self, api, identifier):
        assert summary(api.get(f"customers/{identifier}"))[0] == 404

    def test_of_an_unknown_id_is_404_and_says_which(self, api):
        unknown = shown("cus", ids.new(NOW))

        reply = api.get(f"customers/{unknown}")

        assert summary(reply) == (404, "invalid_request_error", "resource_missing")
        assert reply.error["message"] == f"No such customer: '{unknown}'"
        assert "param" not in reply.error

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("PUT", "customers", "GET, POST"),
            ("PATCH", "customers", "GET, POST"),
            ("DELETE", "customers", "GET, POST"),
            ("OPTIONS", "customers", "GET, POST"),
            ("TRACE", "customers", "GET, POST"),
            ("PUT", "customers/cus_1", "GET, POST, DELETE"),
            ("POST", "balance", "GET"),
            ("GET", "refunds/re_1/cancel", "POST"),
        ],
    )
    def test_of_a_method_that_the_address_has_not_is_405(self, api, method, path, allowed):
        reply = api.request(method, path)

        assert summary(reply) == (405, "invalid_request_error", "method_not_allowed")
        assert reply.headers["Allow"] == allowed

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*"])
    def test_of_an_answer_in_another_format_is_406(self, api, accept):
        reply = api.get("customers", headers={"Accept": accept})

        assert summary(reply) == (406, "invalid_request_error", "not_acceptable")

    @pytest.mark.parametrize("accept", ["application/json", "*/*", "application/*", "text/html, */*;q=0.1"])
    def test_is_none_where_json_will_do(self, api, accept):
        assert api.get("customers", headers={"Accept": accept}).status == 200

    def test_of_too_large_a_body_is_413(self, api, book, settings):
        settings.API_BODY_MAX = settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
        fits = b"name=" + b"x" * 100
        too_large = b"description=" + b"x" * 1_000

        assert api.request("POST", "customers", fits, FORM).status == 200
        assert summary(api.request("POST", "customers", too_large, FORM)) == (
            413,
            "invalid_request_error",
            "request_too_large",
        )
        assert count(book) == 1

    @pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
    def test_of_another_content_type_is_415(self, api, book, content_type):
        reply = api.request("POST", "customers", b"name=Lin", content_type)

        assert summary(reply) == (415, "invalid_request_error", "unsupported_media_type")
        assert count(book) == 0

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (b"name=%00", FORM),
            (b"name=%ff", FORM),
            (b"a[=1", FORM),
            (b"{", JSON),
            (b"[]", JSON),
            (b'{"name": NaN}', JSON),
            (rb'{"name": "\ud800"}', JSON),
            (b'{"metadata": {"a": 99999999999999999999}}', JSON),
            (b'{"a":' * 9 + b"1" + b"}" * 9, JSON),
        ],
    )
    def test_of_what_cannot_be_read_is_400(self, api, book, body, content_type):
        reply = api.request("POST", "customers", body, content_type)

        assert summary(reply) == (400, "invalid_request_error", "request_malformed")
        assert count(book) == 0

    def test_of_a_query_that_cannot_be_read_is_400(self, api):
        assert summary(api.request("GET", "customers", query="limit=%ff")) == (
            400,
            "invalid_request_error",
            "request_malformed",
        )

    def test_of_json_beside_a_query_is_400(self, api):
        reply = api.request("POST", "customers", b'{"name": "Lin"}', JSON, query="name=Wang")

        assert summary(reply) == (400, "invalid_request_error", "parameter_invalid")

    def test_of_what_nobody_expected_is_500_and_says_nothing_of_itself(self, api, book, monkeypatch, caplog):
        def fail(*_, **__):
            raise RuntimeError("the password is swordfish")

        monkeypatch.setattr("payments.customers.objects.customer", fail)

        reply = api.post("customers", {"name": "Lin"}, idempotency_key="one")

        assert summary(reply) == (500, "api_error", "api_error")
        assert "swordfish" not in str(reply.json)
        assert "Stripe-Should-Retry" not in reply.headers
        ours = [record.getMessage() for record in caplog.records if record.name.startswith("merchant_platform")]
        assert ours == ["an API request failed unexpectedly"]
        assert count(book) == 0


class TestKey:
    def test_opens_the_door_as_a_bearer_token_or_as_a_user_name(self, key):
        assert Api(key).get("customers").status == 200
        assert Api(key, uses_basic=True).get("customers").status == 200

    @pytest.mark.parametrize("path", ["customers", "customers/cus_1", "balance"])
    def test_missing_is_401(self, path):
        reply = Api(None).get(path)

        assert summary(reply) == (401, "invalid_request_error", "api_key_missing")
        assert reply.headers["WWW-Authenticate"] == 'Basic realm="API key"'

    @pytest.mark.parametrize(
        "header",
        [
            "Bearer",
            "Bearer ",
            "Bearer sk_test_wrong",
            "Bearer " + "x" * 5_000,
            "Basic",
            "Basic ???",
            "Basic é",
            "Basic w7",
            "Basic " + base64.b64encode(b"\xff\xfe:").decode(),
            "Basic " + base64.b64encode(b"sk_test_wrong:").decode(),
            "Digest realm=x",
            "nonsense",
            "é",
        ],
    )
    def test_unreadable_or_unknown_is_401(self, header, platform):
        reply = Api(None).get("customers", headers={"Authorization": header})

        assert summary(reply) == (401, "invalid_request_error", "api_key_invalid")

    def test_unknown_is_shown_by_its_ends_alone(self, platform):
        reply = Api("sk_test_" + "a" * 30 + "1234").get("customers")

        assert reply.error["message"] == "Invalid API key provided: sk_test_***1234"

    def test_revoked_expired_and_unknown_are_told_apart_by_nobody(self, make_key, book):
        revoked, expired = make_key(book), make_key(book)
        ApiKey.objects.filter(digest=keys.digest(revoked)).update(revoked_at=NOW)
        ApiKey.objects.filter(digest=keys.digest(expired)).update(expires_at=clock.wall())

        replies = [Api(text).get("customers") for text in (revoked, expired, revoked[:-4] + "none")]

        assert {summary(reply) for reply in replies} == {(401, "invalid_request_error", "api_key_invalid")}
        assert {reply.error["message"].partition("***")[0] for reply in replies} == {
            "Invalid API key provided: sk_test_"
        }

    def test_dies_by_the_worlds_time_whatever_the_books_clock_says(self, key, book):
        ApiKey.objects.filter(digest=keys.digest(key)).update(expires_at=clock.wall() + timedelta(hours=1))
        move_clock(book, clock.wall() + timedelta(days=300))

        assert Api(key).get("customers").status == 200

    def test_costs_no_query_of_the_database_once_it_is_known(self, key, django_assert_num_queries):
        Api(key).get("customers")
        memory.polled_at = float("inf")

        with django_assert_num_queries(3):  # begin, the book's name and the list, commit
            Api(key).get("customers")

    def test_opens_no_account_of_another(self, api, book):
        reply = api.get("customers", headers={"Stripe-Account": "acct_1"})

        assert summary(reply) == (403, "invalid_request_error", "permission_denied")

    def test_is_asked_for_before_anything_else_is_looked_at(self, platform):
        assert summary(Api(None).request("POST", "customers", b"{", JSON))[0] == 401
        assert summary(Api(None).get(f"customers/{shown('cus', ids.new(NOW))}"))[0] == 401


class TestRestrictedKey:
    def test_opens_what_it_was_given(self, restricted_key):
        reader, writer = Api(restricted_key(customers="read")), Api(restricted_key(customers="write"))

        assert (reader.get("customers").status, writer.get("customers").status) == (200, 200)
        assert writer.post("customers", {"name": "Lin"}).status == 200

    def test_opens_nothing_else(self, restricted_key, book):
        reader = Api(restricted_key(customers="read"))

        written, elsewhere = reader.post("customers", {"name": "Lin"}), reader.get("balance")

        assert summary(written) == (403, "invalid_request_error", "permission_denied")
        assert written.error["message"] == "The provided key does not have the permission 'customers:write'."
        assert summary(elsewhere) == (403, "invalid_request_error", "permission_denied")
        assert count(book) == 0

    def test_learns_nothing_of_what_it_may_not_see(self, restricted_key, customer):
        key = Api(restricted_key(orders="write"))

        there, nowhere = (key.get(f"customers/{each}") for each in (shown("cus", customer), "cus_1"))

        assert there.json == nowhere.json


class TestPublishableKey:
    @pytest.fixture
    def browser(self, publishable_key):
        return Api(publishable_key)

    @pytest.fixture
    def intent(self, api):
        return api.post("payment_intents", {"amount": 100, "currency": "cny"}).json

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "customers"),
            ("POST", "customers"),
            ("GET", "balance"),
            ("GET", "events"),
            ("GET", "payment_intents"),
            ("POST", "payment_intents"),
            ("POST", "payment_intents/pi_1"),
            ("POST", "payment_intents/pi_1/cancel"),
            ("POST", "refunds"),
            ("POST", "test_helpers/wallets"),
        ],
    )
    def test_opens_no_door_of_a_server(self, browser, method, path):
        assert summary(browser.request(method, path)) == (403, "invalid_request_error", "permission_denied")

    def test_shows_one_intent_to_who_knows_its_secret(self, browser, intent):
        reply = browser.get(f"payment_intents/{intent['id']}", {"client_secret": intent["client_secret"]})

        assert (reply.status, reply.json["id"]) == (200, intent["id"])

    def test_shows_no_intent_without_its_secret(self, browser, intent, api):
        other = api.post("payment_intents", {"amount": 100, "currency": "cny"}).json

        missing = browser.get(f"payment_intents/{intent['id']}")
        wrong = browser.get(f"payment_intents/{intent['id']}", {"client_secret": other["client_secret"]})
        short = browser.get(f"payment_intents/{intent['id']}", {"client_secret": intent["client_secret"][:-1]})

        assert (summary(missing), missing.error["param"]) == (
            (400, "invalid_request_error", "parameter_missing"),
            "client_secret",
        )
        assert {summary(wrong), summary(short)} == {(404, "invalid_request_error", "resource_missing")}

    def test_charges_no_wallet(self, browser, api, customer, wallet_method):
        method = shown("pm", wallet_method(customer, 1_000))
        intent = api.post("payment_intents", {"amount": 100, "currency": "cny", "payment_method": method}).json

        reply = browser.post(
            f"payment_intents/{intent['id']}/confirm", {"client_secret": intent["client_secret"]}, idempotency_key="one"
        )

        assert summary(reply)[0] == 403
        assert api.get(f"payment_intents/{intent['id']}").json["status"] == "requires_confirmation"


class TestRateLimit:
    @pytest.fixture
    def bucket(self, settings, monkeypatch):
        """Two requests a second, and a clock that stands."""
        settings.API_RATE_LIMIT = 2
        at = [1_000_000.0]
        monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: at[0]))
        return at

    def test_is_none_by_default(self, api):
        assert django_settings.API_RATE_LIMIT == 0
        assert {api.get("customers").status for _ in range(5)} == {200}

    def test_lets_a_seconds_requests_through_and_says_how_long_to_wait(self, api, bucket):
        replies = [api.get("customers") for _ in range(3)]

        assert [reply.status for reply in replies] == [200, 200, 429]
        assert summary(replies[2]) == (429, "invalid_request_error", "rate_limit")
        assert replies[2].headers["Retry-After"] == "1"
        assert "retry_after" not in replies[2].error
        assert "Stripe-Should-Retry" not in replies[2].headers

    def test_lets_the_next_one_through_when_its_time_has_come(self, api, bucket):
        statuses = []
        for seconds in (0, 0, 0, 0.4, 0.1, 0, 10, 0, 0):
            bucket[0] += seconds
            statuses.append(api.get("customers").status)

        assert statuses == [200, 200, 429, 429, 200, 429, 200, 200, 429]

    def test_counts_each_key_alone(self, api, other_api, bucket):
        statuses = [client.get("customers").status for client in (api, api, api, other_api)]

        assert statuses == [200, 200, 429, 200]

    def test_changes_nothing_for_who_is_refused(self, api, book, bucket):
        for name in ("first", "second", "third"):
            api.post("customers", {"name": name})

        assert count(book) == 2

    def test_stops_nobody_while_valkey_is_away(self, api, bucket, monkeypatch):
        nowhere = redis.Redis.from_url("redis://127.0.0.1:1/0")
        monkeypatch.setattr(limits, "server", lambda: nowhere)

        assert {api.get("customers").status for _ in range(3)} == {200}
