"""Every table of docs/algorithms/points.md is what the code does."""

from pathlib import Path

import pytest
from django.conf import settings

from members.loyalty import accruals, earning
from merchant_platform.kernel import money
from merchant_platform.kernel.decisions import rules

PAGE = Path(settings.BASE_DIR, "docs/algorithms/points.md").read_text()
RULES = [
    {"kind": "spend", "points": 1, "per_minor": 100},
    {"kind": "tier", "tier": "gold", "percent": 150},
    {"kind": "category", "category": "tea", "percent": 200},
    {"kind": "visit", "points": 5},
]


def table(heading):
    """The rows of the table whose first column has this heading, numbers as numbers."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    return [[number(cell.strip()) for cell in line.strip("|").split("|")] for line in lines]


def number(cell):
    plain = cell.replace(",", "")
    return int(plain) if plain.isdigit() and ", " not in cell else cell


def parts(cell):
    return [int(each) for each in str(cell).split(", ")]


class TestEarning:
    @pytest.mark.parametrize("row", table("tea"))
    def test_gives_what_the_table_says(self, row):
        tea, other, tier, first_today, spend, gold, extra, visit, points = row
        lines = [
            {"counted_minor": amount, "quantity": 1, "product": None, "category": category}
            for amount, category in ((tea, "tea"), (other, "cake"))
        ]

        verdict = rules.evaluate(
            earning.RULE,
            {
                "rules": RULES,
                "order": {"hour": 9, "weekday": 0, "lines": lines},
                "member": {
                    "tier": tier,
                    "is_first": False,
                    "is_first_today": first_today == "yes",
                    "is_birthday": False,
                },
            },
        )

        given = {reason.code.removeprefix("points_"): reason.values["points"] for reason in verdict.reasons}
        assert [given.get(kind, 0) for kind in ("spend", "tier", "category", "visit")] == [spend, gold, extra, visit]
        assert earning.total(verdict) == points

    @pytest.mark.parametrize("row", table("quantity"))
    def test_gives_for_products_what_the_table_says(self, row):
        quantity, amount, counted, each, points = row
        line = {
            "amount_minor": amount,
            "counted_minor": counted,
            "quantity": quantity,
            "product": "a",
            "category": "",
        }
        paid = {**line, "amount_minor": 900, "counted_minor": 900, "product": None}
        inputs = {
            "rules": [{"kind": "item", "product": "a", "points": each}],
            "order": {"hour": 9, "weekday": 0, "lines": [line, paid]},
            "member": {"tier": "", "is_first": False, "is_first_today": False, "is_birthday": False},
        }

        assert earning.total(rules.evaluate(earning.RULE, inputs)) == points
        # Older decisions replay as they were made.
        assert earning.total(rules.evaluate(earning.RULE, inputs, version=1)) == each * quantity

    @pytest.mark.parametrize("audience", ["customer", "cashier", "merchant"])
    def test_says_why_in_three_voices(self, audience):
        reason = rules.Reason("points_tier", {"points": 61, "percent": 150, "tier": "gold"})

        assert rules.explain(reason, audience=audience).startswith("61 extra points")


class TestTakingBack:
    @pytest.mark.parametrize("row", table("counted"))
    def test_keeps_what_the_table_says(self, row):
        counted, earned, refunded, kept, taken = row

        assert accruals.kept(earned, counted, refunded) == kept
        assert earned - kept == taken


class TestSpending:
    @pytest.mark.parametrize("row", table("lots, soonest first"))
    def test_takes_and_returns_what_the_table_says(self, row):
        lots, spent, taken, back, returned = row
        left, found = spent, []
        for lot in parts(lots):
            found.append(min(lot, left))
            left -= found[-1]

        assert found == parts(taken)
        assert money.split(back, found) == parts(returned)
