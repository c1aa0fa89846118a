"""The test clock's page: forward only, in test mode only, twice no further than once."""

from datetime import timedelta

import pytest

from merchant_platform.kernel import clock
from security.audit.models import AuditRecord
from security.merchants.models import Book
from tests.cast import NOW, move_clock
from tests.staff import ROLES, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
TEST, LIVE = "/dashboard/cafe/test/developers/test-clock", "/dashboard/cafe/developers/test-clock"


@pytest.fixture
def developer(merchant):
    return signed_in(make_staff(merchant, "developer"))


def stands_at(book):
    return Book.objects.get(pk=book.pk).clock_at


def local(book, at):
    return at.astimezone(book.merchant.zone).strftime("%Y-%m-%dT%H:%M:%S")


class TestAdvance:
    def test_moves_the_books_time_for_everybody(self, developer, api, book):
        to = NOW + timedelta(days=1)
        api.get("customers")

        for _ in range(2):
            developer.post(TEST, {"act": "advance", "to": local(book, to)})

        assert stands_at(book) == to
        assert [record.action for record in AuditRecord.objects.all()] == ["test_clock.advance"]

    def test_tells_web_processes_that_remember_the_time(self, developer, api, book):
        api.get("customers")
        to = NOW + timedelta(days=1)

        developer.post(TEST, {"act": "advance", "to": local(book, to)})
        move_clock(book, to)  # what a process does within a second of the new version

        assert api.post("customers", {"name": "Lin"}).json["created"] == clock.unix(to)

    @pytest.mark.parametrize(
        "to", ["", "x", "2020-01-01T00:00", "2999-01-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59"]
    )
    def test_goes_nowhere_else(self, developer, book, to):
        response = developer.post(TEST, {"act": "advance", "to": to})

        assert response.status_code in (302, 400)
        assert stands_at(book) == NOW
        assert not AuditRecord.objects.exists()

    def test_refuses_other_acts(self, developer, book):
        assert developer.post(TEST, {"act": "stop the world"}).status_code == 404
        assert stands_at(book) == NOW


class TestStartAndRemove:
    def test_give_and_take_a_clock(self, developer, book):
        developer.post(TEST, {"act": "remove"})
        assert stands_at(book) is None
        developer.post(TEST, {"act": "advance", "to": "2999-01-01T00:00"})
        assert stands_at(book) is None

        before = clock.wall()
        for _ in range(2):
            developer.post(TEST, {"act": "start"})

        assert before <= stands_at(book) <= clock.wall()
        assert [record.action for record in AuditRecord.objects.order_by("recorded_at")] == [
            "test_clock.remove",
            "test_clock.start",
        ]

    def test_do_not_let_time_go_back(self, developer, book):
        ahead = clock.wall() + timedelta(days=1)
        move_clock(book, ahead)

        developer.post(TEST, {"act": "remove"})

        assert stands_at(book) == ahead


class TestDoor:
    def test_of_live_mode_has_nothing_to_move(self, developer, live_book):
        assert developer.get(LIVE).status_code == 200
        for act in ("start", "advance", "remove"):
            assert developer.post(LIVE, {"act": act, "to": "2030-01-01T00:00"}).status_code == 404
        assert stands_at(live_book) is None

    @pytest.mark.parametrize("role", ROLES)
    def test_opens_to_developers_and_owners(self, merchant, book, role):
        client = signed_in(make_staff(merchant, role))
        wanted = 200 if role in ("developer", "owner") else 403

        assert client.get(TEST).status_code == wanted
        if wanted == 403:
            assert client.post(TEST, {"act": "remove"}).status_code == 403
            assert stands_at(book) == NOW
