from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db import connection

from merchant_platform.kernel import clock
from merchant_platform.kernel.errors import Unauthenticated
from security.credentials import authentication, keys
from security.credentials.authentication import authenticate, memory
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET, ApiKey
from security.merchants.models import Book
from tests.cast import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def second_passes():
    """Lets the second between two looks at the version number pass, or keeps it from passing."""

    class Second:
        def passes(self) -> None:
            memory.polled_at = float("-inf")

        def stands(self) -> None:
            memory.polled_at = float("inf")

    return Second()


def row(text: str) -> ApiKey:
    return ApiKey.objects.select_related("book").get(digest=keys.digest(text))


def is_refused(text: str) -> bool:
    try:
        authenticate(text)
    except Unauthenticated:
        return True
    return False


class TestAuthenticate:
    def test_tells_who_asks(self, key, book, merchant):
        holder = authenticate(key)

        assert (holder.book_id, holder.merchant_id, holder.mode) == (book.pk, merchant.pk, "test")
        assert (holder.kind, holder.livemode, holder.default_currency) == (SECRET, False, "CNY")
        assert holder.key_id == row(key).pk
        assert holder.now == NOW

    def test_tells_live_from_test(self, live_key, live_book):
        holder = authenticate(live_key)

        assert (holder.book_id, holder.livemode, holder.clock_at) == (live_book.pk, True, None)

    @pytest.mark.parametrize("text", ["", "sk_test_", "sk_test_unknown", "李", "x" * 100_000])
    def test_refuses_a_text_that_is_no_key(self, platform, text):
        assert is_refused(text)

    def test_has_one_message_for_every_reason(self, make_key, book, second_passes):
        revoked, expired, unknown = (make_key(book) for _ in range(3))
        keys.revoke(key=row(revoked), now=clock.wall())
        keys.rotate(key=row(expired), overlap=timedelta(0), now=clock.wall())
        ApiKey.objects.filter(digest=keys.digest(unknown)).update(digest=b"another")
        second_passes.passes()

        messages = set()
        for text in (revoked, expired, unknown):
            with pytest.raises(Unauthenticated) as refused:
                authenticate(text)
            messages.add(refused.value.message.replace(text[-4:], "last"))

        assert messages == {"Invalid API key provided: sk_test_***last"}

    def test_shows_nothing_of_a_short_text(self, platform):
        with pytest.raises(Unauthenticated, match=r"^Invalid API key provided: \*\*\*$"):
            authenticate("hunter2")


