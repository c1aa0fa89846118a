"""The checkout page with several tenders, discounts and an invitation: without JavaScript, priced by the server."""

import re

import pytest
from django.core.cache import cache

from merchant_platform.kernel import ids, tenancy
from payments.checkout import splitting, sweep
from payments.checkout.moments import Moment
from payments.checkout.ports import (
    UNKNOWN,
    Applied,
    DiscountGone,
    Invitation,
    NearMiss,
    Priced,
    PricedLine,
    Refused,
    Welcome,
)
from payments.customers.models import Customer
from payments.intents.models import PaymentIntent
from payments.orders.models import OrderLine
from payments.stored_value import operations as stored_value
from tests.cast import NOW, owed_to, race, shown
from tests.payers import DECLINED_CARD, GOOD_CARD, Visitor, item, offer, row_of
from tests.payments import books
from tests.payments.tenders import points
from tests.payments.tenders.acts import gift, on_card
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A17")]


class Discounts:
    """¥10 off with TEN on ¥100 or more, until somebody took the last one."""

    calls: list = []
    is_gone = False

    def price(self, cart):
        unknown = [Refused(code, f"No {code}.", UNKNOWN, code=code) for code in cart.codes if code != "TEN"]
        if "TEN" not in cart.codes:
            return Priced(near_misses=[NearMiss("Buy ¥12.00 more and save ¥20")], refused=unknown)
        if self.is_gone:
            return Priced(refused=[Refused("TEN", "The last one is gone.", "used_up", code="TEN")])
        line = cart.lines[0]
        return Priced(
            lines=[PricedLine(line.line_id, 1_000)],
            applied=[Applied(line.line_id, "Ten off", 1_000, "You typed its code.", code="TEN")],
        )

    def hold(self, cart, priced, *, expires_at):
        if self.is_gone:
            raise DiscountGone("gone")
        self.calls.append(("hold", cart.order_id))

    def take(self, order_id, *, now, origin):
        self.calls.append(("take", order_id))

    def release(self, order_id, *, now):
        self.calls.append(("release", order_id))


class Invitations:
    joined: list = []

    def offer(self, payer, *, now):
        return Invitation("Join and collect points", "Free", wording="v1")

    def accept(self, *, customer_id, order_id, wording, now, origin):
        self.joined.append((customer_id, wording))

    def welcome(self, *, customer_id, is_live):
        return Welcome("You are in", "Welcome") if self.joined else None


@pytest.fixture(autouse=True)
def fresh():
    cache.clear()
    Discounts.calls, Discounts.is_gone, Invitations.joined = [], False, []


def amount_of(visitor, action):
    form = next(each for each in visitor.page.all("form") if each["action"].endswith(f"/{action}"))
    return next(
        int(field["value"])
        for field in visitor.page.all("input")
        if form in field.ancestors and field["name"] == "amount"
    )


