"""Checkout sessions with the unmodified SDK."""

from datetime import timedelta

import pytest
import stripe

from tests.cast import NOW
from tests.contract.integrator import checked
from tests.members.offers.book import make
from tests.members.offers.book import shown as offer_id
from tests.payers import Visitor
from tests.payments import books

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A5")]


@pytest.fixture
def session(integrator, guest):
    product = checked(integrator.v1.products.create({"name": "Espresso"}))
    price = checked(integrator.v1.prices.create({"product": product.id, "currency": "cny", "unit_amount": 1_800}))
    return checked(
        integrator.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "customer": guest.id,
                "client_reference_id": "MO-42",
                "line_items": [
                    {"price": price.id, "quantity": 2},
                    {
                        "price_data": {
                            "currency": "cny",
                            "unit_amount": 1_000,
                            "product_data": {"name": "Delivery"},
                        },
                        "quantity": 1,
                    },
                ],
                "success_url": "https://cafe.example/thanks?session={CHECKOUT_SESSION_ID}",
                "cancel_url": "https://cafe.example/basket",
                "locale": "zh",
                "submit_type": "pay",
                "metadata": {"table": "7"},
                "payment_intent_data": {"description": "Two espressos", "metadata": {"till": "2"}},
            }
        )
    )


class TestCheckoutSessions:
    def test_are_offered_and_read(self, integrator, session, server):
        found = checked(integrator.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items", "customer"]}))
        lines = checked(integrator.v1.checkout.sessions.line_items.list(session.id))

        assert session.url.startswith(f"{server}/pay/")
        assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 4_600)
        assert [line.amount_total for line in found.line_items.data] == [3_600, 1_000]
        assert found.customer.email == "Lin.Mei@example.com"
        assert [(line.description, line.quantity) for line in lines.data] == [("Espresso", 2), ("Delivery", 1)]
        assert lines.data[0].price.unit_amount == 1_800

    def test_are_listed_changed_and_expired(self, integrator, guest, session):
        changed = checked(integrator.v1.checkout.sessions.update(session.id, {"metadata": {"table": "8"}}))
        expired = checked(integrator.v1.checkout.sessions.expire(session.id))
        listed = checked(integrator.v1.checkout.sessions.list({"customer": guest.id, "status": "expired"}))
        told = checked(integrator.v1.events.list({"type": "checkout.session.expired"}))

        assert changed.metadata["table"] == "8"
        assert (expired.status, expired.url) == ("expired", None)
        assert [each.id for each in listed.data] == [session.id]
        assert [event.data.object.id for event in told.data] == [session.id]
        with pytest.raises(stripe.InvalidRequestError) as refused:
            integrator.v1.checkout.sessions.expire(session.id)
        assert refused.value.code == "checkout_session_unexpected_state"


