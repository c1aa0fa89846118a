import os
import threading
from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_platform.kernel import ids
from tests.cast import NOW

TIMES = st.integers(0, 253_402_000_000_000_000).map(
    lambda n: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=n)
)
UUIDS = st.integers(0, 2**128 - 1).map(lambda number: UUID(int=number))
# Appendix A.6 of RFC 9562.
RFC_EXAMPLE, RFC_EXAMPLE_AT = (
    UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"),
    datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC),
)


def milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


class TestNew:
    @given(TIMES)
    def test_is_a_version_7_uuid_of_its_time(self, at):
        made = ids.new(at)

        assert (made.version, made.variant) == (7, RFC_4122)
        assert ids.made_at(made) == milliseconds(at)

    def test_carries_the_time_of_any_zone(self):
        in_shanghai = NOW.astimezone(timezone(timedelta(hours=8)))

        assert ids.made_at(ids.new(in_shanghai)) == NOW

    def test_keeps_the_order_within_a_millisecond(self):
        made = [ids.new(NOW) for _ in range(10_000)]

        assert made == sorted(made)
        assert len(set(made)) == len(made)

    def test_keeps_the_order_of_a_standing_clock_while_others_go_on(self):
        """A book with a test clock makes ids of one millisecond for days, between those of all other books."""
        made = []
        for seconds in range(500):
            made.append(ids.new(NOW))
            ids.new(NOW + timedelta(seconds=seconds))

        assert made == sorted(made)

    def test_gives_imported_rows_the_order_of_their_events(self):
        happened = [NOW - timedelta(days=days, milliseconds=days % 7) for days in range(400)]

        imported = {ids.new(at): at for at in happened}

        assert [imported[identifier] for identifier in sorted(imported)] == sorted(happened)

    def test_goes_on_to_the_next_millisecond_where_one_is_full(self, monkeypatch):
        at = NOW + timedelta(hours=1)
        millisecond = int(at.timestamp() * 1000)
        monkeypatch.setitem(ids._counter.counts, millisecond, ids._COUNTER_MASK - 1)

        last, first, second = (ids.new(at) for _ in range(3))

        assert last < first < second
        assert [ids.made_at(each) - at for each in (last, first, second)] == [
            timedelta(0),
            timedelta(milliseconds=1),
            timedelta(milliseconds=1),
        ]

    def test_remembers_a_bounded_number_of_milliseconds(self):
        for number in range(5_000):
            ids.new(NOW + timedelta(milliseconds=number))

        assert len(ids._counter.counts) == ids._MILLISECONDS_KEPT

    def test_makes_no_id_twice_in_threads(self):
        made: list[UUID] = []

        def make():
            mine = [ids.new(NOW) for _ in range(2_000)]
            made.extend(mine)
            assert mine == sorted(mine)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(made)) == 8_000

    def test_makes_others_in_each_child_of_a_fork(self):
        """The random tail alone would hide it: the counter is what a child must not inherit."""
        ids.new(NOW)

        counts = [_in_child(lambda: ids._counter.next(int(NOW.timestamp() * 1000))[1]) for _ in range(3)]

        parent = ids._counter.next(int(NOW.timestamp() * 1000))[1]
        assert len({*counts, parent}) == 4


class TestFirstAt:
    @given(TIMES)
    def test_is_below_every_id_of_its_time_and_above_every_earlier_one(self, at):
        bound = ids.first_at(at)

        assert bound < ids.new(at)
        assert ids.made_at(bound) == milliseconds(at)
        if at > datetime(1970, 1, 2, tzinfo=UTC):
            assert ids.new(at - timedelta(milliseconds=1)) < bound

    def test_is_nothing_before_the_epoch(self):
        assert ids.first_at(datetime(1969, 12, 31, tzinfo=UTC)) == UUID(int=0)


class TestMadeAt:
    def test_reads_the_example_of_the_rfc(self):
        assert ids.made_at(RFC_EXAMPLE) == RFC_EXAMPLE_AT


class TestShow:
    def test_writes_22_characters_after_the_prefix(self):
        assert ids.show("pi", UUID(int=0)) == "pi_0000000000000000000000"
        assert ids.show("pi", UUID(int=61)) == "pi_000000000000000000000z"
        assert ids.show("pi", UUID(int=2**128 - 1)) == "pi_7n42DGM5Tflk9n8mt7Fhc7"

    @given(UUIDS)
    def test_is_read_back(self, identifier):
        text = ids.show("cus", identifier)

        assert len(text) == len("cus_") + 22
        assert ids.parse("cus", text) == identifier

    @given(UUIDS, UUIDS)
    def test_keeps_the_order(self, one, other):
        assert (ids.show("pi", one) < ids.show("pi", other)) == (one < other)

    def test_fits_the_32_characters_of_an_order_number_elsewhere(self):
        longest = max(ids.PREFIXES, key=len)

        assert len(ids.show(longest, UUID(int=2**128 - 1))) <= 32


GOOD = ids.show("pi", RFC_EXAMPLE)


class TestParse:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "pi",
            "pi_",
            "_",
            GOOD.removeprefix("pi"),
            GOOD.removeprefix("pi_"),
            GOOD.replace("pi_", "ch_"),
            GOOD.replace("pi_", "PI_"),
            GOOD.replace("pi_", "pi__"),
            GOOD.replace("pi_", "xpi_"),
            GOOD + "0",
            GOOD[:-1],
            GOOD[:-1] + "-",
            GOOD[:-1] + "é",
            GOOD[:-1] + "٣",
            GOOD[:-1] + " ",
            GOOD[:-1] + "\0",
            " " + GOOD,
            "pi_7n42DGM5Tflk9n8mt7Fhc8",
            "pi_zzzzzzzzzzzzzzzzzzzzzz",
            str(RFC_EXAMPLE),
        ],
    )
    def test_refuses_what_show_does_not_write(self, text):
        with pytest.raises(ids.MalformedId):
            ids.parse("pi", text)

    @given(st.text(max_size=40))
    def test_raises_nothing_else_for_any_text(self, text):
        try:
            found = ids.parse("pi", text)
        except ids.MalformedId:
            return
        assert ids.show("pi", found) == text


def _in_child(ask) -> int:
    """What a function gives in a forked child."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(ask()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        return int(told.read())