class TestCard:
    def test_is_typed_in_and_pays_a_part(self, api, book, acquirer):
        card, number, pin = gift(book, 2_000, 300)
        visitor = Visitor(offer(api, item(amount=10_000)))

        visitor.send("stored-value", number=number, pin=pin)
        assert "Left to payCN¥77.00" in visitor.text
        visitor.pay_by_card()

        assert visitor.stage == "paid"
        assert (on_card(book, card), owed_to(book)) == ((0, 0), 7_700 - 46)
        receipt = visitor.client.get(next(a["href"] for a in visitor.page.all("a") if "/r/" in a["href"]))
        assert f"Gift card •••• {number[-4:]}" in receipt.content.decode()
        books.assert_agree()

    def test_pays_all_of_it(self, api, book):
        _, number, pin = gift(book, 20_000)
        session = offer(api, item(amount=10_000))
        tabs = [Visitor(session), Visitor(session)]
        tabs[0].send("stored-value", number=number, pin=pin)
        for tab in tabs:
            tab.open()

        race(*(lambda tab=tab: tab.send("tenders") for tab in tabs))

        assert [tab.stage for tab in tabs] == ["paid", "paid"]
        assert row_of(book, session).order.paid_minor == 10_000
        assert any("/r/" in a["href"] for a in tabs[0].page.all("a"))
        books.assert_agree()

    def test_that_is_wrong_says_one_sentence_and_ends_guessing(self, api, book):
        _, number, pin = gift(book, 2_000)
        frozen, frozen_number, frozen_pin = gift(book, 500)
        with tenancy.within(book.pk):
            stored_value.freeze(card_id=frozen.pk, now=NOW, origin=_origin(book))
        visitor = Visitor(offer(api))
        tries = [(number, "000001"), ("9800000000000000", pin), (frozen_number, frozen_pin), ("4242424242424242", "1")]
        for one, two in tries:
            visitor.send("stored-value", number=one, pin=two)
            assert "No card that can be used here has this number and PIN." in visitor.text
        visitor.send("stored-value", number=number, pin="x")

        visitor.send("stored-value", number=number, pin=pin)

        assert "Too many tries on this page." in visitor.text
        assert not row_of(book, visitor_session(visitor, api)).order.tendered_minor

    def test_can_be_changed_and_taken_back(self, api, book):
        _, number, pin = gift(book, 2_000)
        session = offer(api, item(amount=10_000))
        visitor = Visitor(session)
        visitor.send("stored-value", number=number, pin=pin)
        tender = next(
            value
            for each in visitor.page.all("button")
            if (value := each.attributes.get("value") or "").startswith("tnd_")
        )

        visitor.send("tender", amount="5.50")
        assert "Left to payCN¥94.50" in visitor.text
        visitor.send("tender", amount="200")
        assert "That is more than is there" in visitor.text
        visitor.send("tender", amount="free")
        assert "Write an amount, such as 12.50." in visitor.text
        visitor.open()
        visitor.send("tender", drop=tender)

        assert "Left to pay" not in visitor.text
        assert row_of(book, session).order.tendered_minor == 0

    def test_that_lost_value_meanwhile_is_told_before_anything_is_charged(self, api, book, acquirer):
        _, number, pin = gift(book, 2_000)
        first, second = Visitor(offer(api, item(amount=2_000))), Visitor(offer(api, item(amount=10_000)))
        for visitor in (first, second):
            visitor.send("stored-value", number=number, pin=pin)
        second.open("?method=card")
        first.send("tenders")

        second.send("card", number=GOOD_CARD, expiry="12 / 34", cvc="123", name="Lin Mei")

        assert second.stage == "choose"
        assert "CN¥100.00" in second.text
        assert "Left to pay" not in second.text
        assert owed_to(book) == 0
        books.assert_agree()


def visitor_session(visitor, api):
    listed = api.get("checkout/sessions").json["data"]
    return next(each for each in listed if visitor.address in (each["url"] or ""))


def _origin(book):
    from tests.cast import origin_of

    return origin_of(book)


