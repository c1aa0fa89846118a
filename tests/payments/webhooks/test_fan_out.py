"""Fan-out: what was committed is owed once, whenever it was begun; nobody waits for it."""

import threading
from contextlib import closing

import psycopg2
import pytest
from django.conf import settings as django_settings
from django.db import connections, transaction

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events import outbox, router
from payments.webhooks import fan_out
from payments.webhooks.models import WebhookCursor, WebhookDelivery
from tests.architecture.asking import as_owner
from tests.cast import NOW, race
from tests.payments.webhooks.post import START, deliveries_of

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform", "owner"])


def tell(book, name, event_type="customer.created"):
    with tenancy.within(book.pk):
        outbox.publish(outbox.row(event_type, {"id": name}, now=NOW))


def told(book):
    return [each.event.data for each in deliveries_of(book)]


def run():
    return fan_out.run_once(now=START)


@pytest.fixture
def begun(endpoint):
    """An endpoint, and a cursor that stands behind it."""
    endpoint()
    run()
    run()


class TestFanOut:
    def test_owes_each_event_once(self, begun, book):
        tell(book, "first")

        assert (run(), run()) == (1, 0)
        assert told(book) == ['{"id":"first"}']

    @pytest.mark.requirement("A40")
    def test_finds_what_began_early_and_committed_late(self, begun, book):
        """And what was committed meanwhile does not wait for it."""
        with closing(psycopg2.connect(django_settings.APP_URL)) as early, early.cursor() as cursor:
            cursor.execute("SELECT set_config('app.book', %s, true)", [str(book.pk)])
            cursor.execute(
                "INSERT INTO kernel_event (id, book_id, type, created_at, data, is_public)"
                " VALUES (%s, %s, 'customer.created', %s, '\"early\"', true)",
                [str(ids.new(NOW)), str(book.pk), NOW],
            )
            tell(book, "later")
            while_open = (run(), told(book))
            tell(book, "last")
            still_open = (run(), run())
            early.commit()

            afterwards = (run(), run())

        assert while_open == (1, ['{"id":"later"}'])
        assert still_open == (1, 0)
        assert afterwards == (1, 0)
        assert sorted(told(book)) == ['"early"', '{"id":"last"}', '{"id":"later"}']

    def test_misses_no_event_of_a_moment_after_an_endpoint(self, endpoint, book, api):
        """The endpoint is made while the cursor lags far behind: what was before stays untold, what came after is."""
        run()
        tell(book, "before")
        endpoint()
        tell(book, "after")

        run()

        assert told(book) == ['{"id":"after"}']

    def test_leaves_out_what_happened_while_an_endpoint_was_off(self, endpoint, book, api):
        made = endpoint()
        api.post(f"webhook_endpoints/{made['id']}", {"disabled": True})
        tell(book, "off")
        api.post(f"webhook_endpoints/{made['id']}", {"disabled": False})
        tell(book, "on")
        run()

        run()

        assert told(book) == ['{"id":"on"}']

    def test_reads_what_is_internal_to_nobody(self, begun, book):
        with tenancy.within(book.pk):
            outbox.publish(outbox.row("ledger.difference_found", {}, now=NOW, is_public=False))

        assert run() == 0

    def test_makes_ids_in_the_order_of_the_events(self, begun, book):
        for number in range(20):
            tell(book, number)

        run()

        found = deliveries_of(book)
        assert [each.event.data for each in found] == [f'{{"id":{number}}}' for number in range(20)]
        assert {each.pk.version for each in found} == {7}
        assert {ids.made_at(each.pk) for each in found} == {START}

    def test_is_done_once_by_two_at_once(self, begun, book):
        for number in range(50):
            tell(book, number)

        made = race(run, run)

        assert sum(made) + run() == 50
        assert len(told(book)) == 50

    def test_passes_by_while_another_is_at_it(self, begun, book):
        tell(book, "first")
        locked, may_end = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic(using="platform"):
                WebhookCursor.objects.using("platform").select_for_update().get()
                locked.set()
                assert may_end.wait(60)

        def pass_by():
            assert locked.wait(60)
            try:
                return run()
            finally:
                may_end.set()

        assert race(hold, pass_by)[1] == 0
        assert run() == 1

    def test_loses_nothing_when_it_is_interrupted(self, begun, book):
        tell(book, "first")

        with transaction.atomic(using="platform"):
            interrupted = run()
            transaction.set_rollback(True, using="platform")

        assert (interrupted, run()) == (1, 1)


