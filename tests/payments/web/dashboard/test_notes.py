from uuid import uuid4

import pytest

from merchant_platform.kernel import tenancy
from payments.notes.models import FormerNote, Note
from security.audit.models import AuditRecord
from tests.cast import shown
from tests.payments.books import unchanged
from tests.payments.web.dashboard.sales import BASE, pay, text_of
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def owner(merchant):
    return signed_in(make_staff(merchant, "owner"))


@pytest.fixture
def cashier(merchant):
    return signed_in(make_staff(merchant, "cashier"))


@pytest.fixture
def sold(api, customer, wallet_method):
    return pay(api, wallet_method(customer, 5_000))


def write(client, payment, body="Called the customer.", token=None):
    return client.post(f"{BASE}/payments/{payment['id']}/notes", {"token": token or uuid4(), "body": body})


def notes(book) -> list[Note]:
    with tenancy.within(book.pk):
        return list(Note.objects.order_by("pk"))


class TestAdd:
    def test_is_read_on_the_payment(self, owner, cashier, sold):
        assert write(cashier, sold).url == f"{BASE}/payments/{sold['id']}#notes"

        body = text_of(owner.get(f"{BASE}/payments/{sold['id']}"))
        assert "Called the customer." in body
        assert "Cashier" in body

    def test_sent_twice_is_one_note(self, cashier, sold, book):
        token = uuid4()
        write(cashier, sold, token=token)
        write(cashier, sold, token=token)

        assert [note.body for note in notes(book)] == ["Called the customer."]
        assert AuditRecord.objects.filter(action="note.add").count() == 1

    @pytest.mark.parametrize("body", ["", "   ", "x" * 2_001, "a\x00b"])
    def test_says_something_and_not_too_much(self, body, cashier, sold):
        with unchanged():
            assert write(cashier, sold, body).status_code == 400

    def test_is_closed_to_strangers_and_to_roles_that_may_not(self, merchant, other_merchant, sold):
        clients = [signed_in(make_staff(other_merchant, "owner")), signed_in(make_staff(merchant, "analyst"))]

        with unchanged():
            assert [write(client, sold).status_code for client in clients] == [404, 403]

    def test_needs_a_payment_of_this_book(self, other_merchant, sold):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        with unchanged():
            address = f"/dashboard/bakery/test/payments/{sold['id']}/notes"
            assert stranger.post(address, {"token": uuid4(), "body": "x"}).status_code == 404


class TestChange:
    @pytest.fixture
    def address(self, cashier, sold, book):
        write(cashier, sold)
        [note] = notes(book)
        return f"{BASE}/payments/{sold['id']}/notes/{shown('note', note)}"

    def test_keeps_what_it_said_before(self, cashier, address, book, sold):
        cashier.post(address, {"body": "Wrote to the customer."})

        [note] = notes(book)
        with tenancy.within(book.pk):
            assert [former.body for former in FormerNote.objects.all()] == ["Called the customer."]
        assert (note.body, note.edited_at) == ("Wrote to the customer.", book.now)
        assert "Changed 1 time" in text_of(cashier.get(f"{BASE}/payments/{sold['id']}"))

    def test_removes_it_and_keeps_its_history(self, cashier, address, book, sold):
        cashier.post(address, {"act": "remove"})

        [note] = notes(book)
        assert (note.body, note.deleted_at) == ("", book.now)
        with tenancy.within(book.pk):
            assert [former.body for former in FormerNote.objects.all()] == ["Called the customer."]
        assert "Called the customer." not in text_of(cashier.get(f"{BASE}/payments/{sold['id']}"))
        assert cashier.post(address, {"body": "Again"}).status_code == 404

    def test_is_for_the_author_alone(self, owner, address):
        with unchanged():
            assert owner.get(address).status_code == 403
            assert owner.post(address, {"body": "Mine now"}).status_code == 403
            assert owner.post(address, {"act": "remove"}).status_code == 403

    def test_tells_what_is_wrong(self, cashier, address):
        with unchanged():
            assert cashier.post(address, {"body": ""}).status_code == 400

    def test_is_not_there_for_a_stranger(self, other_merchant, address):
        stranger = signed_in(make_staff(other_merchant, "owner"))

        with unchanged():
            assert stranger.get(address).status_code == 404
            assert stranger.post(address.replace("/cafe/", "/bakery/"), {"body": "x"}).status_code == 404
