from uuid import uuid4

import pytest
from django.db import IntegrityError, connections, transaction

from merchant_platform.kernel import tenancy
from payments.customers.models import Customer
from tests.cast import NOW, race

pytestmark = pytest.mark.requirement("A2")


def open_book() -> str | None:
    """What the database believes; an empty string after a commit, null in a connection that never opened one."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT NULLIF(current_setting('app.book', true), '')")
        return cursor.fetchone()[0]


def customer(book_id) -> Customer:
    return Customer(id=uuid4(), book_id=book_id, created_at=NOW)


def write_twice(row: Customer) -> None:
    for _ in range(2):
        row.save(force_insert=True)


def fail_after(row: Customer) -> None:
    row.save(force_insert=True)
    raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
class TestWithin:
    def test_opens_one_transaction_for_the_book(self):
        book_id = uuid4()

        with tenancy.within(book_id):
            inside = (open_book(), tenancy.book_id(), connections["default"].in_atomic_block)

        assert inside == (str(book_id), book_id, True)

    def test_leaves_nothing_open(self):
        with tenancy.within(uuid4()):
            pass

        assert open_book() is None
        assert not connections["default"].in_atomic_block
        with pytest.raises(tenancy.NoBook):
            tenancy.book_id()

    def test_leaves_nothing_open_after_an_error_either(self):
        book_id = uuid4()

        with pytest.raises(ZeroDivisionError), tenancy.within(book_id):
            fail_after(customer(book_id))

        assert open_book() is None
        with pytest.raises(tenancy.NoBook):
            tenancy.book_id()
        with tenancy.within(book_id):
            assert not Customer.objects.exists()

    def test_joins_a_unit_of_work_of_the_same_book(self):
        book_id = uuid4()

        with tenancy.within(book_id):
            with tenancy.within(book_id):
                customer(book_id).save(force_insert=True)
            still = (open_book(), tenancy.book_id(), Customer.objects.count())

        assert still == (str(book_id), book_id, 1)

    def test_takes_back_the_inner_part_alone_where_that_fails(self):
        book_id = uuid4()

        with tenancy.within(book_id):
            customer(book_id).save(force_insert=True)
            with pytest.raises(ZeroDivisionError), tenancy.within(book_id):
                fail_after(customer(book_id))
            counted = (open_book(), Customer.objects.count())

        assert counted == (str(book_id), 1)

    def test_refuses_to_open_another_book_inside(self):
        outer, inner = uuid4(), uuid4()

        with tenancy.within(outer):
            with pytest.raises(tenancy.AcrossBooks, match=str(outer)), tenancy.within(inner):
                pass
            still = (open_book(), tenancy.book_id())

        assert still == (str(outer), outer)

    @pytest.mark.django_db(transaction=True, databases=["default", "platform"])
    def test_refuses_to_go_on_by_another_role_inside(self):
        book_id = uuid4()

        inside = tenancy.within(book_id, using="platform")

        with tenancy.within(book_id), pytest.raises(tenancy.AcrossBooks):
            inside.__enter__()

    def test_opens_books_one_after_the_other(self):
        seen = []

        for book_id in (uuid4(), uuid4()):
            with tenancy.within(book_id):
                customer(book_id).save(force_insert=True)
                seen.append(Customer.objects.values_list("book_id", flat=True).get() == book_id)

        assert seen == [True, True]

    def test_opens_a_book_a_thread(self):
        books = [uuid4(), uuid4()]

        def work(book_id):
            with tenancy.within(book_id):
                customer(book_id).save(force_insert=True)
                return [*Customer.objects.values_list("book_id", flat=True)]

        assert race(*(lambda book_id=book_id: work(book_id) for book_id in books)) == [[books[0]], [books[1]]]

    def test_sets_nothing_that_a_pooled_connection_keeps(self):
        """A pooler in transaction mode gives the connection to somebody else after the commit."""
        with tenancy.within(uuid4()):
            pass

        with transaction.atomic():
            kept = open_book()

        assert kept is None


@pytest.mark.django_db
class TestWithinATestsOwnTransaction:
    def test_closes_the_book_though_no_commit_does(self):
        with tenancy.within(uuid4()):
            pass

        assert open_book() is None

    def test_closes_the_book_after_an_error_too(self):
        with pytest.raises(ZeroDivisionError), tenancy.within(uuid4()):
            raise ZeroDivisionError

        assert open_book() is None

    def test_lets_the_error_of_the_database_be_seen(self):
        book_id = uuid4()
        row = customer(book_id)

        with pytest.raises(IntegrityError), tenancy.within(book_id):
            write_twice(row)

        assert open_book() is None


class TestBookId:
    def test_is_refused_where_no_unit_of_work_is_open(self):
        with pytest.raises(tenancy.NoBook, match="within"):
            tenancy.book_id()
