"""The programme at the desk: started, simulated, changed; a member's points adjusted."""

from datetime import timedelta

import pytest

from members.loyalty import operations, queries
from members.loyalty.models import Programme, Run
from merchant_platform.kernel import ids, tenancy
from payments.orders.models import OrderLine
from security.audit.models import AuditRecord
from tests.cast import NOW, move_clock
from tests.members.loyalty import scheme
from tests.payments import books
from tests.payments.acts import pay
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A24")]

PAGE = "/dashboard/cafe/test/programme"
TYPED = {
    "name": "Beans",
    "spend_points": "1",
    "spend_per": "1.00",
    "first_points": "50",
    "tier0_name": "Gold",
    "tier0_threshold": "500.00",
    "tier0_percent": "150",
    "tier0_benefits": "Free cake; A seat by the window",
    "tier_by": "spend",
    "tier_window": "rolling",
    "tier_days": "365",
    "grace_days": "30",
    "pending_days": "7",
    "lifetime_days": "365",
    "notice_days": "30",
    "redeem_points": "100",
    "redeem_worth": "1.00",
    "is_transferable": "on",
}


@pytest.fixture
def manager(merchant):
    return signed_in(make_staff(merchant, "manager"))


class TestEdit:
    def test_starts_what_was_typed(self, manager, book):
        sent = manager.post(f"{PAGE}/new", TYPED)
        with tenancy.within(book.pk):
            programme = Programme.objects.get()
            held = queries.terms(programme)

        page = manager.get(sent.headers["Location"])

        assert (sent.status_code, page.status_code) == (303, 200)
        assert [dict(each) for each in held.rules] == [
            {"kind": "spend", "points": 1, "per_minor": 100},
            {"kind": "first", "points": 50},
            {"kind": "tier", "tier": "gold", "percent": 150},
        ]
        assert [(tier.key, tier.threshold, tier.benefits) for tier in held.tiers] == [
            ("gold", 50_000, ("Free cake", "A seat by the window"))
        ]
        assert AuditRecord.objects.get(action="programme.start").object_id == ids.show("prog", programme.pk)

    def test_shows_what_last_month_would_have_cost_and_saves_nothing(self, api, manager, book, customer, wallet_method):
        """Two orders of 600 yuan: the first earns 600 and a welcome of 50, the second, in gold, half as much again."""
        scheme.join(customer)
        method = wallet_method(customer, 500_000)
        for _ in range(2):
            pay(api, method, 60_000)
        move_clock(book, NOW + timedelta(days=31))

        with books.unchanged():
            page = manager.post(f"{PAGE}/new", {**TYPED, "act": "simulate"})

        costs = page.context["costs"]
        assert [(name, cost.orders_count, cost.points, cost.worth_minor) for name, cost in costs] == [
            ("This draft", 2, 1_550, 1_550)
        ]
        assert dict(costs[0][1].by_kind) == {"spend": 1_200, "first": 50, "tier": 300}

    def test_lets_tiers_follow_new_terms_and_refuses_a_stale_page(self, manager, book):
        manager.post(f"{PAGE}/new", TYPED)
        with tenancy.within(book.pk):
            shown = ids.show("prog", Programme.objects.get().pk)
        changed = {**TYPED, "tier0_threshold": "400.00", "seen": "1"}

        first = manager.post(f"{PAGE}/{shown}/edit", changed)
        stale = manager.post(f"{PAGE}/{shown}/edit", {**changed, "pending_days": "3"})

        assert (first.status_code, stale.status_code) == (303, 200)
        assert "Somebody changed the terms meanwhile" in stale.content.decode()
        with tenancy.within(book.pk):
            assert Run.objects.get().kind == Run.RETIER

    @pytest.mark.parametrize(
        ("typed", "field"),
        [
            ({"spend_per": "free"}, "spend_per"),
            ({"spend_points": ""}, "spend_points"),
            ({"hour_percent": "200"}, "hour_from"),
            ({"tier0_threshold": ""}, "tier0_threshold"),
            ({"tier_by": "points", "tier0_threshold": "1.5"}, "tier0_threshold"),
            ({"pending_days": "-1"}, "pending_days"),
            ({"redeem_worth": ""}, "redeem_worth"),
        ],
    )
    def test_says_at_the_field_what_is_wrong(self, manager, book, typed, field):
        page = manager.post(f"{PAGE}/new", {**TYPED, **typed})

        assert page.status_code == 200
        assert list(page.context["form"].errors) == [field]
        with tenancy.within(book.pk):
            assert not Programme.objects.exists()

    def test_picks_products_by_name_and_keeps_them_by_id(self, api, manager, book, customer, wallet_method):
        latte, cake = (api.post("products", {"name": name}).json["id"] for name in ("Oat latte", "Cake"))
        typed = {**TYPED, "item0_product": "oat  LATTE", "item0_points": "5", "item2_product": "Cake"}

        missing = manager.post(f"{PAGE}/new", typed)
        typed |= {"item2_points": "1"}
        unknown = manager.post(f"{PAGE}/new", {**typed, "item1_product": "Tea", "item1_points": "1"})
        twice = manager.post(f"{PAGE}/new", {**typed, "item1_product": "Cake", "item1_points": "1"})
        started = manager.post(f"{PAGE}/new", typed)

        assert [list(each.context["form"].errors) for each in (missing, unknown, twice)] == [
            ["item2_points"],
            ["item1_product"],
            ["item2_product"],
        ]
        with tenancy.within(book.pk):
            programme = Programme.objects.get()
            items = [dict(each) for each in queries.terms(programme).rules if each["kind"] == "item"]
        assert items == [
            {"kind": "item", "product": latte, "points": 5},
            {"kind": "item", "product": cake, "points": 1},
        ]
        said = manager.get(started.headers["Location"]).content.decode()
        assert ("5 points for each Oat latte" in said, "1 point for each Cake" in said) == (True, True)
        # A product that is sold no more keeps its rule, also where another has its name by now.
        api.delete(f"products/{cake}")
        api.post("products", {"name": "Cake"})
        page = manager.get(f"{PAGE}/{ids.show('prog', programme.pk)}/edit")
        assert page.context["goods"].products == ["Cake", "Oat latte"]
        assert page.content.decode().count('list="products"') == 5
        initial = page.context["form"].initial
        assert [initial[f"item{row}_{name}"] for row in (0, 1) for name in ("product", "points")] == [
            "Oat latte",
            5,
            "Cake",
            1,
        ]
        again = {**TYPED, "seen": "1", "item0_product": "Cake", "item0_points": "3"}
        manager.post(f"{PAGE}/{ids.show('prog', programme.pk)}/edit", again)
        with tenancy.within(book.pk):
            programme.refresh_from_db()
            items = [dict(each) for each in queries.terms(programme).rules if each["kind"] == "item"]
        assert items == [{"kind": "item", "product": cake, "points": 3}]

    def test_simulates_products_as_far_as_they_were_paid_for(self, api, manager, book, customer, wallet_method):
        latte = api.post("products", {"name": "Oat latte"}).json["id"]
        scheme.join(customer)
        pay(api, wallet_method(customer), 6_000)
        with tenancy.within(book.pk):
            OrderLine.objects.update(
                product_id=ids.parse("prod", latte), quantity=3, unit_price_minor=2_000, refunded_minor=2_000
            )
        move_clock(book, NOW + timedelta(days=31))

        typed = {"item0_product": "Oat latte", "item0_points": "5", "act": "simulate", "tier0_percent": ""}
        page = manager.post(f"{PAGE}/new", {**TYPED, **typed})

        assert dict(page.context["costs"][0][1].by_kind) == {"spend": 40, "first": 50, "item": 10}

    @pytest.mark.parametrize("once", ["", "a\x00b"])
    def test_sets_the_budget_whatever_a_form_says_of_itself(self, manager, book, once):
        programme = scheme.start(book)
        address = f"{PAGE}/{ids.show('prog', programme.pk)}/budget"

        for points in ("100", "70"):
            assert manager.post(address, {"points": points, "once": once}).status_code == 303

        with tenancy.within(book.pk):
            assert queries.budget_left(programme) == 70

    def test_is_closed_to_cashiers(self, merchant, book):
        cashier = signed_in(make_staff(merchant, "cashier"))

        assert (cashier.get(PAGE).status_code, cashier.post(f"{PAGE}/new", TYPED).status_code) == (403, 403)


class TestMember:
    @pytest.fixture
    def programme(self, book):
        made = scheme.start(book)
        with tenancy.within(book.pk):
            operations.set_budget(programme_id=made.pk, points=100, reference="budget", now=NOW)
        return made

    def test_adjusts_once_a_form_and_signs_it(self, manager, book, customer, programme):
        member = scheme.join(customer)
        address = f"/dashboard/cafe/test/members/{ids.show('mem', member.pk)}/points"
        once = manager.get(address).context["form"].once
        typed = {"once": once, "points": "60", "reason": "We were late"}

        for _ in range(2):
            assert manager.post(address, typed).status_code == 303
        refused = manager.post(address, {"points": "41", "reason": "More"})

        assert scheme.points(member, programme) == (60, 0, 0)
        assert "The budget does not allow so many" in refused.content.decode()
        signed = AuditRecord.objects.get(action="points.adjust")
        assert signed.detail == {"points": 60, "reason": "We were late"}