@pytest.mark.requirement("A52")
class TestDiscounts:
    @pytest.fixture
    def begin(self, integrator):
        """Makes a session for ¥88.00 of beans."""

        def make(**more):
            price = {"currency": "cny", "unit_amount": 4_400, "product_data": {"name": "Beans"}}
            params = {
                "mode": "payment",
                "line_items": [{"price_data": price, "quantity": 2}],
                "success_url": "https://cafe.example/thanks",
            }
            return checked(integrator.v1.checkout.sessions.create({**params, **more}))

        return make

    @pytest.fixture
    def coupon(self, integrator):
        return checked(integrator.v1.coupons.create({"id": "TEN", "percent_off": 10}))

    def test_of_a_coupon_are_priced_at_once_and_paid(self, integrator, begin, coupon, payer):
        session = begin(discounts=[{"coupon": coupon.id}])
        visitor = Visitor(session)
        visitor.sign_in(payer)
        visitor.pay()

        found = checked(
            integrator.v1.checkout.sessions.retrieve(
                session.id,
                {"expand": ["line_items.data.discounts", "total_details.breakdown", "discounts.coupon"]},
            )
        )
        (line,) = found.line_items.data
        (part,) = found.total_details.breakdown.discounts
        assert [(each.amount_subtotal, each.total_details.amount_discount, each.amount_total) for each in
                (session, found)] == [(8_800, 880, 7_920)] * 2  # fmt: skip
        assert (session.allow_promotion_codes, session.discounts[0].coupon) == (None, "TEN")
        assert (found.discounts[0].coupon.percent_off, found.discounts[0].promotion_code) == (10.0, None)
        assert (line.amount_subtotal, line.amount_discount, line.amount_total) == (8_800, 880, 7_920)
        assert (part.amount, part.discount.source.coupon, part.discount.checkout_session) == (880, "TEN", session.id)
        assert [each.amount for each in line.discounts] == [880]
        assert (visitor.stage, found.payment_status, payer.balance) == ("paid", "paid", 50_000 - 7_920)
        assert integrator.v1.coupons.retrieve("TEN").times_redeemed == 1

    def test_of_a_code_stay_whatever_the_payer_does(self, integrator, begin, coupon, payer):
        code = checked(
            integrator.v1.promotion_codes.create(
                {"code": "WELCOME", "max_redemptions": 1, "promotion": {"type": "coupon", "coupon": coupon.id}}
            )
        )
        session = begin(discounts=[{"promotion_code": code.id}])
        visitor = Visitor(session)
        assert "Enter a discount code" not in visitor.text
        assert [each["action"] for each in visitor.page.all("form") if each["action"].endswith("/code")] == []
        visitor.client.handler.enforce_csrf_checks = False
        visitor.client.post(f"{visitor.path}/code", {"forget": "WELCOME"})
        visitor.client.post(f"{visitor.path}/code", {"code": "OTHER"})
        visitor.open()
        visitor.sign_in(payer)
        visitor.pay()

        found = checked(integrator.v1.checkout.sessions.retrieve(session.id, {"expand": ["discounts.promotion_code"]}))
        assert (found.total_details.amount_discount, payer.balance) == (880, 50_000 - 7_920)
        assert (found.discounts[0].coupon, found.discounts[0].promotion_code.code) == (None, "WELCOME")
        assert integrator.v1.promotion_codes.retrieve(code.id).times_redeemed == 1
        with pytest.raises(stripe.InvalidRequestError) as used_up:
            begin(discounts=[{"promotion_code": code.id}])
        assert (used_up.value.code, used_up.value.param) == ("coupon_expired", "discounts[0][promotion_code]")

    def test_are_typed_only_where_the_session_says_so(self, integrator, begin, coupon, payer):
        params = {"code": "WELCOME", "promotion": {"type": "coupon", "coupon": coupon.id}}
        code = checked(integrator.v1.promotion_codes.create(params))
        assert "Enter a discount code" not in Visitor(begin(allow_promotion_codes=False)).text
        session = begin(allow_promotion_codes=True)
        visitor = Visitor(session)

        visitor.send("code", code="welcome")

        found = checked(integrator.v1.checkout.sessions.retrieve(session.id))
        assert (session.allow_promotion_codes, session.discounts, session.amount_total) == (True, [], 8_800)
        assert (found.amount_subtotal, found.amount_total) == (8_800, 7_920)
        assert [each.promotion_code for each in found.discounts] == [code.id]

    def test_that_apply_by_themselves_have_no_coupon(self, begin, book):
        tiers = [{"from_minor": 5_000, "off_minor": 500}]
        spend = make(book, "Spend and save", "spend", {"tiers": tiers})

        session = begin()

        (part,) = session.total_details.breakdown.discounts
        assert (session.amount_total, session.discounts) == (8_300, [])
        assert (part.amount, part.discount.source.coupon, part.discount.offer) == (500, None, offer_id(spend))

    @pytest.mark.parametrize(
        ("given", "code", "param"),
        [
            ([{"coupon": "NOBODYS"}], "resource_missing", "discounts[0][coupon]"),
            ([{"coupon": "OTHERS"}], "resource_missing", "discounts[0][coupon]"),
            ([{"promotion_code": "promo_x"}], "resource_missing", "discounts[0][promotion_code]"),
            ([{"coupon": "DOLLARS"}], "parameter_invalid", "discounts[0][coupon]"),
            ([{"coupon": "PAST"}], "coupon_expired", "discounts[0][coupon]"),
            ([{"promotion_code": "DEAR"}], "parameter_invalid", "discounts[0][promotion_code]"),
            ([{"promotion_code": "HERS"}], "parameter_invalid", "discounts[0][promotion_code]"),
            ([{"promotion_code": "OFF"}], "coupon_expired", "discounts[0][promotion_code]"),
            ([{"coupon": "TEN", "promotion_code": "promo_x"}], "parameters_exclusive", "discounts[0]"),
            ([{"coupon": "TEN"}, {"coupon": "TEN"}], "parameter_invalid", "discounts"),
        ],
    )  # fmt: skip
    def test_are_refused_as_stripe_refuses_them(
        self, integrator, begin, coupon, guest, book, other_book, given, code, param
    ):
        make(other_book, "Theirs", "percent", {"off_ppm": 100_000}, trigger="code", coupon="OTHERS")
        make(book, "Past", "percent", {"off_ppm": 100_000}, trigger="code", coupon="PAST",
             limits={"starts_at": NOW - timedelta(days=2), "ends_at": NOW - timedelta(days=1)})  # fmt: skip
        integrator.v1.coupons.create({"id": "DOLLARS", "amount_off": 500, "currency": "usd"})
        restrictions = {"minimum_amount": 10_000, "minimum_amount_currency": "cny"}
        made = {
            name: integrator.v1.promotion_codes.create(
                {"code": name, "promotion": {"type": "coupon", "coupon": coupon.id}, **more}
            ).id
            for name, more in {
                "DEAR": {"restrictions": restrictions},
                "HERS": {"customer": guest.id},
                "OFF": {"active": False},
            }.items()
        }
        params = [{name: made.get(text, text) for name, text in each.items()} for each in given]

        with pytest.raises(stripe.InvalidRequestError) as refused, books.unchanged():
            begin(discounts=params)

        assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)

    def test_are_no_choice_beside_codes(self, begin, coupon):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            begin(discounts=[{"coupon": coupon.id}], allow_promotion_codes=False)

        assert (refused.value.code, refused.value.param) == ("parameters_exclusive", "allow_promotion_codes")
