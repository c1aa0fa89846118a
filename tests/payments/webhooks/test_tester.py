"""The tester: what it sends, how it judges, and where it never goes."""

from datetime import timedelta

import pytest
import stripe

from merchant_platform.kernel import clock, ids, tenancy
from payments.webhooks import operations, queries, tester

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
GOOD = dict.fromkeys(("genuine", "duplicate", "late", "reordered", "tampered", "replayed", "forged", "unsigned"), True)
NOW = clock.wall


@pytest.fixture
def registered(endpoint, book):
    """Registers an endpoint at a path and gives its row with its secret."""

    def make(path="/ok", **fields):
        made = endpoint(path, **fields)
        with tenancy.within(book.pk):
            return queries.find(ids.parse("we", made["id"])), made["secret"]

    return make


def tried(row, **options):
    return {each.name: each for each in tester.run(endpoint=row, livemode=False, now=NOW(), **options)}


class TestRun:
    @pytest.mark.requirement("A40")
    def test_finds_nothing_wrong_with_an_endpoint_that_verifies(self, registered, receiver):
        row, secret = registered("/verify")

        def verify(request):
            try:
                stripe.Webhook.construct_event(request.body, request.headers.get("stripe-signature", ""), secret)
            except (ValueError, stripe.SignatureVerificationError):
                return 400
            return 200

        receiver.judge = verify

        results = tried(row)

        assert {name: each.is_good for name, each in results.items()} == GOOD

    def test_tells_an_endpoint_that_believes_everything(self, registered, receiver):
        row, _ = registered("/ok")

        results = tried(row)

        assert {name for name, each in results.items() if not each.is_good} == tester.REFUSED
        assert all(each.was_sent for each in results.values())
        assert len(receiver.at("/ok")) == 10

    def test_tells_an_endpoint_that_refuses_everything(self, registered, receiver):
        row, _ = registered("/no")
        receiver.answers["/no"] = 400

        results = tried(row)

        assert {name for name, each in results.items() if each.is_good} == tester.REFUSED

    def test_takes_no_failure_of_the_server_for_a_refusal(self, registered, receiver):
        row, _ = registered("/broken")
        receiver.answers["/broken"] = 500

        assert not any(each.is_good for each in tried(row).values())

    def test_stops_where_nobody_answers(self, registered, receiver):
        row, _ = registered("/reset")

        results = tried(row)

        assert [len(each.replies) for each in results.values()] == [1, 0, 0, 0, 0, 0, 0, 0]
        assert not any(each.is_good for each in results.values())

    def test_goes_where_no_webhook_may_go_no_more_than_a_webhook(self, registered, settings):
        row, _ = registered("/ok")
        settings.WEBHOOK_ALLOW_HOSTS = []

        first, *_ = tester.run(endpoint=row, livemode=False, now=NOW())

        assert first.replies[0].outcome == "refused_address"

    def test_stores_nothing(self, registered, api, receiver):
        row, _ = registered("/ok")
        before = api.get("events").json

        tried(row)

        assert api.get("events").json == before
        with tenancy.within(row.book_id):
            assert queries.waiting_count(row.pk) == 0


class TestCases:
    def test_are_what_they_say(self, registered):
        row, secret = registered("/ok")
        now = NOW()
        letters = {each.name: each.letters for each in tester.cases(row, livemode=False, now=now)}

        def verifies(letter):
            try:
                return stripe.Webhook.construct_event(letter.body, letter.headers.get("Stripe-Signature", ""), secret)
            except stripe.SignatureVerificationError:
                return None

        believed = {name: [verifies(each) for each in sent] for name, sent in letters.items()}
        assert {name for name, events in believed.items() if events[0] is None} == tester.REFUSED
        first, second = believed["duplicate"]
        assert first.id == second.id
        newer, older = believed["reordered"]
        assert newer.created > older.created
        assert believed["late"][0].created < clock.unix(now - timedelta(days=2))
        assert letters["tampered"][0].body != letters["genuine"][0].body
        assert "Stripe-Signature" not in letters["unsigned"][0].headers
        assert {event.type for events in believed.values() for event in events if event} == {operations.TEST_TYPE}

    def test_are_signed_with_both_secrets_while_one_is_replaced(self, registered):
        row, old = registered("/ok")
        with tenancy.within(row.book_id):
            row, _ = operations.rotate_secret(endpoint_id=row.pk, overlap=timedelta(hours=1), now=NOW())

        genuine = tester.cases(row, livemode=False, now=NOW())[0].letters[0]

        assert genuine.headers["Stripe-Signature"].count("v1=") == 2
        assert stripe.Webhook.construct_event(genuine.body, genuine.headers["Stripe-Signature"], old)


class TestBeginTest:
    def test_is_once_in_a_while(self, registered):
        row, _ = registered("/ok")
        now = NOW()
        with tenancy.within(row.book_id):
            operations.begin_test(endpoint_id=row.pk, now=now)
            with pytest.raises(operations.TestedJustNow):
                operations.begin_test(endpoint_id=row.pk, now=now + timedelta(seconds=14))
            operations.begin_test(endpoint_id=row.pk, now=now + timedelta(seconds=15))

    def test_refuses_one_that_is_switched_off(self, registered):
        row, _ = registered("/ok")
        with tenancy.within(row.book_id):
            operations.update(endpoint_id=row.pk, fields={"is_disabled": True}, livemode=False)
            with pytest.raises(operations.EndpointDisabled):
                operations.begin_test(endpoint_id=row.pk, now=NOW())
