"""Who is a member: once a customer, followed through merges."""

import threading

import pytest
from django.db import connections

from members.directory import numbers, queries
from members.directory import operations as directory
from members.directory.models import Member
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import NotFound
from merchant_platform.kernel.events.models import Event
from tests.cast import NOW, origin_of

pytestmark = pytest.mark.django_db(transaction=True)


def enrol(book, customer_id):
    with tenancy.within(book.pk):
        return directory.enrol(customer_id=customer_id, source="api", now=NOW, origin=origin_of(book))


class TestEnrol:
    @pytest.mark.requirement("A24")
    def test_makes_a_customer_a_member_once_and_tells_it_once(self, book, customer):
        first, second = enrol(book, customer.pk), enrol(book, customer.pk)

        assert first.pk == second.pk
        assert (first.customer_id, first.source, first.status, first.joined_at) == (customer.pk, "api", "active", NOW)
        assert numbers.read(first.number) == first.number
        with tenancy.within(book.pk):
            told = list(Event.objects.filter(type="member.created").values_list("data", flat=True))
        assert len(told) == 1

    def test_is_one_member_where_two_enrol_at_once(self, book, customer):
        found, barrier = [], threading.Barrier(2)

        def run():
            try:
                with tenancy.within(book.pk):
                    barrier.wait()
                    found.append(
                        directory.enrol(customer_id=customer.pk, source="qr", now=NOW, origin=origin_of(book)).pk
                    )
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 2
        assert len(set(found)) == 1

    def test_refuses_another_books_customer_and_writes_nothing(self, other_book, customer):
        with pytest.raises(NotFound):
            enrol(other_book, customer.pk)

        with tenancy.within(other_book.pk):
            assert Member.objects.count() == 0

    def test_draws_a_number_again_that_is_taken(self, book, make_customer, monkeypatch):
        drawn = iter(["100000000008", "100000000008", "200000000006"])
        monkeypatch.setattr(numbers, "new", lambda: next(drawn))
        one, other = make_customer(book, name="A"), make_customer(book, name="B")

        assert [enrol(book, one.pk).number, enrol(book, other.pk).number] == ["100000000008", "200000000006"]


class TestFinding:
    def test_follows_a_member_to_the_one_it_was_merged_into(self, book, make_customer):
        loser, winner = (enrol(book, make_customer(book, name=name).pk) for name in "AB")
        with tenancy.within(book.pk):
            Member.objects.filter(pk=loser.pk).update(status="merged", merged_into=winner)

            assert queries.alive(loser.pk) == winner
            assert queries.of_customer(loser.customer_id) == winner
            assert queries.customer_ids(winner.pk) == [loser.customer_id, winner.customer_id]
            assert queries.of_customers([loser.customer_id, winner.customer_id]) == {
                loser.customer_id: winner.pk,
                winner.customer_id: winner.pk,
            }

    def test_knows_nobody_of_another_book(self, book, other_book, customer):
        member = enrol(book, customer.pk)

        with tenancy.within(other_book.pk), pytest.raises(NotFound):
            queries.alive(member.pk)
        with tenancy.within(book.pk):
            assert queries.of_customer(ids.new(NOW)) is None
