from datetime import timedelta
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


def within(name: str, percent: int) -> set:
    return {subject for subject in SUBJECTS if flags.bucket(name, subject) < percent}


def switch(book, percent: int, *, now=NOW) -> None:
    flags.set_percent(book_id=book.pk, name="fast_lane", percent=percent, now=now)


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

    @pytest.mark.parametrize("subject", SUBJECTS[:5])
    def test_lets_a_subject_in_once_the_share_is_past_its_bucket_and_keeps_it_in(self, book, subject):
        own = flags.bucket("fast_lane", subject)
        seen = []
        for percent in (0, own, own + 1, 100):
            switch(book, percent)
            seen.append(flags.is_on(book_id=book.pk, name="fast_lane", subject_id=subject))

        assert seen == [False, False, True, True]

    def test_knows_a_flag_by_its_book(self, book, other_book):
        switch(book, 100)

        assert not flags.is_on(book_id=other_book.pk, name="fast_lane")


class TestBucket:
    def test_is_a_hundredth(self):
        assert {flags.bucket("fast_lane", subject) for subject in SUBJECTS} <= set(range(100))

    def test_takes_about_the_share_that_was_asked_for(self):
        assert abs(len(within("fast_lane", 25)) - 100) < 30

    def test_draws_another_share_for_another_flag(self):
        assert abs(len(within("fast_lane", 50) & within("slow_lane", 50)) - 100) < 30
