from datetime import timedelta
from itertools import pairwise
from uuid import NAMESPACE_OID, uuid5

import pytest
from django.db import IntegrityError

from merchant_platform.kernel.errors import Invalid
from security.access import flags
from security.access.models import Flag
from tests.cast import NOW

pytestmark = pytest.mark.django_db

# The same in every run, so that shares are exact.
SUBJECTS = [uuid5(NAMESPACE_OID, str(number)) for number in range(400)]


def switched_on(book, name: str = "fast_lane") -> set:
    return {subject for subject in SUBJECTS if flags.is_on(book_id=book.pk, name=name, subject_id=subject)}


def switch(book, percent: int, *, name: str = "fast_lane", now=NOW) -> None:
    flags.set_percent(book_id=book.pk, name=name, percent=percent, now=now)


class TestSetPercent:
    def test_writes_the_flag_and_when(self, book):
        switch(book, 10)
        switch(book, 20, now=NOW + timedelta(hours=1))

        assert [*Flag.objects.values_list("book", "name", "percent", "changed_at")] == [
            (book.pk, "fast_lane", 20, NOW + timedelta(hours=1))
        ]

    @pytest.mark.parametrize("percent", [-1, 101])
    def test_refuses_what_is_no_share(self, book, percent):
        with pytest.raises(Invalid) as refused:
            switch(book, percent)

        assert refused.value.param == "percent"
        assert Flag.objects.count() == 0

    def test_is_guarded_by_the_database_too(self, book):
        with pytest.raises(IntegrityError, match="security_flag_percent_is_a_share"):
            Flag.objects.create(book=book, name="fast_lane", percent=101, changed_at=NOW)


class TestIsOn:
    def test_is_off_where_nobody_switched_it_on(self, book):
        assert not flags.is_on(book_id=book.pk, name="unheard")
        assert not flags.is_on(book_id=book.pk, name="unheard", subject_id=SUBJECTS[0])

    @pytest.mark.parametrize(("percent", "is_on"), [(0, False), (99, False), (100, True)])
    def test_is_on_for_a_whole_book_at_a_hundred_percent_alone(self, book, percent, is_on):
        switch(book, percent)

        assert flags.is_on(book_id=book.pk, name="fast_lane") is is_on

    def test_is_on_for_nobody_at_0_and_for_all_at_100(self, book):
        switch(book, 0)
        nobody = switched_on(book)
        switch(book, 100)

        assert (nobody, len(switched_on(book))) == (set(), 400)

    def test_keeps_everybody_in_while_the_share_grows(self, book):
        shares = []
        for percent in (5, 25, 50, 100):
            switch(book, percent)
            shares.append(switched_on(book))

        for smaller, larger in pairwise(shares):
            assert smaller < larger

    def test_takes_about_the_share_that_was_asked_for(self, book):
        switch(book, 25)

        assert abs(len(switched_on(book)) - 100) < 30

    def test_draws_another_share_for_another_flag(self, book):
        switch(book, 50)
        switch(book, 50, name="slow_lane")

        both = switched_on(book) & switched_on(book, "slow_lane")

        assert abs(len(both) - 100) < 30

    def test_knows_a_flag_by_its_book(self, book, other_book):
        switch(book, 100)

        assert not flags.is_on(book_id=other_book.pk, name="fast_lane")