class TestOffers:
    @pytest.fixture(autouse=True)
    def with_discounts(self, settings):
        settings.CHECKOUT_DISCOUNTS = "tests.payments.web.test_split.Discounts"

    def test_are_told_with_reasons_and_stored_on_the_lines(self, api, book, payer):
        session = offer(api, item(amount=20_000), allow_promotion_codes=True)
        visitor = Visitor(session)
        assert "Buy ¥12.00 more and save ¥20" in visitor.text

        visitor.send("code", code="TEN")
        assert "You typed its code." in visitor.text
        visitor.sign_in(payer)
        assert amount_of(visitor, "wallet") == 19_000
        visitor.pay()

        assert visitor.stage == "paid"
        with tenancy.within(book.pk):
            line = OrderLine.objects.get(order_id=row_of(book, session).order_id)
        assert (line.discount_minor, line.amount_minor, payer.balance) == (1_000, 19_000, 31_000)
        assert [name for name, _ in Discounts.calls] == ["hold", "take"]
        books.assert_agree()

    def test_that_are_gone_are_told_before_anything_is_charged(self, api, book, payer):
        visitor = Visitor(offer(api, item(amount=20_000), allow_promotion_codes=True))
        visitor.sign_in(payer)
        visitor.send("code", code="TEN")
        Discounts.is_gone = True

        visitor.send("wallet")

        assert visitor.stage == "choose"
        assert "The last one is gone." in visitor.text
        assert amount_of(visitor, "wallet") == 20_000
        assert payer.balance == 50_000
        visitor.send("code", forget="TEN")
        assert "The last one is gone." not in visitor.text

    def test_are_not_guessed_on_one_page_nor_from_one_address(self, api, book):
        session = offer(api, item(amount=20_000), allow_promotion_codes=True)
        visitor = Visitor(session)
        for number in range(splitting.WRONG_CODES_MAX):
            visitor.send("code", code=f"NONE-{number}")
            assert f"No NONE-{number}." in visitor.text

        visitor.send("code", code="TEN")

        assert "Too many wrong codes on this page." in visitor.text
        assert "You typed its code." not in visitor.open().one("main").text
        # Of one address, page after page; a code that is one counts for nothing.
        others = [Visitor(offer(api, item(amount=20_000), allow_promotion_codes=True)) for _ in range(3)]
        for _ in range(splitting.GUESSES_MAX - splitting.WRONG_CODES_MAX - 1):
            with splitting.guess("127.0.0.1") as made:
                made.is_wrong = True
        others[0].send("code", code="TEN")
        others[1].send("code", code="NONE")
        # What looks nothing up takes no guess back.
        session = offer(api, item(amount=20_000), allow_promotion_codes=True)
        over = Visitor(session)
        page = over.page
        assert api.post(f"checkout/sessions/{session['id']}/expire").status == 200
        for _ in range(3):
            over.page = page
            over.send("code", forget="NONE")
        others[2].send("code", code="TEN")
        assert ["You typed its code." in each.text for each in others[:3]] == [True, False, False]
        assert "Too many tries. Wait a quarter of an hour, then try again." in others[2].text


