"""Days begin at the merchant's midnight, and equal is compared with equal."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.facts.days import midnight
from analytics.insights.periods import Period

SHANGHAI, NEW_YORK, SANTIAGO = (ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "America/Santiago"))
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class TestPeriod:
    def test_of_days_ends_today(self):
        period = Period.of_days(28, zone=SHANGHAI, now=NOW)

        assert (period.first, period.last, period.days) == (date(2026, 2, 3), date(2026, 3, 2), 28)
        assert period.starts_at.astimezone(UTC) == datetime(2026, 2, 2, 16, tzinfo=UTC)
        assert period.ends_at.astimezone(UTC) == datetime(2026, 3, 2, 16, tzinfo=UTC)
        assert list(period.dates)[::27] == [period.first, period.last]

    def test_today_is_the_merchants_not_ours(self):
        late = datetime(2026, 3, 2, 20, tzinfo=UTC)

        assert Period.of_days(1, zone=SHANGHAI, now=late).last == date(2026, 3, 3)
        assert Period.of_days(1, zone=NEW_YORK, now=late).last == date(2026, 3, 2)

    def test_before_is_as_long_and_touches_it(self):
        period = Period.of_days(7, zone=SHANGHAI, now=NOW)

        assert period.before.days == 7
        assert period.before.ends_at == period.starts_at

    def test_compares_a_day_that_is_not_over_up_to_the_same_hour(self):
        period = Period.of_days(7, zone=SHANGHAI, now=NOW)

        assert not period.is_over
        assert period.compared_until == NOW - timedelta(days=7)

    def test_compares_all_of_a_period_that_is_over(self):
        period = Period(date(2026, 2, 1), date(2026, 2, 10), SHANGHAI, NOW)

        assert period.is_over
        assert period.compared_until == period.before.ends_at == period.starts_at

    @pytest.mark.parametrize(
        ("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 3, 9), 24), (date(2026, 11, 1), 25)]
    )
    def test_days_have_as_many_hours_as_the_clocks_give_them(self, day, hours):
        period = Period(day, day, NEW_YORK, NOW)

        assert period.ends_at.astimezone(UTC) - period.starts_at.astimezone(UTC) == timedelta(hours=hours)

    def test_compares_across_a_change_of_the_clocks_by_the_hour_on_the_wall(self):
        noon = datetime(2026, 3, 8, 12, tzinfo=NEW_YORK)
        period = Period.of_days(1, zone=NEW_YORK, now=noon)

        assert period.compared_until == datetime(2026, 3, 7, 12, tzinfo=NEW_YORK)


class TestMidnight:
    def test_is_the_first_moment_of_a_day_whose_midnight_is_skipped(self):
        # In Chile the clocks go from 24:00 to 01:00.
        skipped = date(2026, 9, 6)

        begins = midnight(skipped, SANTIAGO).astimezone(UTC)

        assert begins.astimezone(SANTIAGO).date() == skipped
        assert (begins - timedelta(milliseconds=1)).astimezone(SANTIAGO).date() == skipped - timedelta(days=1)