class TestAnotherCluster:
    """What a dump and restore leaves: ids of transactions that this cluster never ran."""

    def test_is_refused_until_the_ledger_was_rebased(self, begun, book):
        tell(book, "before")
        as_owner("UPDATE payments_webhookcursor SET system_identifier = 1")

        with pytest.raises(fan_out.ForeignCluster):
            run()

        assert told(book) == []

    def test_goes_on_after_a_rebase_without_a_loss_or_a_repetition(self, begun, book):
        tell(book, "told before the dump")
        run()
        tell(book, "not told yet")
        tell(book, "written here before the rebase")
        as_owner("UPDATE kernel_event SET xid = '899999999'::xid8 WHERE data LIKE '%told before%'")
        as_owner("UPDATE kernel_event SET xid = '900000000'::xid8 WHERE data LIKE '%not told%'")
        as_owner("UPDATE payments_webhookendpoint SET listens_since = '800000000:800000000:'")
        as_owner("UPDATE payments_webhookcursor SET snapshot = '900000000:900000000:', moved_at = now()")
        as_owner("UPDATE payments_webhookcursor SET system_identifier = 1")

        made = fan_out.rebase(now=START)
        tell(book, "after")

        assert (made, run(), run()) == (2, 1, 0)
        assert len(told(book)) == 4
        assert as_owner("SELECT count(*) FROM kernel_event WHERE xid > '800000000'::xid8") == [(0,)]


class TestDeliveries:
    def test_are_owed_once_an_endpoint_and_event(self, begun, book):
        tell(book, "first")
        run()

        with pytest.raises(Exception, match="payments_webhookdelivery_is_owed_once"):
            as_owner(
                "INSERT INTO payments_webhookdelivery"
                " (id, book_id, endpoint_id, event_id, status, attempts_count, due_at, created_at)"
                " SELECT gen_random_uuid(), book_id, endpoint_id, event_id, status, 0, due_at, created_at"
                " FROM payments_webhookdelivery"
            )

    def test_are_of_the_platform_role_to_make(self, begun, book):
        tell(book, "first")
        run()

        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT count(*) FROM payments_webhookdelivery")
            assert cursor.fetchone() == (0,), "no book is open"
        with tenancy.within(book.pk):
            assert WebhookDelivery.objects.count() == 1


class TestFollowers:
    def test_are_owed_an_event_once_after_its_commit_in_the_books_that_ask(
        self, begun, book, other_book, settings, monkeypatch
    ):
        follower = router.Follower("customer.created", "tests.nobody.follow", f"{__name__}.asking")
        settings.EVENT_FOLLOWERS = f"{__name__}.FOLLOWERS"
        monkeypatch.setattr(f"{__name__}.FOLLOWERS", (follower,))
        monkeypatch.setattr(f"{__name__}.asking", lambda: [book.pk])
        router.reset()
        tell(book, "followed")
        tell(book, "of another type", "product.deleted")
        tell(other_book, "not asked for")
        at_once = handlers_owed()

        run()
        run()

        router.reset()
        assert at_once == []
        assert handlers_owed() == [(book.pk, "tests.nobody.follow", '{"id":"followed"}')]


FOLLOWERS = ()


def asking():
    raise AssertionError("the test says who asks")


def handlers_owed():
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "SELECT d.book_id, d.target, e.data FROM kernel_delivery d JOIN kernel_event e ON e.id = d.event_id"
        )
        return cursor.fetchall()
