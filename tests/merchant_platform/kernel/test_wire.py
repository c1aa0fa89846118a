from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from merchant_platform.kernel import wire


class TestDump:
    def test_is_compact_and_keeps_the_order_and_every_letter(self):
        assert wire.dump({"name": "李梅", "amount": 1_200, "live": False, "none": None}) == (
            '{"name":"李梅","amount":1200,"live":false,"none":null}'
        )

    def test_keeps_every_unit_of_a_64_bit_amount(self):
        assert wire.load(wire.dump({"amount": 9_223_372_036_854_775_807})) == {"amount": 9_223_372_036_854_775_807}

    @pytest.mark.parametrize("value", [Decimal("1.20"), {1: "a"}, {1, 2}, b"raw", object(), 2**64, "\ud800"])
    def test_guesses_nothing(self, value):
        with pytest.raises(TypeError):
            wire.dump({"value": value} if not isinstance(value, dict) else value)


class TestLoad:
    def test_reads_text_and_bytes(self):
        assert wire.load('{"a":[1]}') == wire.load(b'{"a":[1]}') == {"a": [1]}

    def test_is_the_reverse_of_dump_for_times_and_ids_as_text(self):
        at, identifier = datetime(2026, 3, 2, tzinfo=UTC), UUID(int=1)

        assert wire.load(wire.dump([at, identifier])) == [
            "2026-03-02T00:00:00+00:00",
            "00000000-0000-0000-0000-000000000001",
        ]
