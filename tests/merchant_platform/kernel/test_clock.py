from datetime import UTC, datetime, timedelta

import time_machine

from merchant_platform.kernel import clock
from tests.cast import NOW


class TestWall:
    def test_is_the_worlds_time_in_utc(self):
        with time_machine.travel(NOW, tick=False):
            now = clock.wall()

        assert now == NOW
        assert now.utcoffset() == timedelta(0)


class TestEffective:
    def test_is_where_a_test_clock_stands(self):
        assert clock.effective(NOW) == NOW

    def test_is_the_worlds_time_without_one(self):
        with time_machine.travel(NOW, tick=False):
            assert clock.effective(None) == NOW


class TestUnix:
    def test_is_whole_seconds(self):
        assert clock.unix(datetime(2026, 3, 2, 9, 30, 0, 999_999, tzinfo=UTC)) == 1_772_443_800

    def test_is_read_back(self):
        assert clock.from_unix(clock.unix(NOW)) == NOW
