"""Several rows in one statement: all of it or nothing, and nobody else's row."""

from uuid import uuid4

import pytest
from django.db import IntegrityError

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import Conflict, Invalid
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.writes import Writes, writing
from payments.customers.models import Customer
from payments.orders.models import Order, OrderLine
from tests.cast import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A12")]


def customer(book, **fields) -> Customer:
    return unsaved(Customer, id=uuid4(), book_id=book.pk, created_at=NOW, **fields)


def order(book, **fields) -> tuple[Order, OrderLine]:
    made = unsaved(
        Order, id=uuid4(), book_id=book.pk, status="open", currency="CNY", total_minor=900, created_at=NOW, **fields
    )
    line = unsaved(
        OrderLine,
        id=uuid4(),
        book_id=book.pk,
        order_id=made.pk,
        description="Tea",
        quantity=1,
        unit_price_minor=900,
        amount_minor=900,
    )
    return made, line


class TestSend:
    def test_writes_rows_of_several_tables_in_one_statement(self, book, django_assert_num_queries):
        guest = customer(book, name="Lin Mei", metadata={"table": "7"})

        with tenancy.within(book.pk):
            writes = Writes()
            writes.insert(guest, *order(book, customer_id=guest.pk))
            with django_assert_num_queries(1):
                writes.send()

        with tenancy.within(book.pk):
            kept = Order.objects.select_related("customer").get()
            assert (kept.customer.name, kept.customer.metadata, kept.refunded_minor) == ("Lin Mei", {"table": "7"}, 0)
            assert OrderLine.objects.get().order_id == kept.pk

    def test_changes_a_row_that_waits_before_it_is_inserted(self, book):
        guest = customer(book, name="Lin")

        with tenancy.within(book.pk):
            writes = Writes()
            writes.insert(guest)
            writes.update(guest, where={"name": "somebody else"}, name="Lin Mei")
            writes.send()

            assert Customer.objects.get().name == "Lin Mei"

    def test_makes_one_of_two_changes_of_a_row(self, book):
        made, line = order(book)

        with tenancy.within(book.pk):
            with writing(None) as writes:
                writes.insert(made, line)
            with writing(None) as writes:
                writes.update(made, where={"status": "open"}, status="paid")
                writes.update(made, where={"status": "paid", "paid_minor": 0}, paid_minor=900)

            kept = Order.objects.get()
            assert (kept.status, kept.paid_minor) == ("paid", 900)

    def test_refuses_where_a_row_is_not_as_it_was(self, book):
        made, line = order(book)
        with tenancy.within(book.pk), writing(None) as writes:
            writes.insert(made, line)

        writes = Writes()
        writes.insert(customer(book))
        writes.update(made, where={"status": "canceled"}, status="open")

        with pytest.raises(Conflict), tenancy.within(book.pk):
            writes.send()

        with tenancy.within(book.pk):
            assert (Order.objects.get().status, Customer.objects.count()) == ("open", 0)

    def test_says_what_a_constraint_stands_for(self, book):
        taken = Invalid("taken")
        with tenancy.within(book.pk), writing(None) as writes:
            writes.insert(*order(book, reference="table 7"))

        with pytest.raises(Invalid) as refused, tenancy.within(book.pk), writing(None) as writes:
            writes.insert(*order(book, reference="table 7"), refusals={"payments_order_reference_once_a_book": taken})
        with pytest.raises(IntegrityError), tenancy.within(book.pk), writing(None) as writes:
            writes.insert(*order(book, reference="table 7"))

        assert refused.value is taken

    def test_counts_what_an_added_statement_wrote(self, book):
        with tenancy.within(book.pk):
            writes = Writes()
            writes.insert(customer(book))
            place = writes.add("UPDATE payments_customer SET name = %s WHERE name = %s RETURNING 1", ["A", "B"])

            assert writes.send()[place] == 0
            assert writes.send() == []

    def test_leaves_another_books_row_alone(self, book, other_book):
        theirs = customer(other_book, name="Guest")
        with tenancy.within(other_book.pk), writing(None) as writes:
            writes.insert(theirs)

        with pytest.raises(Conflict), tenancy.within(book.pk), writing(None) as writes:
            writes.update(theirs, where={}, name="mine")

        with tenancy.within(other_book.pk):
            assert Customer.objects.get().name == "Guest"


class TestWriting:
    def test_sends_nothing_after_an_error(self, book):
        def fail() -> None:
            with writing(None) as writes:
                writes.insert(customer(book))
                raise ZeroDivisionError

        with tenancy.within(book.pk):
            with pytest.raises(ZeroDivisionError):
                fail()

            assert Customer.objects.count() == 0

    def test_leaves_the_sending_to_the_caller(self, book, django_assert_num_queries):
        mine = Writes()

        with tenancy.within(book.pk), django_assert_num_queries(0):
            with writing(mine) as writes:
                writes.insert(customer(book))

            assert writes is mine
