from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids
from security.merchants import queries as merchants
from security.merchants.models import LIVE, SANDBOX, TEST, Book
from tests.cast import NOW

pytestmark = pytest.mark.django_db


class TestBook:
    def test_has_the_time_of_its_clock_or_the_worlds(self, book, live_book):
        with time_machine.travel(NOW + timedelta(days=1), tick=False):
            assert (book.now, live_book.now) == (NOW, NOW + timedelta(days=1))

    def test_knows_its_mode(self, book, live_book):
        assert (book.livemode, live_book.livemode) == (False, True)

    def test_stands_once_a_merchant_and_mode(self, merchant):
        with pytest.raises(IntegrityError, match="security_book_one_a_mode"), transaction.atomic():
            Book.objects.create(id=ids.new(NOW), merchant=merchant, mode=TEST, created_at=NOW)

    def test_may_be_a_sandbox_and_nothing_unheard_of(self, merchant):
        Book.objects.create(id=ids.new(NOW), merchant=merchant, mode=SANDBOX, created_at=NOW)

        with pytest.raises(IntegrityError, match="security_book_mode_is_known"), transaction.atomic():
            Book.objects.create(id=ids.new(NOW), merchant=merchant, mode="demo", created_at=NOW)

    def test_in_live_mode_takes_no_test_clock(self, live_book):
        with pytest.raises(IntegrityError, match="security_book_live_has_the_worlds_time"), transaction.atomic():
            Book.objects.filter(pk=live_book.pk).update(clock_at=NOW)


class TestQueries:
    def test_find_the_platforms_own_book(self, platform):
        live, test = (merchants.platform_book_id(mode=mode) for mode in (LIVE, TEST))

        assert {live, test} == {*platform.books.values_list("pk", flat=True)}
        assert Book.objects.get(pk=live).mode == LIVE

    def test_find_a_book_with_its_merchant(self, book, django_assert_num_queries):
        with django_assert_num_queries(1):
            assert merchants.book(book.pk).merchant.slug == "cafe"

    def test_refuse_a_book_that_is_not_there(self, platform):
        with pytest.raises(Book.DoesNotExist):
            merchants.book(platform.pk)
