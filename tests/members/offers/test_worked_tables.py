"""docs/algorithms/offers.md, run: each table's numbers are what the engine gives."""

from pathlib import Path

import pytest
from django.conf import settings

from members.offers import engine
from members.offers.spreading import returned
from merchant_platform.kernel.money import share_of
from tests.members.offers.carts import buy_get, cart, line, offer, percent, spend

PAGE = Path(settings.BASE_DIR) / "docs" / "algorithms" / "offers.md"
TIERS = ((10_000, 1_000), (20_000, 3_000))
pytestmark = pytest.mark.requirement("A52")


def table(first_column: str) -> list[list[str]]:
    """The rows of the one table of the page whose first columns are named so."""
    lines = PAGE.read_text().splitlines()
    start = next(i for i, text in enumerate(lines) if text.startswith(f"| {first_column} |"))
    rows: list[list[str]] = []
    for text in lines[start + 2 :]:
        if not text.startswith("|"):
            return rows
        rows.append([cell.strip().replace(",", "") for cell in text.strip("|").split("|")])
    return rows


class TestTurns:
    @pytest.mark.parametrize(
        ("way", "offers"),
        [
            ("Autumn first", [percent("Autumn", 10, priority=1), spend("Spend more", *TIERS, priority=2)]),
            ("Spend more first", [percent("Autumn", 10, priority=2), spend("Spend more", *TIERS, priority=1)]),
            (
                "Insiders too",
                [
                    percent("Autumn", 10, priority=2),
                    spend("Spend more", *TIERS, priority=1),
                    percent("Insiders", 25, is_exclusive=True),
                ],
            ),
        ],
    )
    def test_runs_the_table(self, way, offers):
        left, turns = 22_000, []

        for turn, each in enumerate(engine.price(cart(line("a", 22_000)), offers).applied, start=1):
            row = [way, str(turn), each.name, str(left), str(each.discount_minor), str(left - each.discount_minor)]
            left -= each.discount_minor
            turns.append(row)

        assert turns == [row for row in table("way | turn") if row[0] == way]


class TestShares:
    def test_runs_the_table_of_the_largest_remainder(self):
        *rows, total = table("line | left | exact share")
        lines = [line(name, int(left)) for name, left, *_ in rows]

        applied = engine.price(cart(*lines), [spend("Spend more", *TIERS)]).applied[0]

        assert [str(applied.shares[row[0]]) for row in rows] == [row[4] for row in rows]
        assert [str(1_000 * int(row[1]) // int(total[1])) for row in rows] == [row[3] for row in rows]
        assert sum(int(row[3]) for row in rows) == int(total[3])
        assert sum(applied.shares.values()) == int(total[4])

    def test_runs_the_table_of_floors(self):
        *rows, total = table("line | left | room")
        costs = {"Beans": {"cost_minor": 5_900}, "Latte": {"cost_minor": 900, "quantity": 2}, "Scone": {}}
        lines = [line(name, int(left) // costs[name].get("quantity", 1), **costs[name]) for name, left, *_ in rows]

        applied = engine.price(cart(*lines), [spend("Spend more", *TIERS, margin_floor_ppm=300_000)]).applied[0]

        assert [str(applied.shares[row[0]]) for row in rows] == [row[3] for row in rows]
        assert sum(int(row[2]) for row in rows) == int(total[2])


class TestMultiples:
    def test_runs_the_table(self):
        computed = []

        for taken in (2, 3, 5, 6, 9, 12):
            priced = engine.price(cart(line("a", 1_800, taken)), [buy_get("Three for two", 2, 1, 3)])
            free = priced.applied[0].units if priced.applied else 0
            near = str(priced.near_misses[0].missing_count) if priced.near_misses else "–"
            computed.append([str(taken), str(free), str(free), str(priced.total_minor), near])

        assert computed == table("taken")


class TestPartialRefund:
    def test_runs_the_table(self):
        so_far, before, computed = 0, 0, []

        for name, amount in (("first latte", share_of(5_241, 1, 2)), ("second latte", 5_241 - share_of(5_241, 1, 2))):
            so_far += amount
            back = returned(359, amount_minor=5_241, refunded_minor=so_far)
            computed.append([name, str(amount), str(so_far), str(back), str(back - before)])
            before = back

        assert computed == [[*row[:3], *row[4:]] for row in table("refund")]


class TestMemberPrice:
    @pytest.mark.parametrize("row", table("tier of the member"), ids=lambda row: row[0])
    def test_runs_the_table(self, row):
        tier, each, pays, applies = row
        offers = [
            offer(f"{name} price", "tier_price", {"tiers": [{"from_quantity": 1, "unit_minor": price}]},
                  member_tiers=(f"prog_1/{name}",))
            for name, price in (("Silver", 2_500), ("Gold", 2_200))
        ]  # fmt: skip
        held = {} if tier == "none" else {f"prog_1/{tier}": tier}

        priced = engine.price(cart(line("Latte", 2_800, 2), member_tiers=held), offers)

        assert (priced.total_minor, priced.total_minor // 2) == (int(pays), int(each))
        assert [applied.name for applied in priced.applied] == [name for name in (applies,) if name != "–"]
        assert [reason.values for applied in priced.applied for reason in applied.reasons[1:]] == [
            {"tier": name} for name in held.values()
        ]
        assert [reason.code for reason in priced.refused] == ["offer_other_tier"] * (2 - len(held))