class TestWhoseValue:
    """What a customer has is used by who proved to be them: by signing in, or to the merchant's own server."""

    @pytest.fixture
    def hers(self, book, payer, make_customer, settings):
        settings.CHECKOUT_TENDERS = {**settings.CHECKOUT_TENDERS, "points": "tests.payments.tenders.points.Points"}
        customer = make_customer(book, consumer=payer.wallet.consumer)
        with tenancy.within(book.pk):
            points.fund(customer, 2_000)
        return customer

    def offered(self, visitor):
        found = [each.attributes.get("value") or "" for each in visitor.page.all("input")]
        return sorted(each.partition(":")[0] for each in found if each.startswith(("points:", "wallet:")))

    @pytest.mark.parametrize("methods", [["wallet", "card"], ["card"]])
    def test_needs_the_customer_themselves(self, api, book, payer, make_payer, hers, acquirer, methods):
        session = offer(api, item(amount=10_000), customer=shown("cus", hers), payment_method_types=methods)
        visitor, other = Visitor(session), Visitor(session)
        assert (self.offered(visitor), "Sign in to use your points and cards" in visitor.text) == (
            [],
            "wallet" not in methods,
        )
        source = f"points:{hers.pk}"
        visitor.client.post(
            f"{visitor.path}/tender",
            {"source": source, "amount": "20", "csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value},
        )
        assert row_of(book, session).order.tendered_minor == 0

        other.sign_in(make_payer(1_000, email="somebody.else@example.com"))
        visitor.sign_in(payer)

        assert (self.offered(other), self.offered(visitor)) == (["wallet"], ["points", "wallet"])
        assert "Sign in to use your points and cards" not in visitor.text
        assert "Use another account" in visitor.text

    def test_is_lent_where_the_merchants_server_says_so(self, api, hers):
        nobody = {
            "success_url": "https://cafe.example",
            "customer_authenticated": "true",
            "mode": "payment",
            "line_items": [item()],
        }
        assert api.post("checkout/sessions", nobody).json["error"]["param"] == "customer"

        session = offer(api, item(amount=10_000), customer=shown("cus", hers), customer_authenticated="true")

        visitor = Visitor(session)
        assert session["customer_authenticated"] is True
        assert (self.offered(visitor), "Sign in to use your points" in visitor.text) == (["points"], False)


class TestJoining:
    def test_makes_a_customer_after_the_payment(self, api, book, payer, settings):
        settings.CHECKOUT_INVITATIONS = "tests.payments.web.test_split.Invitations"
        session = offer(api, customer_email="new@example.com")
        visitor = Visitor(session)
        visitor.sign_in(payer)
        assert "Join and collect points" in visitor.text

        visitor.send("wallet", join="v1")
        sweep.write_receipts(recorded=Moment(NOW, NOW).recorded)

        ((customer_id, wording),) = Invitations.joined
        with tenancy.within(book.pk):
            made = Customer.objects.get(pk=customer_id)
            intent = PaymentIntent.objects.get(customer=made)
        assert (made.email, made.consumer_id) == ("new@example.com", payer.wallet.consumer_id)
        row = row_of(book, session)
        assert (wording, row.order.customer_id, row.customer_id) == ("v1", customer_id, customer_id)
        assert row.intent_id == intent.pk
        assert "You are in" in visitor.open().one("main").text

    def test_by_a_wording_that_stood_on_no_page_is_no_yes(self, api, payer, settings):
        settings.CHECKOUT_INVITATIONS = "tests.payments.web.test_split.Invitations"
        visitor = Visitor(offer(api))
        visitor.sign_in(payer)

        visitor.send("wallet", join="v1\x00")

        assert (visitor.stage, Invitations.joined) == ("paid", [])


class TestPayer:
    def test_is_known_by_signing_in_and_the_payment_is_theirs(self, api, book, payer, make_customer, acquirer):
        known = make_customer(book, consumer=payer.wallet.consumer)
        session = offer(api)
        visitor = Visitor(session)
        visitor.sign_in(payer)
        visitor.pay_by_card(DECLINED_CARD)
        assert (row_of(book, session).order.customer_id, row_of(book, session).customer_id) == (known.pk, None)

        visitor.pay_by_card()

        (charge, _) = api.get("charges").json["data"]
        assert visitor.stage == "paid"
        assert (row_of(book, session).customer_id, charge["customer"]) == (known.pk, shown("cus", known))

    def test_is_nobody_where_another_one_only_tried(self, api, book, payer, make_customer, acquirer):
        make_customer(book, consumer=payer.wallet.consumer)
        session = offer(api)
        first, stranger = Visitor(session), Visitor(session)
        first.sign_in(payer)
        first.pay_by_card(DECLINED_CARD)

        stranger.pay_by_card()

        assert stranger.stage == "paid"
        assert (row_of(book, session).order.customer_id, row_of(book, session).customer_id) == (None, None)


def test_points_a_gift_card_and_a_card_at_once_and_a_part_back(api, book, merchant, make_customer, acquirer, settings):
    """Through the doors: the payer's page, then the dashboard's refund of a part, to the unit."""
    settings.CHECKOUT_TENDERS = {**settings.CHECKOUT_TENDERS, "points": "tests.payments.tenders.points.Points"}
    customer = make_customer(book)
    with tenancy.within(book.pk):
        points.fund(customer, 2_050)
    card, number, pin = gift(book, 3_000, 500)
    known = {"customer": shown("cus", customer), "customer_authenticated": "true"}
    session = offer(api, item("Latte", 6_000, quantity=2), **known)
    visitor = Visitor(session)
    visitor.send("stored-value", number=number, pin=pin)
    visitor.open()
    points_form = next(
        form
        for form in visitor.page.all("form")
        if any(
            field.attributes.get("value") == f"points:{customer.pk}" and form in field.ancestors
            for field in visitor.page.all("input")
        )
    )
    visitor.client.post(
        points_form["action"],
        {
            "source": f"points:{customer.pk}",
            "amount": "20",
            "csrfmiddlewaretoken": visitor.client.cookies["csrftoken"].value,
        },
    )
    visitor.open("?method=card")
    assert amount_of(visitor, "card") == 12_000 - 3_500 - 2_000
    visitor.pay_by_card()
    assert visitor.stage == "paid"

    order = session["order"]
    desk = signed_in(make_staff(merchant, "owner"))
    at = "/dashboard/cafe/test"
    page = desk.get(f"{at}/orders/{order}").content.decode()
    assert state_of(desk, f"{at}/orders/{order}") == "Paid"
    assert [text in page for text in ("Points", f"•••• {number[-4:]}", "•••• 4242")] == [True] * 3
    payment = api.get(f"checkout/sessions/{session['id']}").json["payment_intent"]
    sent = desk.get(f"{at}/payments/{payment}/refund")
    assert (sent.status_code, sent["Location"]) == (302, f"{at}/orders/{order}/refund")
    assert f"•••• {number[-4:]}" in desk.get(f"{at}/payments/{payment}").content.decode()

    form = desk.get(f"{at}/orders/{order}/refund").content.decode()
    token = re.search(r'name="token" value="([0-9a-f-]+)"', form)[1]
    address = f"{at}/orders/{order}/refund/confirm?by=amount&amount=80.00&reason=&token={token}"
    with books.unchanged():
        asked = desk.get(address).content.decode()
    assert [text in asked for text in ("CN¥65.00", "CN¥15.00")] == [True, True]
    for _ in range(2):
        assert desk.post(address, {"token": token}).status_code == 302

    assert on_card(book, card) == (1_000, 500)
    with tenancy.within(book.pk):
        assert points.balance(customer.pk) == 50
    found = api.get(f"orders/{order}").json
    assert (found["amount_refunded"], found["amount_tendered"]) == (8_000, 5_500)
    assert state_of(desk, f"{at}/orders/{order}") == "Partly refunded"
    rest = api.post(f"orders/{order}/refund", {}, idempotency_key="once")
    again = api.post(f"orders/{order}/refund", {}, idempotency_key="once")
    assert rest.status == 200, rest.json
    assert (rest.json, rest.json["amount"]) == (again.json, 4_000)
    assert [each["units"] for each in rest.json["tender_refunds"]] == [None, 2_000]
    assert state_of(desk, f"{at}/orders/{order}") == "Refunded"
    assert on_card(book, card) == (3_000, 500)
    assert api.get(f"orders/{order}/tenders").json["data"][0]["amount_refunded"] == 2_000
    books.assert_agree()


def state_of(desk, address):
    """What the badge beside an order's amount says."""
    return re.search(r'<h1>.*?<span class="badge [a-z-]+">([^<]+)<', desk.get(address).content.decode(), re.S)[1]


def test_a_card_is_kept_by_staff(api, book, merchant, live_book):
    desk = signed_in(make_staff(merchant, "owner"))
    at = "/dashboard/cafe/test/stored-value"
    assert "No cards yet" in desk.get(at).content.decode()
    once = re.search(r'name="once" value="([^"]+)"', desk.get(f"{at}/new").content.decode())[1]
    terms = {"kind": "stored", "amount": "300", "bonus": "30", "once": once}

    made = desk.post(f"{at}/new", terms)
    again = desk.post(f"{at}/new", terms)

    (card,) = api.get("stored_value_cards").json["data"]
    assert (made.status_code, again.status_code, card["balance"]["available"]) == (200, 303, 33_000)
    number = re.search(r"<code>(98[\d ]+)</code>", made.content.decode())[1]
    assert number[-4:] == card["last4"]
    page = f"{at}/{card['id']}"
    assert "CN¥330.00" in desk.get(page).content.decode()
    desk.post(f"{page}/load", {"amount": "1", "bonus": "", "once": "A" * 22})
    desk.post(f"{page}/switch", {"frozen": "true", "once": "B" * 22})
    assert "Unfreeze" in desk.get(page).content.decode()
    assert (
        "Fill this in" not in desk.post(f"{page}/load", {"amount": "x", "bonus": "", "once": "C" * 22}).content.decode()
    )
    pin = desk.post(f"{page}/pin", {"once": "D" * 22}).content.decode()
    assert re.search(r"<code>\d{6}</code>", pin)
    assert card["last4"] in desk.get(f"{at}?q={card['last4']}").content.decode()
    assert desk.get(page.replace("/test/", "/")).status_code == 404
    cashier = signed_in(make_staff(merchant, "cashier"))
    assert cashier.get(page).status_code == 200
    with books.unchanged():
        assert cashier.post(f"{page}/load", {"amount": "1", "bonus": "", "once": "E" * 22}).status_code == 403
    assert ids.parse("svc", card["id"])
    books.assert_agree()
