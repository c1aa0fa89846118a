"""The matrix would see a refusal that writes: in what is taken back, and in what stays."""

import pytest

from security.access import flags
from tests.cast import NOW
from tests.security.access.stillness import Stillness, taken_back

pytestmark = pytest.mark.django_db(transaction=True)


class TestStillness:
    def test_sees_one_row_that_was_written(self, book):
        still = Stillness()

        def act() -> str:
            flags.set_percent(book_id=book.pk, name="fast_lane", percent=1, now=NOW)
            return "403"

        assert taken_back(lambda: "403") == ("403", False)
        assert taken_back(act) == ("403", True)
        assert still.is_kept()
        act()
        assert not still.is_kept()
        assert still.changed() == ["security_flag"]
