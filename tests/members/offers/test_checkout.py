"""A payer on the checkout page: what offers take off, why, and what a refund gives back of it."""

import pytest

from members.offers import codes, portal, queries
from members.offers.codes import CodeDraft
from members.offers.models import DiscountShare, OfferRedemption
from members.portal.port import Place, Viewer
from merchant_platform.kernel import tenancy
from payments.orders.models import Order, OrderLine
from payments.wallets.queries import Link
from tests.cast import NOW, origin_of
from tests.members.offers.book import count_of, make
from tests.payers import DECLINED_CARD, Visitor, item, offer, row_of

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A52")]
CART = (item("Beans", 8_800), item("Latte", 2_800, 2), item("Scone", 1_200))


@pytest.fixture
def tiers(book):
    steps = [(10_000, 1_000), (20_000, 3_000)]
    return make(book, "Spend more", "spend", {"tiers": [{"from_minor": a, "off_minor": b} for a, b in steps]})


@pytest.fixture
def ten(book):
    coupon = make(book, "Ten", "percent", {"off_ppm": 100_000}, trigger="code", limits={"redemptions_max": 1})
    with tenancy.within(book.pk):
        codes.create(offer=coupon, draft=CodeDraft(code="TEN"), now=NOW, origin=origin_of(book))
    return coupon


def statuses(book):
    with tenancy.within(book.pk):
        return list(OfferRedemption.objects.order_by("pk").values_list("status", flat=True))


class TestPaying:
    def test_takes_off_what_the_page_said_and_refunds_give_it_back_exactly(self, api, book, payer, tiers):
        session = offer(api, *CART)
        visitor = Visitor(session)
        assert "Spend more" in visitor.text
        assert "Add CN¥44.00 more to save CN¥30.00." in visitor.text
        visitor.sign_in(payer)

        visitor.pay()

        row = row_of(book, session)
        with tenancy.within(book.pk):
            lines = list(OrderLine.objects.filter(order_id=row.order_id).order_by("pk"))
        assert (visitor.stage, payer.balance) == ("paid", 50_000 - 14_600)
        assert [line.discount_minor for line in lines] == [564, 359, 77]
        assert statuses(book) == ["taken"]

        # One latte, then the other, then the rest.
        intent = api.get(f"checkout/sessions/{session['id']}").json["payment_intent"]
        refund_lines = api.get(f"checkout/sessions/{session['id']}/line_items").json["data"]
        returned = []
        for _ in range(2):
            given = api.post(
                "refunds", {"payment_intent": intent, "lines": [{"line": refund_lines[1]["id"], "quantity": 1}]}
            )
            assert given.status == 200, given.json
            with tenancy.within(book.pk):
                shares = {share.line_id: share for share in queries.shares_of(row.order_id)}
            returned.append((given.json["amount"], shares[lines[1].pk].returned_minor))
        rest = api.post("refunds", {"payment_intent": intent})
        with tenancy.within(book.pk):
            shares = queries.shares_of(row.order_id)
            order = Order.objects.get(pk=row.order_id)
        assert returned == [(2_620, 179), (2_621, 359)]
        assert rest.json["amount"] == 14_600 - 5_241
        assert all(share.returned_minor == share.amount_minor for share in shares)
        assert (order.refunded_minor, payer.balance) == (14_600, 50_000)

    @pytest.mark.requirement("A29")
    def test_a_code_is_held_by_one_payer_until_the_session_is_over(self, api, book, payer, ten):
        first, second = [offer(api, item("Beans", 8_800), allow_promotion_codes=True) for _ in range(2)]
        holder, other = Visitor(first), Visitor(second)
        holder.send("code", code="ten")
        other.send("code", code="TEN")
        holder.pay_by_card(DECLINED_CARD)
        assert count_of(book, ten) == (1, 880, 0)

        other.open()
        refused = other.text
        api.post(f"checkout/sessions/{first['id']}/expire")
        released = count_of(book, ten)
        other.open()
        other.sign_in(payer)
        other.pay()

        assert "is used up" in refused
        assert released == (0, 0, 0)
        assert (other.stage, payer.balance) == ("paid", 50_000 - 7_920)
        assert statuses(book) == ["released", "taken"]
        with tenancy.within(book.pk):
            assert DiscountShare.objects.count() == 1


class TestWallet:
    @pytest.mark.requirement("A9")
    def test_shows_a_consumer_the_coupons_that_are_theirs(self, book, customer, ten, other_book):
        with tenancy.within(book.pk):
            draft = CodeDraft(code="MEI", customer_id=customer.pk, minimum_minor=5_000, minimum_currency="CNY")
            codes.create(offer=ten, draft=draft, now=NOW, origin=origin_of(book))
        place = Place(book, Link(book.pk, customer.pk))

        shown = portal.cards(Viewer(None, (), (place,)), NOW)

        assert [(card.title, card.code, card.lines) for card in shown] == [
            ("Ten", "MEI", ["10% off", "From CN¥50.00 on"])
        ]
        assert portal.cards(Viewer(None, (), (Place(other_book, Link(other_book.pk, customer.pk)),)), NOW) == []
