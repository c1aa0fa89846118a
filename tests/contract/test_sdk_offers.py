"""What an integrator does with the `stripe` SDK about coupons and promotion codes."""

import pytest
import stripe

from tests.contract.integrator import ask, checked

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A29")]
LATER = 4_000_000_000


@pytest.fixture
def beans(integrator):
    product = integrator.v1.products.create({"name": "Beans"})
    return integrator.v1.prices.create({"currency": "cny", "unit_amount": 8_800, "product": product.id})


class TestCoupons:
    def test_are_made_read_changed_listed_and_deleted(self, integrator, beans):
        percent = checked(
            integrator.v1.coupons.create(
                {
                    "id": "SPRING25",
                    "percent_off": 12.5,
                    "duration": "once",
                    "max_redemptions": 100,
                    "redeem_by": LATER,
                    "applies_to": {"products": [beans.product]},
                    "metadata": {"table": "7"},
                }
            )
        )
        amount = checked(integrator.v1.coupons.create({"amount_off": 500, "currency": "cny", "name": "Five off"}))
        changed = checked(integrator.v1.coupons.update("SPRING25", {"name": "Spring", "metadata": {"table": ""}}))
        first = checked(integrator.v1.coupons.list({"limit": 1}))
        rest = checked(integrator.v1.coupons.list({"starting_after": amount.id}))
        deleted = checked(integrator.v1.coupons.delete("SPRING25"))

        assert (percent.id, percent.percent_off, percent.valid, percent.redeem_by) == ("SPRING25", 12.5, True, LATER)
        assert (percent.name, percent.applies_to.products) == ("SPRING25", [beans.product])
        assert (amount.amount_off, amount.currency, amount.percent_off) == (500, "cny", None)
        assert (changed.name, changed.metadata.to_dict(), changed.percent_off) == ("Spring", {}, 12.5)
        assert ([each.id for each in first], first.has_more) == ([amount.id], True)
        assert [each.id for each in rest] == ["SPRING25"]
        assert deleted.deleted is True
        with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
            integrator.v1.coupons.retrieve("SPRING25")

    @pytest.mark.parametrize(
        ("params", "param"),
        [
            ({}, "percent_off"),
            ({"percent_off": 10, "amount_off": 5, "currency": "cny"}, "percent_off"),
            ({"percent_off": 0}, "percent_off"),
            ({"percent_off": 100.5}, "percent_off"),
            ({"percent_off": 33.33333}, "percent_off"),
            ({"percent_off": "NaN"}, "percent_off"),
            ({"amount_off": 5}, "currency"),
            ({"amount_off": 5, "currency": "kwd"}, "amount_off"),
            ({"percent_off": 5, "redeem_by": 1}, "redeem_by"),
            ({"percent_off": 5, "duration": "repeating"}, "duration"),
            ({"percent_off": 5, "max_redemptions": 0}, "max_redemptions"),
            ({"percent_off": 5, "applies_to": {"products": ["prod_x"]}}, "applies_to[products]"),
        ],
    )
    def test_are_refused_by_the_parameter_that_is_wrong(self, integrator, params, param):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.coupons.create(params)

        assert (refused.value.http_status, refused.value.param) == (400, param)
        assert integrator.v1.coupons.list().data == []


class TestPromotionCodes:
    def test_are_made_read_changed_and_found(self, integrator, guest):
        coupon = integrator.v1.coupons.create({"percent_off": 20})
        promotion = {"type": "coupon", "coupon": coupon.id}
        code = checked(
            integrator.v1.promotion_codes.create(
                {
                    "promotion": promotion,
                    "code": "Hello-20",
                    "customer": guest.id,
                    "expires_at": LATER,
                    "max_redemptions": 1,
                    "restrictions": {"minimum_amount": 5_000, "minimum_amount_currency": "cny"},
                }
            )
        )
        drawn = checked(integrator.v1.promotion_codes.create({"promotion": promotion}))
        found = checked(integrator.v1.promotion_codes.list({"code": "hello-20"}))
        whole = checked(integrator.v1.promotion_codes.retrieve(code.id, {"expand": ["promotion.coupon", "customer"]}))
        with pytest.raises(stripe.InvalidRequestError) as taken:
            integrator.v1.promotion_codes.create({"promotion": promotion, "code": "HELLO-20"})
        switched = checked(integrator.v1.promotion_codes.update(code.id, {"active": False}))
        again = checked(integrator.v1.promotion_codes.create({"promotion": promotion, "code": "HELLO-20"}))

        assert (code.code, code.active, code.times_redeemed) == ("Hello-20", True, 0)
        assert code.restrictions.minimum_amount == 5_000
        assert len(drawn.code) == 8
        assert [each.id for each in found] == [code.id]
        assert (whole.promotion.coupon.id, whole.customer.name) == (coupon.id, "Lin Mei")
        assert taken.value.code == "resource_already_exists"
        assert switched.active is False
        active = integrator.v1.promotion_codes.list({"active": True, "coupon": coupon.id})
        assert {each.id for each in active} == {drawn.id, again.id}

    def test_are_no_use_once_their_coupon_is_gone(self, integrator):
        coupon = integrator.v1.coupons.create({"percent_off": 20})
        code = integrator.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})

        integrator.v1.coupons.delete(coupon.id)

        assert checked(integrator.v1.promotion_codes.retrieve(code.id)).active is False
        with pytest.raises(stripe.InvalidRequestError):
            integrator.v1.promotion_codes.update(code.id, {"active": True})


class TestPreview:
    def test_prices_a_cart_and_says_why(self, integrator, guest, beans):
        coupon = integrator.v1.coupons.create({"percent_off": 10, "name": "Ten"})
        limits = {"minimum_amount": 10_000, "minimum_amount_currency": "cny"}
        integrator.v1.promotion_codes.create(
            {"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TEN", "restrictions": limits}
        )

        def preview(quantity):
            return ask(
                integrator,
                "post",
                "/v1/offers/preview",
                currency="cny",
                customer=guest.id,
                codes=["ten", "nothing"],
                line_items=[{"price": beans.id, "quantity": quantity, "tax_percent": 6}],
            )

        short, enough = preview(1), preview(2)

        assert (short.amount_discount, short.amount_tax, short.amount_total) == (0, 528, 9_328)
        assert [each.code for each in short.refused] == ["code_unknown", "offer_below_threshold"]
        assert short.near_misses[0].text == "Add CN¥12.00 more to save CN¥8.80."
        # Tax is on what is left: 17,600 − 1,760 = 15,840, of which 6 % are 950.4.
        assert (enough.amount_discount, enough.amount_tax, enough.amount_total) == (1_760, 950, 16_790)
        assert enough.lines[0].discounts[0].amount == 1_760
        assert enough.applied[0].reasons[0].text.customer == "Ten: you save CN¥17.60."
