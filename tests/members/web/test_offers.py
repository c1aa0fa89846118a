"""Offers at the desk: each kind made by its form and tried on a cart, started, paused, ended; codes by the dozen."""

import pytest

from members.offers import operations
from members.offers.models import Offer, OfferVersion, PromotionCode
from merchant_platform.kernel import tenancy
from security.access import roles
from security.audit.models import AuditRecord
from tests.cast import NOW, origin_of, shown
from tests.desks import TEST, Door
from tests.members.loyalty.scheme import start
from tests.members.offers.book import make
from tests.staff import ROLES, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A29")]

LIST = f"{TEST}/offers"
ALL = {"trigger": "automatic", "stacking": "joint", "priority": "100"}
# What is typed for each kind, and the effect that it is.
TYPED = {
    "percent": ({"percent": "12.5"}, {"off_ppm": 125_000}),
    "amount": ({"amount": "5"}, {"off_minor": 500}),
    "spend": (
        {"tiers": "100 10\n满200减30.50"},
        {"tiers": [{"from_minor": 10_000, "off_minor": 1_000}, {"from_minor": 20_000, "off_minor": 3_050}]},
    ),
    "buy_get": (
        {"buy": "2", "get": "1", "percent": "100", "times_max": "3"},
        {"buy": 2, "get": 1, "off_ppm": 1_000_000, "times_max": 3, "get_products": [], "get_categories": []},
    ),
    "bundle": ({"parts": "1 Oolong", "price": "30"}, None),
    "tier_price": ({"tiers": "满3件每件25元"}, {"tiers": [{"from_quantity": 3, "unit_minor": 2_500}]}),
    "flash": ({"price": "9.90", "units_max": "50"}, {"unit_minor": 990, "units_per_order": None}),
    "personal": (
        {"rule_feature": ["frequency"], "rule_value": ["5"], "rule_percent": ["10"], "rule_points": ["20"]},
        {"rules": [{"feature": "frequency", "at_least": 5, "off_ppm": 100_000, "bonus_points": 20}]},
    ),
}


@pytest.fixture
def door(merchant):
    return Door(signed_in(make_staff(merchant, "manager")))


@pytest.fixture
def oolong(api):
    price = {"currency": "cny", "unit_amount": 3_200}
    return api.post("products", {"name": "Oolong", "category": "Tea", "default_price_data": price}).json["id"]


@pytest.fixture
def coupon(book):
    return make(book, "Ten", "percent", {"off_ppm": 100_000}, trigger="code", coupon="TEN")


def rows(book, model=Offer):
    with tenancy.within(book.pk):
        return list(model.objects.order_by("pk"))


class TestEveryDoor:
    def test_opens_to_roles_as_the_table_says(self, merchant, coupon):
        page = f"{LIST}/{shown('offer', coupon)}"
        for role in ROLES:
            client = signed_in(make_staff(merchant, role))
            for path, action in (
                (LIST, "offer.view"),
                (f"{page}/codes", "offer.view"),
                (f"{LIST}/new", "offer.edit"),
                (f"{page}/edit", "offer.edit"),
            ):
                assert client.get(path).status_code == (200 if roles.may(role, action) else 403), (role, path)

    def test_hides_the_offers_of_a_stranger(self, door, other_book, merchant):
        theirs = shown("offer", make(other_book, "Theirs", "percent", {"off_ppm": 1}))

        replies = [door.get(f"{LIST}/{theirs}{rest}").status_code for rest in ("", "/edit", "/codes")]
        replies.append(door.client.post(f"{LIST}/{theirs}/act", {"act": "end"}).status_code)

        assert replies == [404] * 4
        assert rows(other_book)[0].status == "active"

    def test_costs_the_same_for_one_offer_as_for_many(self, door, book, coupon, django_assert_num_queries):
        page = f"{LIST}/{shown('offer', coupon)}"
        for _ in range(2):
            with django_assert_num_queries(11):
                door.get(LIST)
            with django_assert_num_queries(13):
                door.get(page)
            for number in range(5):
                make(book, f"More {number}", "percent", {"off_ppm": 1})


