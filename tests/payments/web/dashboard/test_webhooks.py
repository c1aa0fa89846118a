"""The pages of webhooks and events: what staff do there, what they see, who may, and that twice is once."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.wire import load
from payments.webhooks import queries, secrets
from payments.webhooks.models import WebhookDelivery, WebhookEndpoint
from security.audit.models import AuditRecord
from security.web import paging
from tests.cast import shown
from tests.payments.webhooks.post import attempts_of, deliveries_of
from tests.staff import ROLES, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
ROOT = "/dashboard/cafe/test/developers"
HOOKS = f"{ROOT}/webhooks"


@pytest.fixture
def developer(merchant):
    return signed_in(make_staff(merchant, "developer"))


def form(url="https://example.com/hooks", **fields):
    return {"url": url, "description": "Till", "hears": "all", "once": "form-1", **fields}


def only(book):
    with tenancy.within(book.pk):
        return WebhookEndpoint.objects.get()


def noted():
    return list(AuditRecord.objects.order_by("recorded_at").values_list("action", flat=True))


class TestCreate:
    def test_shows_the_secret_once(self, developer, book):
        response = developer.post(f"{HOOKS}/new", form())

        row = only(book)
        secret = response.context["secret"]
        assert (row.url, row.description, row.enabled_events) == ("https://example.com/hooks", "Till", ["*"])
        assert secrets.unseal(row.sealed_secret, endpoint_id=row.pk) == secret
        assert secret in response.content.decode()
        assert secret not in developer.get(f"{HOOKS}/{shown('we', row)}").content.decode()
        assert noted() == ["webhook.create"]

    def test_makes_one_of_a_form_that_is_sent_twice(self, developer, book):
        first, second = (developer.post(f"{HOOKS}/new", form()) for _ in range(2))

        assert second.context["secret"] == first.context["secret"]
        assert only(book)

    def test_hears_of_what_is_ticked(self, developer, book):
        developer.post(f"{HOOKS}/new", form(hears="some", types=["charge.refunded", "charge.succeeded"]))

        assert sorted(only(book).enabled_events) == ["charge.refunded", "charge.succeeded"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"url": ""},
            {"url": "ftp://example.com/"},
            {"url": "http://localhost/"},
            {"url": "https://10.0.0.1/"},
            {"url": "https://user@example.com/"},
            {"hears": "some"},
            {"hears": "some", "types": ["payout.paid"]},
            {"hears": "few"},
        ],
    )
    def test_refuses_what_is_no_endpoint(self, developer, book, fields):
        response = developer.post(f"{HOOKS}/new", form(**fields))

        assert response.status_code == 400
        with tenancy.within(book.pk):
            assert not WebhookEndpoint.objects.exists()
        assert noted() == []

    def test_asks_for_a_factor_in_live_mode(self, developer, live_book):
        response = developer.post("/dashboard/cafe/developers/webhooks/new", form())

        assert response["Location"].startswith("/accounts/confirm/")
        with tenancy.within(live_book.pk):
            assert not WebhookEndpoint.objects.exists()


class TestChange:
    @pytest.fixture
    def row(self, developer, book):
        developer.post(f"{HOOKS}/new", form())
        return only(book)

    def test_edits(self, developer, book, row):
        developer.post(
            f"{HOOKS}/{shown('we', row)}/edit",
            form(url="https://example.com/other", hears="some", types=["charge.updated"]),
        )

        assert (only(book).url, only(book).enabled_events) == ("https://example.com/other", ["charge.updated"])

    def test_switches_off_and_on(self, developer, book, row):
        address = f"{HOOKS}/{shown('we', row)}/switch"
        for _ in range(2):
            developer.post(address, {"to": "off"})
        assert not only(book).is_enabled
        for _ in range(2):
            developer.post(address, {"to": "on"})

        assert only(book).is_enabled
        assert noted() == ["webhook.create", "webhook.disable", "webhook.enable"]

    @pytest.mark.parametrize("once", ["r-1", "r\x00"])
    def test_replaces_the_secret_with_overlap(self, developer, book, row, once):
        old = secrets.unseal(row.sealed_secret, endpoint_id=row.pk)
        sent = {"overlap": "24", "once": once}

        first, second = (developer.post(f"{HOOKS}/{shown('we', row)}/secret", sent) for _ in range(2))

        row = only(book)
        assert first.context["secret"] == second.context["secret"] != old
        assert secrets.unseal(row.sealed_old_secret, endpoint_id=row.pk) == old
        assert timedelta(hours=23) < row.old_secret_until - clock.wall() < timedelta(hours=25)

    def test_deletes_after_asking(self, developer, book, row):
        address = f"{HOOKS}/{shown('we', row)}/delete"
        assert developer.get(address).status_code == 200

        assert developer.post(address).status_code == 302
        assert developer.post(address).status_code == 404

        assert only(book).deleted_at is not None
        assert noted() == ["webhook.create", "webhook.delete"]


class TestDeliveries:
    @pytest.fixture
    def sent(self, endpoint, receiver, api, post):
        """One delivery that arrived at once and one that failed slowly, to an endpoint that hears of customers."""
        made = endpoint("/ok", enabled_events=["customer.created"])
        api.post("customers", {"name": "Lin"})
        post.deliver()
        receiver.answers["/ok"] = (503, {"X-Shop": "till", "Set-Cookie": "session=1"}, b"come back later")
        api.post("customers", {"name": "Mei"})
        post.later(seconds=1).deliver()
        return made["id"]

    def listed(self, client, webhook, **params):
        return [each["row"].status for each in client.get(f"{HOOKS}/{webhook}", params).context["deliveries"]]

    def test_are_listed_newest_first_and_by_filter(self, developer, sent):
        assert self.listed(developer, sent) == ["pending", "succeeded"]
        assert self.listed(developer, sent, status="succeeded") == ["succeeded"]
        assert self.listed(developer, sent, answer="5") == ["pending"]
        assert self.listed(developer, sent, answer="2") == ["succeeded"]
        assert self.listed(developer, sent, answer="0") == []
        assert self.listed(developer, sent, slow="5000") == []
        assert self.listed(developer, sent, retried="1") == []
        assert self.listed(developer, sent, since="2999-01-01T00:00") == []
        assert len(self.listed(developer, sent, status="x", answer="y", slow="-1", since="?")) == 2

    def test_are_looked_for_a_bounded_way_at_a_time(self, developer, sent, monkeypatch):
        monkeypatch.setattr(queries, "LOOKED_AT_MAX", 1)

        page = developer.get(f"{HOOKS}/{sent}", {"answer": "2"})
        older = developer.get(f"{HOOKS}/{sent}" + page.context["ways"].older)

        assert (page.context["deliveries"], page.context["looks_further"]) == ([], True)
        assert [each["row"].status for each in older.context["deliveries"]] == ["succeeded"]

    def test_go_page_by_page(self, developer, sent, monkeypatch):
        monkeypatch.setattr(paging, "SIZE", 1)

        first = developer.get(f"{HOOKS}/{sent}")
        second = developer.get(f"{HOOKS}/{sent}" + first.context["ways"].older)

        assert [each["row"].status for each in first.context["deliveries"]] == ["pending"]
        assert [each["row"].status for each in second.context["deliveries"]] == ["succeeded"]
        assert (second.context["ways"].older, bool(second.context["ways"].newer)) == ("", True)

    def test_tell_request_and_answer(self, developer, sent, book, receiver):
        failed = deliveries_of(book)[-1]

        page = developer.get(f"{HOOKS}/{sent}/deliveries/{shown('whd', failed)}")

        content = page.content.decode()
        assert "come back later" in content
        assert "x-shop: till" in content.lower()
        assert "session=1" not in content
        assert page.context["body"] == receiver.at("/ok")[-1].body.decode()
        assert ("webhook-id", shown("evt", failed.event_id)) in page.context["headers"]
        assert receiver.at("/ok")[-1].headers["stripe-signature"].split("v1=")[1] not in content

    def test_are_sent_again_one_by_one(self, developer, sent, book, receiver, post):
        arrived = deliveries_of(book)[0]
        receiver.answers["/ok"] = 200
        for _ in range(2):
            developer.post(f"{HOOKS}/{sent}/resend", {"event": shown("evt", arrived.event_id)})
        post.now = clock.wall()
        post.deliver()

        assert len(deliveries_of(book)) == 2
        assert len([each for each in attempts_of(book) if each.delivery_id == arrived.pk]) == 2
        assert set(noted()) == {"webhook.resend"}

    def test_are_sent_again_by_range_and_watched(self, developer, sent, book, receiver, post):
        receiver.answers["/ok"] = 200
        day = (book.now - timedelta(hours=2), book.now + timedelta(hours=2))
        since, before = (each.astimezone(book.merchant.zone).strftime("%Y-%m-%dT%H:%M") for each in day)
        address = f"{HOOKS}/{sent}/backfill"

        answer = developer.post(address, {"since": since, "before": before, "includes_succeeded": "on"})
        waiting = developer.get(answer["Location"], headers={"HX-Request": "true"})
        post.now = clock.wall() + timedelta(hours=1)
        post.deliver()
        over = developer.get(answer["Location"], headers={"HX-Request": "true"})

        assert answer["Location"].endswith("?sent=1")  # the other is on its way already
        assert (waiting.context["is_over"], over.context["is_over"]) == (False, True)
        assert 'hx-trigger="every 2s"' in waiting.content.decode()
        assert "hx-trigger" not in over.content.decode()

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"since": "x", "before": "y"},
            {"since": "2026-03-02T00:00", "before": "2026-03-01T00:00"},
            {"since": "0001-01-01T00:00", "before": "0001-01-01T00:00"},
        ],
    )
    def test_of_no_range_are_not_sent(self, developer, sent, fields):
        assert developer.post(f"{HOOKS}/{sent}/backfill", fields).status_code == 400
        assert noted() == []

    def test_take_a_stated_number_of_statements(self, developer, sent, book):
        developer.get(f"{HOOKS}/{sent}")
        one = f"{HOOKS}/{sent}/deliveries/{shown('whd', deliveries_of(book)[0])}"
        for address in (f"{HOOKS}/{sent}", f"{HOOKS}/{sent}?answer=5", one, HOOKS):
            with CaptureQueriesContext(connections["default"]) as captured:
                developer.get(address)
            assert len(captured) <= 13, (address, len(captured))


class TestTry:
    def test_shows_what_was_answered_and_what_should_have_been(self, developer, endpoint, receiver):
        made = endpoint("/ok")
        address = f"{HOOKS}/{made['id']}/test"
        assert developer.get(address).context["results"] == []

        page = developer.post(address)

        assert page.context["good_count"] == 4
        assert len(receiver.at("/ok")) == 10
        assert "Refuse it with 400" in page.content.decode()

    def test_twice_in_a_row_sends_once(self, developer, endpoint, receiver):
        made = endpoint("/ok")

        first, second = (developer.post(f"{HOOKS}/{made['id']}/test") for _ in range(2))

        assert (first.status_code, second.status_code) == (200, 302)
        assert len(receiver.at("/ok")) == 10
        assert noted() == ["webhook.test"]


class TestEvents:
    @pytest.fixture
    def happened(self, api):
        return [api.post("customers", {"name": name}).json["id"] for name in ("Lin", "Mei")]

    def listed(self, client, **params):
        return [row.object_id for _, row in client.get(f"{ROOT}/events", params).context["events"]]

    def test_are_listed_newest_first_and_by_filter(self, developer, api, happened):
        api.post(f"customers/{happened[0]}", {"name": "Lin Mei"})

        assert self.listed(developer) == [happened[0], happened[1], happened[0]]
        assert self.listed(developer, type="customer.updated") == [happened[0]]
        assert self.listed(developer, object=happened[1]) == [happened[1]]
        assert self.listed(developer, object="cus_nobody") == []
        assert len(self.listed(developer, type="no.such", since="x")) == 3

    def test_are_shown_as_they_are_told(self, developer, api, happened):
        (event, *_) = api.get("events").json["data"]

        page = developer.get(f"{ROOT}/events/{event['id']}")

        assert load(page.context["body"]) == event
        assert page.context["object_url"] == "" or happened[1] in page.context["object_url"]

    def test_are_sent_to_an_endpoint_that_did_not_hear_of_them(self, developer, api, happened, endpoint, book):
        made = endpoint("/ok", enabled_events=["charge.updated"])
        (event, *_) = api.get("events").json["data"]
        page = developer.get(f"{ROOT}/events/{event['id']}")
        assert [each.id for each in page.context["others"]] == [made["id"]]

        developer.post(f"{HOOKS}/{made['id']}/resend", {"event": event["id"]})

        assert [each.status for each in deliveries_of(book)] == ["pending"]
        assert developer.get(f"{ROOT}/events/{event['id']}").context["others"] == []

    def test_of_other_books_are_not_there(self, developer, other_api):
        other_api.post("customers", {"name": "Guest"})
        (event,) = other_api.get("events").json["data"]

        assert developer.get(f"{ROOT}/events/{event['id']}").status_code == 404
        assert self.listed(developer) == []

    def test_take_a_stated_number_of_statements(self, developer, api, happened):
        (event, *_) = api.get("events").json["data"]
        developer.get(f"{ROOT}/events")
        for address in (f"{ROOT}/events", f"{ROOT}/events/{event['id']}"):
            with CaptureQueriesContext(connections["default"]) as captured:
                developer.get(address)
            assert len(captured) <= 12, (address, len(captured))


class TestDoors:
    @pytest.mark.parametrize("role", ROLES)
    def test_show_to_some_and_let_fewer_act(self, merchant, endpoint, book, api, role):
        made = endpoint("/ok")
        api.post("customers", {"name": "Lin"})
        event = api.get("events").json["data"][0]["id"]
        client = signed_in(make_staff(merchant, role))
        sees = 200 if role in ("owner", "developer", "support") else 403
        here = f"{HOOKS}/{made['id']}"
        before = only(book)

        for page in (HOOKS, here, f"{ROOT}/events", f"{ROOT}/events/{event}"):
            assert client.get(page).status_code == sees, page
        for page in (
            f"{HOOKS}/new",
            f"{here}/edit",
            f"{here}/delete",
            f"{here}/secret",
            f"{here}/backfill",
            f"{here}/test",
        ):
            assert client.get(page).status_code == (200 if role in ("owner", "developer") else 403), page
            if role not in ("owner", "developer"):
                assert client.post(page, form()).status_code == 403
        for act in ("switch", "resend"):
            if role not in ("owner", "developer"):
                assert client.post(f"{here}/{act}", {"to": "off", "event": event}).status_code == 403
        after = only(book)
        assert (after.status, after.sealed_secret, after.deleted_at) == (before.status, before.sealed_secret, None)
        with tenancy.within(book.pk):
            assert not WebhookDelivery.objects.exists()
        assert noted() == []

    def test_of_another_merchant_are_not_there(self, developer, other_api, other_book):
        theirs = other_api.post("webhook_endpoints", {"url": "https://example.com/", "enabled_events": ["*"]}).json[
            "id"
        ]
        here = f"{HOOKS}/{theirs}"

        for page in ("", "/edit", "/delete", "/secret", "/backfill", "/test"):
            assert developer.get(here + page).status_code == 404
            if page:
                assert developer.post(here + page, form()).status_code == 404
        for act in ("/switch", "/resend"):
            assert developer.post(here + act, {"to": "off", "event": "evt_0000000000000000000000"}).status_code == 404
        with tenancy.within(other_book.pk):
            assert WebhookEndpoint.objects.get().is_enabled
        assert noted() == []