class TestMemory:
    def test_asks_the_database_once_a_key(self, key, django_assert_num_queries, second_passes):
        with django_assert_num_queries(2):  # the version, the key
            authenticate(key)
        second_passes.stands()

        with django_assert_num_queries(0):
            for _ in range(10):
                authenticate(key)

    def test_asks_for_the_version_once_a_second(self, key, django_assert_num_queries, second_passes):
        authenticate(key)

        second_passes.passes()
        with django_assert_num_queries(1):
            authenticate(key)
            authenticate(key)

    def test_forgets_a_key_after_thirty_seconds(self, key, monkeypatch, django_assert_num_queries):
        at = [1_000.0]
        monkeypatch.setattr(authentication, "time", SimpleNamespace(monotonic=lambda: at[0]))
        authenticate(key)

        at[0] += 29.9
        with django_assert_num_queries(1):  # the version alone
            authenticate(key)
        at[0] += 0.2
        with django_assert_num_queries(1):  # the key alone: the version was asked for just now
            authenticate(key)

    def test_remembers_no_key_that_does_not_exist(self, platform):
        assert is_refused("sk_test_unknown")
        assert memory.holders == {}

    def test_is_bounded(self, make_key, book, monkeypatch):
        monkeypatch.setattr(authentication, "REMEMBERED_KEYS_MAX", 3)

        for _ in range(5):
            authenticate(make_key(book))

        assert len(memory.holders) == 2

    def test_keeps_digests_alone(self, key):
        authenticate(key)

        assert key not in repr(memory)

    def test_lets_a_revoked_key_work_for_the_rest_of_the_second(self, key, second_passes):
        authenticate(key)
        second_passes.stands()

        keys.revoke(key=row(key), now=clock.wall())

        assert not is_refused(key)

    def test_refuses_a_revoked_key_when_the_second_is_over(self, key, second_passes):
        authenticate(key)

        keys.revoke(key=row(key), now=clock.wall())
        second_passes.passes()

        assert is_refused(key)

    def test_forgets_every_key_when_one_changes(self, key, make_key, book, second_passes):
        other = make_key(book)
        authenticate(key), authenticate(other)

        keys.revoke(key=row(other), now=clock.wall())
        second_passes.passes()
        authenticate(key)

        assert [*memory.holders] == [keys.digest(key)]

    def test_lets_both_keys_work_while_they_overlap(self, key, second_passes):
        authenticate(key)
        now = clock.wall()

        _, new = keys.rotate(key=row(key), overlap=timedelta(hours=1), now=now)
        second_passes.passes()

        with time_machine.travel(now + timedelta(minutes=59), tick=False):
            assert (is_refused(key), is_refused(new)) == (False, False)
        with time_machine.travel(now + timedelta(hours=1), tick=False):
            assert (is_refused(key), is_refused(new)) == (True, False)

    def test_ends_a_remembered_key_at_its_very_time(self, key, second_passes):
        """No change is told at that moment: the remembered key knows when it ends."""
        now = clock.wall()
        keys.rotate(key=row(key), overlap=timedelta(minutes=1), now=now)
        second_passes.passes()
        authenticate(key)
        second_passes.stands()

        with time_machine.travel(now + timedelta(minutes=1), tick=False):
            assert is_refused(key)

    def test_reads_a_moved_clock_after_thirty_seconds_at_the_latest(self, key, book, monkeypatch):
        at = [1_000.0]
        monkeypatch.setattr(authentication, "time", SimpleNamespace(monotonic=lambda: at[0]))
        authenticate(key)

        Book.objects.filter(pk=book.pk).update(clock_at=NOW + timedelta(days=90))
        at[0] += 30

        assert authenticate(key).now == NOW + timedelta(days=90)

    def test_reads_the_key_with_its_book_and_merchant_by_an_index(self, key):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN SELECT 1 FROM security_apikey WHERE digest = %s", [keys.digest(key)])
            plan = " ".join(line for (line,) in cursor.fetchall())

        assert "Index" in plan

    def test_keeps_nothing_that_was_read_before_keys_changed(self, book, monkeypatch, second_passes):
        """A thread reads a key; before it remembers it, the key is revoked and another thread learns of that."""
        _, text = keys.make(book=book, kind=SECRET, now=NOW)
        second_passes.stands()
        look_up = authentication._look_up

        def slow(digest):
            found = look_up(digest)
            memory.version += 1  # what the other thread does
            memory.holders.clear()
            return found

        monkeypatch.setattr(authentication, "_look_up", slow)
        authenticate(text)

        assert memory.holders == {}


class TestMay:
    @pytest.mark.parametrize(
        ("kind", "permissions", "allowed"),
        [
            (SECRET, None, {"customers:read", "customers:write", "orders:read", "orders:write"}),
            (PUBLISHABLE, None, set()),
            (RESTRICTED, {"customers": "read"}, {"customers:read"}),
            (RESTRICTED, {"customers": "write"}, {"customers:read", "customers:write"}),
            (RESTRICTED, {"customers": "read", "orders": "write"}, {"customers:read", "orders:read", "orders:write"}),
        ],
    )
    def test_opens_what_the_kind_and_its_permissions_say(self, make_key, book, kind, permissions, allowed):
        holder = authenticate(make_key(book, kind=kind, permissions=permissions))

        asked = ["customers:read", "customers:write", "orders:read", "orders:write"]

        assert {permission for permission in asked if holder.may(permission)} == allowed