class TestEditor:
    @pytest.mark.parametrize("kind", TYPED)
    def test_makes_each_kind_once_and_shows_it_again_as_typed(self, door, book, oolong, kind):
        typed, effect = TYPED[kind]
        values = {**ALL, "name": f"My {kind}", "products": "", **typed, **door.fields(f"{LIST}/new/{kind}")}

        replies = [door.client.post(f"{LIST}/new/{kind}", {**values, "act": "start"}) for _ in range(2)]

        (row,) = rows(book)
        page = f"{LIST}/{shown('offer', row)}"
        assert [(each.status_code, each.url) for each in replies] == [(303, page)] * 2
        assert (row.kind, row.status, row.version) == (kind, "active", 1)
        assert row.terms["effect"] == (
            effect or {"parts": [{"product": oolong, "quantity": 1}], "price_minor": 3_000, "times_max": None}
        )
        # What the form shows of it, sent back, changes nothing.
        form = door.get(f"{page}/edit").context["form"]
        again = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
        again = {
            name: value.strftime("%Y-%m-%dT%H:%M") if hasattr(value, "strftime") else value
            for name, value in again.items()
        }
        for name in ("feature", "value", "percent", "points"):
            if form.rules:
                again[f"rule_{name}"] = [rule[name] for rule in form.rules]
        assert door.send(f"{page}/edit", **again, act="save").status_code == 303
        assert rows(book)[0].version == 1

    def test_a_change_is_a_version_and_what_was_seen_must_stand(self, door, book):
        row = make(book, "Ten", "percent", {"off_ppm": 100_000})
        page = f"{LIST}/{shown('offer', row)}/edit"
        stale = door.fields(page)
        values = {**ALL, "name": "Fifteen", "percent": "15", "store_share": ""}

        changed = door.send(page, **values)
        refused = door.client.post(page, {**stale, **values, "percent": "90"})

        assert (changed.status_code, refused.status_code) == (303, 200)
        assert "Somebody changed this meanwhile" in refused.content.decode()
        assert [each.number for each in rows(book, OfferVersion)] == [1, 2]
        assert rows(book)[0].terms["effect"] == {"off_ppm": 150_000}

    @pytest.mark.parametrize(
        ("kind", "typed", "words"),
        [
            ("percent", {"percent": "0"}, "A percentage is above 0"),
            ("percent", {"percent": "many"}, "Write a percentage such as 12.5."),
            ("percent", {"percent": "10", "products": "Nothing"}, "There is no product of this name: Nothing"),
            ("percent", {"percent": "10", "margin_floor": "100"}, "A margin floor is from 0"),
            ("percent", {"percent": "10", "days": ["1"]}, "Hours begin and end."),
            ("amount", {"amount": "1.234"}, "CNY has fewer decimals"),
            ("spend", {"tiers": "100"}, "Write two amounts on each line"),
            ("spend", {"tiers": "100 200"}, "Each tier takes off no more"),
            ("tier_price", {"tiers": "x 3"}, "Write a number and a price"),
            ("bundle", {"parts": "Oolong", "price": "3"}, "Write how many of which product"),
            ("personal", {}, "Give at least one rule."),
            ("percent", {"percent": "10", "starts_at": "2026-05-02T10:00", "ends_at": "2026-05-01T10:00"},
             "An offer ends after it begins."),
        ],
    )  # fmt: skip
    def test_says_what_is_wrong_and_writes_nothing(self, door, book, kind, typed, words):
        reply = door.send(f"{LIST}/new/{kind}", **{**ALL, "name": "Offer", **typed}, act="start")

        assert (reply.status_code, rows(book)) == (200, [])
        assert words in reply.content.decode()

    def test_is_for_members_of_a_tier_and_stays_so_when_the_tier_is_gone(self, door, book, oolong):
        programme = start(book)
        gold = f"{shown('prog', programme)}/gold"
        typed = {**ALL, "name": "Gold price", "tiers": "1 25", "member_tiers": gold}
        cart = {"sample_product_0": oolong, "sample_quantity_0": "1", "sample_amount": ""}

        tried = door.client.post(f"{LIST}/preview/tier_price", {**typed, **cart}).content.decode()
        door.send(f"{LIST}/new/tier_price", **typed, act="start")
        page = f"{LIST}/{shown('offer', rows(book)[0])}"
        with tenancy.within(book.pk):
            type(programme).objects.update(is_active=False)
        door.send(f"{page}/edit", **{**typed, "priority": "7"})

        assert "This is your benefit as a Gold member." in tried
        assert (rows(book)[0].version, rows(book)[0].terms["member_tiers"]) == (2, [gold])
        assert "A tier that is gone" in door.get(page).content.decode()

    def test_tries_what_stands_in_the_form_on_a_cart(self, door, book, oolong):
        make(book, "Running", "amount", {"off_minor": 100}, priority=1)
        cart = {"sample_product_0": oolong, "sample_quantity_0": "2", "sample_amount": "24"}
        typed = {**ALL, "name": "Spend", "tiers": "90 10", **cart}

        alone = door.client.post(f"{LIST}/preview/spend", typed).content.decode()
        together = door.client.post(f"{LIST}/preview/spend", {**typed, "tiers": "80 10", "with_others": "yes"})
        unreadable = door.client.post(f"{LIST}/preview/spend", {**typed, "tiers": "x"}).content.decode()

        assert "Add CN¥2.00 more to save CN¥10.00." in alone
        assert "CN¥77.00" in together.content.decode()
        assert "Fill in what it gives" in unreadable
        assert len(rows(book)) == 1


