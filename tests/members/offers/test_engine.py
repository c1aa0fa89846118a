"""The engine: what no cart and no offers may ever make it do, and each kind's own rule."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members.offers import engine, why
from members.offers.engine import _floor
from members.offers.frames import Cart, Code, Hours, Offer
from members.offers.spreading import returned, spread
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.money import step
from tests.members.offers.carts import buy_get, cart, line, offer, percent, spend

PRODUCTS, CATEGORIES = ("tea", "cake", "mug"), ("drinks", "food")
AMOUNTS = st.integers(0, 60_000)
pytestmark = pytest.mark.requirement("A29")
# On a busy machine a draw may take seconds; what is drawn is small.
few = settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@st.composite
def lines(draw):
    return [
        line(
            f"line {number}",
            draw(AMOUNTS),
            draw(st.integers(1, 9)),
            product=draw(st.sampled_from((*PRODUCTS, None))),
            category=draw(st.sampled_from((*CATEGORIES, ""))),
            cost_minor=draw(st.none() | AMOUNTS),
            tax_ppm=draw(st.sampled_from((0, 60_000))),
        )
        for number in range(draw(st.integers(1, 6)))
    ]


EFFECTS = st.one_of(
    st.builds(lambda off: ("percent", {"off_ppm": off}), st.integers(1, 1_000_000)),
    st.builds(lambda off: ("amount", {"off_minor": off}), st.integers(1, 90_000)),
    st.builds(
        lambda tiers: ("spend", {"tiers": [{"from_minor": a, "off_minor": b} for a, b in tiers]}),
        st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=3),
    ),
    st.builds(
        lambda buy, get, off, most, others: (
            "buy_get",
            {"buy": buy, "get": get, "off_ppm": off, "times_max": most, "get_products": others},
        ),
        st.integers(1, 3), st.integers(1, 3), st.integers(1, 1_000_000), st.none() | st.integers(1, 4),
        st.sampled_from(((), ("cake",))),
    ),
    st.builds(
        lambda price, most: (
            "bundle",
            {
                "parts": [{"product": "tea", "quantity": 1}, {"category": "food", "quantity": 2}],
                "price_minor": price,
                "times_max": most,
            },
        ),
        AMOUNTS, st.none() | st.integers(1, 3),
    ),
    st.builds(
        lambda unit: ("tier_price", {"tiers": [{"from_quantity": 3, "unit_minor": unit}]}), AMOUNTS
    ),
    st.builds(lambda unit, most: ("flash", {"unit_minor": unit, "units_per_order": most}), AMOUNTS,
              st.none() | st.integers(1, 5)),
    st.builds(
        lambda off: ("personal", {"rules": [{"feature": "frequency", "at_least": 3, "off_ppm": off}]}),
        st.integers(1, 1_000_000),
    ),
)  # fmt: skip


@st.composite
def offers(draw):
    made = []
    for number in range(draw(st.integers(0, 6))):
        kind, effect = draw(EFFECTS)
        made.append(
            offer(
                f"offer {number}",
                kind,
                effect,
                priority=draw(st.integers(1, 3)),
                is_exclusive=draw(st.booleans()),
                products=draw(st.sampled_from(((), ("tea",), ("tea", "mug")))),
                categories=draw(st.sampled_from(((), ("food",)))),
                minimum_minor=draw(st.sampled_from((0, 5_000))),
                discount_max_minor=draw(st.none() | AMOUNTS),
                margin_floor_ppm=draw(st.none() | st.integers(0, 900_000)),
                bearers=draw(st.sampled_from(((("merchant", 1),), (("merchant", 2), ("sto_1", 1), ("sto_2", 1))))),
                limits={
                    "budget_left_minor": draw(st.none() | AMOUNTS),
                    "units_left": draw(st.none() | st.integers(0, 9)),
                },
            )
        )
    return made


class TestProperties:
    @few
    @given(bought=lines(), live=offers(), currency=st.sampled_from(("CNY", "KWD")), least=st.sampled_from((0, 10)))
    def test_every_unit_has_its_place_and_no_line_falls_below_its_floor(self, bought, live, currency, least):
        bought = [replace(each, unit_minor=each.unit_minor // 10 * 10) for each in bought]
        basket = cart(*bought, currency=currency, features={"frequency": 4}, least_minor=least)

        priced = engine.price(basket, live)

        by_key = {each.key: each for each in bought}
        shared: dict[str, int] = {}
        floors: dict[str, int] = {}
        known = {each.id: each for each in live}
        for applied in priced.applied:
            assert applied.discount_minor == sum(applied.shares.values()) == sum(applied.costs.values()) >= 0
            assert all(share > 0 and share % step(currency) == 0 for share in applied.shares.values())
            terms = known[applied.offer].terms
            assert terms.discount_max_minor is None or applied.discount_minor <= terms.discount_max_minor
            budget = known[applied.offer].budget_left_minor
            assert budget is None or applied.discount_minor <= budget
            for key, share in applied.shares.items():
                shared[key] = shared.get(key, 0) + share
                floors[key] = max(floors.get(key, 0), _floor(terms.margin_floor_ppm, by_key[key]))
        for found in priced.lines:
            assert found.discount_minor == shared.get(found.key, 0)
            left = found.subtotal_minor - found.discount_minor
            assert left >= floors.get(found.key, 0) if found.discount_minor else left >= 0
            assert found.tax_minor >= 0
        if priced.discount_minor:
            assert priced.subtotal_minor - priced.discount_minor >= least
        if any(known[each.offer].terms.is_exclusive for each in priced.applied):
            assert len(priced.applied) == 1

    @few
    @given(bought=lines(), live=offers(), data=st.data())
    def test_the_order_of_lines_and_offers_changes_nothing(self, bought, live, data):
        mixed, shuffled = data.draw(st.permutations(bought)), data.draw(st.permutations(live))

        one = engine.price(cart(*bought), live)
        other = engine.price(cart(*mixed), shuffled)

        assert {each.key: each for each in one.lines} == {each.key: each for each in other.lines}
        assert one.applied == other.applied

    @few
    @given(bought=lines(), live=offers())
    def test_a_decision_runs_again_to_the_same_verdict(self, bought, live):
        basket = cart(*bought, features={"frequency": 4})
        priced = engine.price(basket, live)

        kept = rules.canonical_json(why.inputs(basket, live, priced))

        again = rules.evaluate(why.RULE, rules.orjson.loads(kept))
        assert rules.canonical_json({"v": again.reasons}) == rules.canonical_json({"v": why.verdict(priced).reasons})
        assert again.near_miss == why.verdict(priced).near_miss

    @few
    @given(
        share=st.integers(0, 10_000),
        parts=st.lists(st.integers(1, 5_000), min_size=1, max_size=8),
    )
    def test_refunds_of_all_parts_take_back_what_one_whole_refund_does(self, share, parts):
        amount, so_far, back = sum(parts), 0, 0

        for part in parts:
            so_far += part
            total = returned(share, amount_minor=amount, refunded_minor=so_far)
            assert total >= back
            back = total

        assert back == share

    @few
    @given(
        amount=AMOUNTS,
        rows=st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 9_000)), min_size=1, max_size=6),
        unit=st.sampled_from((1, 10, 100)),
    )
    def test_spreads_as_much_as_fits_in_steps(self, amount, rows, unit):
        weights, rooms = [row[0] for row in rows], [row[1] for row in rows]

        parts = spread(amount, weights=weights, rooms=rooms, step=unit)

        fits = sum(room // unit * unit for weight, room in rows if weight)
        assert sum(parts) == min(amount // unit * unit, fits)
        assert all(part <= room and part % unit == 0 for part, room in zip(parts, rooms, strict=True))


def codes(priced) -> list[str]:
    return [reason.code for reason in priced.refused]


class TestKinds:
    def test_a_bundle_takes_whole_sets_of_the_dearest(self):
        bundle = offer(
            "Breakfast",
            "bundle",
            {
                "parts": [{"product": "tea", "quantity": 1}, {"category": "food", "quantity": 1}],
                "price_minor": 3_000,
                "times_max": None,
            },
        )
        basket = cart(
            line("a", 2_000, 2, product="tea"), line("b", 1_500, category="food"), line("c", 1_200, 3, category="food")
        )

        applied = engine.price(basket, [bundle]).applied[0]

        # Two sets: both teas, the dearer food and one of the others: 4,000 + 1,500 + 1,200 − 6,000.
        assert (applied.discount_minor, applied.units) == (700, 2)

    def test_a_tier_price_counts_over_all_that_it_is_for(self):
        tiers = [{"from_quantity": 3, "unit_minor": 900}, {"from_quantity": 6, "unit_minor": 800}]
        volume = offer("Volume", "tier_price", {"tiers": tiers}, products=("tea",))
        basket = cart(line("a", 1_000, 2, product="tea"), line("b", 850, 2, product="tea"))

        priced = engine.price(basket, [volume])

        # What is cheaper already stays as it is.
        assert priced.applied[0].shares == {"a": 200}
        assert (priced.near_misses[0].missing_count, priced.near_misses[0].offer) == (2, "Volume")

    def test_a_flash_sale_ends_with_its_counted_number(self):
        flash = offer("Flash", "flash", {"unit_minor": 500}, limits={"units_left": 3})

        priced = engine.price(cart(line("a", 900, 5)), [flash])

        assert (priced.applied[0].units, priced.discount_minor) == (3, 1_200)
        assert codes(engine.price(cart(line("a", 900)), [replace(flash, units_left=0)])) == ["offer_sold_out"]

    def test_buy_get_of_others_counts_multiples_of_x_alone(self):
        gift = buy_get("Gift", 2, 1, None, products=("tea",), others={"get_products": ["cake"]})
        basket = cart(line("a", 1_000, 5, product="tea"), line("b", 700, 3, product="cake"))

        assert engine.price(basket, [gift]).applied[0].shares == {"b": 1_400}

    @pytest.mark.requirement("A30")
    def test_two_members_with_one_cart_pay_differently_and_are_told_why(self):
        rules_ = [
            {"feature": "frequency", "at_least": 10, "off_ppm": 100_000, "bonus_points": 50},
            {"feature": "favourite_category", "equals": "drinks", "off_ppm": 50_000},
        ]
        personal = offer("For you", "personal", {"rules": rules_})

        def pay(features):
            return engine.price(cart(line("a", 10_000), features=features), [personal])

        regular, tea_lover, nobody = pay({"frequency": 12}), pay({"favourite_category": "drinks"}), pay(None)

        assert (regular.total_minor, regular.bonus_points) == (9_000, 50)
        assert (tea_lover.total_minor, tea_lover.bonus_points) == (9_500, 0)
        assert [why.say(each, audience="customer") for each in regular.applied[0].reasons] == [
            "For you: you save CN¥10.00.",
            "Thank you for coming 12 times.",
            "You earn 50 extra points.",
        ]
        assert why.say(tea_lover.applied[0].reasons[1], audience="merchant") == (
            "The customer's favourite category is drinks."
        )
        assert (nobody.total_minor, codes(nobody)) == (10_000, ["offer_needs_consent"])

    @pytest.mark.requirement("A49")
    @pytest.mark.parametrize(
        ("weekday", "minute", "is_on"),
        [(4, 22 * 60, True), (5, 119, True), (5, 120, False), (4, 22 * 60 - 1, False), (0, 60, False)],
    )
    def test_hours_run_past_midnight_into_the_next_day(self, weekday, minute, is_on):
        night = percent("Night", 10, hours=(Hours(days=(4,), from_minute=22 * 60, to_minute=120),))

        priced = engine.price(cart(line("a", 1_000), weekday=weekday, minute=minute), [night])

        assert bool(priced.applied) is is_on
        assert codes(priced) == ([] if is_on else ["offer_other_hours"])


class TestReasons:
    def test_a_near_miss_says_what_is_missing_to_the_discounted_sum(self):
        members = percent("Members", 10, priority=1)
        tiers = spend("Spend more", (10_000, 2_000), priority=2)

        priced = engine.price(cart(line("a", 9_778)), [members, tiers])

        # 9,778 − 978 = 8,800.
        assert (priced.near_misses[0].missing_minor, priced.near_misses[0].discount_minor) == (1_200, 2_000)
        assert why.say_near_miss(priced.near_misses[0]) == "Add CN¥12.00 more to save CN¥20.00."
        assert why.say(priced.refused[0], audience="merchant") == (
            "The cart was CN¥12.00 short of “Spend more”, worth CN¥20.00."
        )

    @pytest.mark.parametrize(
        ("changes", "limits", "code"),
        [
            ({"currency": "EUR"}, {}, "offer_other_currency"),
            ({"stores": ("sto_1",)}, {}, "offer_other_store"),
            ({"is_first_only": True}, {}, "offer_first_purchase_only"),
            ({"products": ("tea",)}, {}, "offer_nothing_here"),
            ({"margin_floor_ppm": 400_000}, {}, "offer_margin_kept"),
            ({"minimum_minor": 1_001}, {}, "offer_below_threshold"),
            ({}, {"problem": "ended"}, "offer_ended"),
            ({}, {"uses_left": 0}, "offer_used_up"),
            ({}, {"customer_uses_left": 0}, "offer_used_by_customer"),
            ({}, {"budget_left_minor": 99}, "offer_budget_spent"),
        ],
    )
    def test_every_refusal_names_its_reason_in_three_wordings(self, changes, limits, code):
        mine = percent("Ten", 10, trigger="code", limits=limits, **changes)
        basket = cart(
            line("a", 1_000, cost_minor=700), is_known=True, has_bought=True, codes=(Code("TEN", offer="Ten"),)
        )

        priced = engine.price(basket, [mine])

        assert (codes(priced), priced.discount_minor) == ([code], 0)
        assert all("{" not in why.say(priced.refused[0], audience=each) for each in ("customer", "cashier", "merchant"))

    def test_what_was_not_combined_names_what_was_better(self):
        live = [percent("Alone", 20, is_exclusive=True), percent("Ten", 10), percent("Five", 5)]

        priced = engine.price(cart(line("a", 1_000)), live)

        assert [each.name for each in priced.applied] == ["Alone"]
        assert [(each.code, each.values["better"]) for each in priced.refused] == [("offer_not_combined", "Alone")] * 2

    def test_a_code_without_an_offer_says_what_is_wrong_with_it(self):
        given = (Code("NO"), Code("OLD", problem="expired"), Code("A", offer="Ten"), Code("B", offer="Ten"))

        priced = engine.price(cart(line("a", 1_000), codes=given), [percent("Ten", 10, trigger="code")])

        assert codes(priced) == ["code_unknown", "code_expired", "code_same_offer"]
        assert priced.total_minor == 900

    def test_an_offer_by_code_does_nothing_until_somebody_types_it(self):
        assert engine.price(cart(line("a", 1_000)), [percent("Ten", 10, trigger="code")]).refused == ()

    def test_frames_survive_json(self):
        basket = cart(line("a", 1_000), codes=(Code("A", offer="Ten"),))
        mine = percent("Ten", 10, hours=(Hours((1,), 2, 3),), bearers=(("merchant", 2), ("sto_1", 1)))

        kept = rules.orjson.loads(rules.orjson.dumps([basket.as_json(), mine.as_json()]))

        assert (Cart.read(kept[0]), Offer.read(kept[1])) == (basket, mine)
