"""Letters to a merchant's people, and what is purged."""

from datetime import timedelta

import pytest
from django.core import mail

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.events import relay
from merchant_platform.schedule import SCHEDULE
from payments import tasks
from payments.webhooks import operations as webhooks
from payments.webhooks.models import GONE, WebhookAttempt, WebhookDelivery
from security.identity.models import User
from security.merchants import operations as merchants
from tests.cast import NOW
from tests.payments.webhooks.post import START, attempts_of, deliveries_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform", "owner"])


@pytest.fixture
def people(merchant, other_merchant):
    """One of each role that matters, one who left, and the stranger's owner."""

    def hire(name, role, at=merchant, **staff):
        user = User.objects.create_user(f"{name}@example.com")
        hired = merchants.hire(user=user, merchant=at, role=role, now=NOW)
        for field, value in staff.items():
            setattr(hired, field, value)
        hired.save()

    hire("owner", "owner")
    hire("developer", "developer")
    hire("cashier", "cashier")
    hire("former", "owner", left_at=NOW)
    hire("stranger", "owner", at=other_merchant)


class TestSwitchOff:
    def test_is_told_to_owners_and_developers(self, people, api, endpoint, receiver, post, book):
        receiver.answers["/ok"] = 410
        made = endpoint()
        api.post("customers", {"name": "Lin Mei"})
        post.deliver()

        relay.run_once(now=clock.wall())
        relay.run_once(now=clock.wall())

        (letter,) = mail.outbox
        assert letter.recipients() == ["owner@example.com", "developer@example.com"]
        assert made["url"] in letter.body
        assert made["id"] in letter.body
        assert "410 Gone" in letter.body
        assert "停用" in letter.subject
        assert "was switched off" in letter.subject
        assert "whsec_" not in letter.body

    def test_happens_once(self, endpoint, book):
        made = endpoint()
        endpoint_id = ids.parse("we", made["id"])

        with tenancy.within(book.pk):
            first = webhooks.switch_off(endpoint_id=endpoint_id, reason=GONE, now=START)
            second = webhooks.switch_off(endpoint_id=endpoint_id, reason=GONE, now=START)

        assert (first, second) == (True, False)

    def test_writes_to_nobody_where_nobody_is(self, api, endpoint, receiver, post):
        receiver.answers["/ok"] = 410
        endpoint()
        api.post("customers", {"name": "Lin Mei"})
        post.deliver()

        relay.run_once(now=clock.wall())

        assert mail.outbox == []


class TestPurge:
    def test_takes_attempts_of_thirty_days_and_deliveries_with_them(self, api, endpoint, receiver, post, book):
        endpoint()
        api.post("customers", {"name": "Old"})
        post.deliver()
        post.later(days=20)
        api.post("customers", {"name": "Young"})
        post.deliver()

        kept = webhooks.purge(now=START + timedelta(days=29))
        gone = webhooks.purge(now=START + timedelta(days=31))

        assert (kept, gone) == (0, 2)
        assert len(attempts_of(book)) == len(deliveries_of(book)) == 1

    def test_leaves_an_old_delivery_that_is_sent_again(self, api, endpoint, receiver, post, book):
        endpoint()
        api.post("customers", {"name": "Old"})
        post.deliver()
        with tenancy.within(book.pk):
            WebhookAttempt.objects.all().delete()
            WebhookDelivery.objects.update(status="pending", due_at=START + timedelta(days=40))

        assert webhooks.purge(now=START + timedelta(days=41)) == 0

    def test_goes_on_batch_by_batch(self, api, endpoint, receiver, post, book, monkeypatch):
        monkeypatch.setattr(webhooks, "PURGE_BATCH", 2)
        endpoint()
        for number in range(5):
            api.post("customers", {"name": f"Guest {number}"})
        post.deliver()

        assert webhooks.purge(now=START + timedelta(days=31)) == 10

    def test_is_scheduled(self):
        assert SCHEDULE["purge webhook attempts"]["task"] == tasks.purge_webhook_attempts.name
        assert tasks.purge_webhook_attempts() == 0