class TestLife:
    def test_pauses_resumes_and_ends_and_writes_it_down(self, door, book, coupon):
        page = f"{LIST}/{shown('offer', coupon)}"
        states = []
        for act in ("pause", "resume", "end", "resume"):
            door.send(f"{page}/act", page=page, act=act)
            states.append(rows(book)[0].status)

        assert states == ["paused", "active", "ended", "ended"]
        assert list(AuditRecord.objects.order_by("pk").values_list("action", flat=True)) == [
            "offer.pause", "offer.resume", "offer.end",
        ]  # fmt: skip
        assert door.get(f"{LIST}?tab=ended").context["offers"][0]["row"].pk == coupon.pk


class TestCodes:
    def test_are_made_by_the_dozen_once_and_taken_away(self, door, book, coupon):
        page = f"{LIST}/{shown('offer', coupon)}/codes"
        values = {**door.fields(f"{page}/new"), "count": "120", "start": "ten-", "uses": "1"}

        for _ in range(2):
            assert door.client.post(f"{page}/new", values).status_code == 303

        made = rows(book, PromotionCode)
        sheet = b"".join(door.client.post(f"{page}/export").streaming_content).decode("utf-8-sig").splitlines()
        assert len({each.code_key for each in made}) == 120
        assert {(each.code[:4], len(each.code), each.redemptions_max) for each in made} == {("TEN-", 12, 1)}
        assert (len(sheet), sheet[0]) == (121, "Discount code,Active,Used,Uses at the most,Expires,Made")
        assert "offer.codes_export" in AuditRecord.objects.values_list("action", flat=True)

    def test_are_switched_off_and_refused_where_the_offer_is_over(self, door, book, coupon):
        page = f"{LIST}/{shown('offer', coupon)}/codes"
        door.send(f"{page}/new", count="1", start="", uses="1")
        (code,) = rows(book, PromotionCode)
        door.client.post(f"{page}/{shown('promo', code)}", {"active": "false"})
        with tenancy.within(book.pk):
            operations.set_status(offer_id=coupon.pk, status="ended", now=NOW, origin=origin_of(book))

        refused = door.send(f"{page}/new", count="1", start="", uses="1")

        assert [each.is_active for each in rows(book, PromotionCode)] == [False]
        assert "no code leads to it any more" in refused.content.decode()
