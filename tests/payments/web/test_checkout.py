"""The checkout page without JavaScript: who pays, what they are told, and what nobody can do."""

from datetime import timedelta
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.db import connections, transaction
from django.test import Client

from merchant_platform.kernel import clock, tenancy
from payments.catalog.models import Price
from payments.checkout import operations, paying, sweep
from payments.checkout.moments import Moment
from payments.intents import provider_road
from payments.receipts.models import Receipt
from payments.web import presence
from tests.cast import NOW, move_clock, origin_of, owed_to, race
from tests.payers import CHALLENGE_CARD, DECLINED_CARD, Visitor, item, offer, row_of
from tests.payments import books
from tests.payments.tenders.acts import Payer

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A5")]


def events(api, kind):
    return [each["data"]["object"] for each in api.get("events", {"type": kind}).json["data"]]


class TestOrder:
    @pytest.mark.parametrize("way", ["card", "wallet"])
    def test_that_the_merchant_has_paid_otherwise_in_part_is_not_charged(self, api, book, way, payer, acquirer):
        session = offer(api, item(amount=10_000))
        visitor = Visitor(session)
        visitor.sign_in(payer)
        taken = api.post(
            "payment_intents",
            {"amount": 4_000, "currency": "cny", "payment_details": {"order_reference": session["order"]}},
        )

        visitor.pay_by_card() if way == "card" else visitor.pay()

        row = row_of(book, session)
        assert (taken.status, visitor.stage, row.intent, row.order.paid_minor) == (200, "choose", None, 0)
        assert payer.balance == 50_000


class TestWallet:
    @pytest.mark.requirement("B33")
    def test_pays_once_for_what_was_shown(self, api, book, payer):
        session = offer(api)
        visitor = Visitor(session)

        visitor.sign_in(payer)
        asked = visitor.text
        visitor.pay()

        assert "lin.mei@example.com" in asked
        assert "CN¥500.00" in asked
        assert visitor.stage == "paid"
        assert payer.balance == 50_000 - 18_600
        paid = api.get(f"checkout/sessions/{session['id']}").json
        assert (paid["status"], paid["payment_status"], paid["url"]) == ("complete", "paid", None)
        intent = api.get(f"payment_intents/{paid['payment_intent']}").json
        assert (intent["status"], intent["amount_received"], intent["order"]) == ("succeeded", 18_600, session["order"])
        assert [each["id"] for each in events(api, "checkout.session.completed")] == [session["id"]]
        row = row_of(book, session)
        assert (row.opened_at, row.method_chosen_at, row.authenticated_at, row.paid_at) == (NOW,) * 4
        assert (
            row.opened_recorded_at
            <= row.method_chosen_recorded_at
            <= row.authenticated_recorded_at
            <= row.paid_recorded_at
        )
        assert row.method_chosen == "wallet"
        books.assert_agree()

    def test_leaves_nothing_of_the_sign_in_behind(self, api, payer):
        visitor = Visitor(offer(api))
        visitor.sign_in(payer)
        kept = visitor.client.cookies[presence.COOKIE]
        assert (kept["path"], kept["httponly"], kept["samesite"]) == (visitor.path, True, "Strict")
        assert "sessionid" not in visitor.client.cookies

        visitor.pay()

        assert visitor.client.cookies[presence.COOKIE].value == ""

    def test_is_a_mandate_for_this_payment_alone(self, api, payer):
        session = offer(api)
        visitor = Visitor(session)
        visitor.sign_in(payer)
        visitor.pay()
        intent = api.get(f"checkout/sessions/{session['id']}", {"expand": ["payment_intent"]}).json["payment_intent"]

        again = api.post(
            "payment_intents",
            {"amount": 100, "currency": "cny", "payment_method": intent["payment_method"], "confirm": True},
        )

        assert (again.status, again.error["decline_code"]) == (402, "mandate_revoked")
        assert payer.balance == 50_000 - 18_600

    def test_says_what_is_missing(self, api, make_payer):
        poor = make_payer(100)
        visitor = Visitor(offer(api))

        visitor.sign_in(poor)

        assert "Your wallet does not hold enough" in visitor.text
        assert [form["action"] for form in visitor.page.all("form") if form["action"].endswith("/wallet")] == []

    def test_is_declined_in_words_and_can_be_mended(self, api, book, make_payer):
        poor = make_payer(18_600)
        visitor, other = Visitor(offer(api)), Visitor(offer(api))
        visitor.sign_in(poor)
        other.sign_in(poor)
        other.pay()

        visitor.pay()

        assert visitor.stage == "choose"
        assert "There is not enough money for this payment. Top up, or pay in another way." in visitor.text
        assert poor.balance == 0
        books.assert_agree()

    def test_needs_a_wallet_in_the_currency(self, api, make_payer):
        visitor = Visitor(offer(api))

        visitor.sign_in(make_payer(None))

        assert "You have no wallet in CNY" in visitor.text

    def test_two_tabs_pay_once(self, api, book, payer):
        session = offer(api)
        tabs = [Visitor(session), Visitor(session)]
        for tab in tabs:
            tab.sign_in(payer)

        race(*(tab.pay for tab in tabs))

        assert [tab.stage for tab in tabs] == ["paid", "paid"]
        assert payer.balance == 50_000 - 18_600
        assert len(events(api, "checkout.session.completed")) == 1
        assert len(events(api, "charge.succeeded")) == 1
        books.assert_agree()


class TestSignIn:
    def test_refuses_a_wrong_password_in_one_sentence_for_all(self, api, payer):
        visitor = Visitor(offer(api))

        visitor.sign_in(payer, "wrong")
        known = visitor.text
        visitor.send("sign-in", email="nobody@example.com", password="wrong")

        assert "The e-mail address or the password is wrong." in known
        assert "The e-mail address or the password is wrong." in visitor.text
        assert presence.COOKIE not in visitor.client.cookies

    def test_ends_guessing_on_a_page(self, api, payer):
        session = offer(api)
        visitor = Visitor(session)
        for _ in range(operations.SIGN_INS_MAX):
            visitor.sign_in(payer, "wrong")

        visitor.sign_in(payer)

        assert "Too many tries on this page." in visitor.text
        assert presence.COOKIE not in visitor.client.cookies

    def test_ends_guessing_over_many_pages(self, api, payer):
        for _ in range(5):
            visitor = Visitor(offer(api))
            visitor.sign_in(payer, "wrong")
            visitor.sign_in(payer, "wrong")

        visitor = Visitor(offer(api))
        visitor.sign_in(payer)

        assert "Too many tries. Wait a quarter of an hour, then try again." in visitor.text

    def test_counts_for_its_own_session_alone(self, api, payer):
        first, second = offer(api), offer(api)
        visitor = Visitor(first)
        visitor.sign_in(payer)
        stolen = visitor.client.cookies[presence.COOKIE].value
        other = Visitor(second)
        other.client.cookies[presence.COOKIE] = stolen

        other.open()

        assert "E-mail address of your wallet" in other.text

    def test_ends_with_a_new_password(self, api, payer):
        visitor = Visitor(offer(api))
        visitor.sign_in(payer)
        user = payer.wallet.consumer.user
        user.set_password("another")
        user.save()

        visitor.pay()

        assert visitor.stage == "choose"
        assert payer.balance == 50_000


class TestPrice:
    @pytest.fixture
    def espresso(self, api):
        product = api.post("products", {"name": "Espresso"}).json
        return api.post("prices", {"product": product["id"], "currency": "cny", "unit_amount": 1_800}).json

    def change(self, book, **columns):
        with tenancy.within(book.pk):
            Price.objects.update(**columns)

    def test_that_changed_is_told_before_it_is_charged(self, api, book, payer, espresso):
        session = offer(api, {"price": espresso["id"], "quantity": 2})
        visitor = Visitor(session)
        visitor.sign_in(payer)
        self.change(book, unit_amount_minor=2_000)

        visitor.pay()
        told, untouched = visitor.text, payer.balance
        visitor.pay()

        assert "It was CN¥36.00 and is CN¥40.00 now. Nothing was charged." in told
        assert untouched == 50_000
        assert (visitor.stage, payer.balance) == ("paid", 46_000)
        assert api.get(f"checkout/sessions/{session['id']}").json["amount_total"] == 4_000
        books.assert_agree()

    def test_that_is_sold_no_more_ends_the_paying(self, api, book, payer, espresso):
        session = offer(api, {"price": espresso["id"]})
        visitor = Visitor(session)
        visitor.sign_in(payer)
        self.change(book, is_active=False)

        visitor.pay()

        assert visitor.stage == "unavailable"
        assert payer.balance == 50_000

    def test_cannot_be_chosen_by_the_browser(self, api, payer):
        visitor = Visitor(offer(api))
        visitor.sign_in(payer)

        visitor.send("wallet", amount="1")

        assert (visitor.stage, payer.balance) == ("choose", 50_000)


class TestEnd:
    def test_of_time_is_told(self, api, book, payer):
        visitor = Visitor(offer(api))
        visitor.sign_in(payer)
        move_clock(book, NOW + timedelta(hours=24))

        visitor.pay()

        assert visitor.stage == "expired"
        assert payer.balance == 50_000

    def test_by_the_merchant_is_told(self, api, payer):
        session = offer(api)
        visitor = Visitor(session)
        visitor.sign_in(payer)
        api.post(f"checkout/sessions/{session['id']}/expire")

        visitor.pay()

        assert visitor.stage == "canceled"
        assert payer.balance == 50_000

    def test_leads_back_to_the_merchant_alone(self, api, payer):
        session = offer(api)
        visitor = Visitor(session)
        visitor.open("?success_url=https://evil.example/&next=https://evil.example/")
        visitor.sign_in(payer)
        visitor.pay()

        outside = {link["href"] for link in visitor.page.all("a") if link["href"].startswith("http")}

        assert outside == {f"https://cafe.example/thanks?session={session['id']}"}

    def test_comes_by_the_sweep_where_nobody_looks(self, api, book):
        session = offer(api)
        move_clock(book, NOW + timedelta(hours=24))

        assert sweep.look_after_due(recorded=clock.wall()) == 1
        assert sweep.look_after_due(recorded=clock.wall()) == 0
        assert row_of(book, session).status == "expired"
        assert [each["id"] for each in events(api, "checkout.session.expired")] == [session["id"]]


@pytest.mark.requirement("A40")
class TestCard:
    def test_pays(self, api, book, acquirer):
        session = offer(api)
        visitor = Visitor(session)

        visitor.pay_by_card()

        assert visitor.stage == "paid"
        paid = api.get(f"checkout/sessions/{session['id']}", {"expand": ["payment_intent"]}).json
        assert (paid["status"], paid["payment_intent"]["amount_received"]) == ("complete", 18_600)
        assert row_of(book, session).method_chosen == "card"
        with tenancy.within(book.pk):
            assert Receipt.objects.count() == 1
        books.assert_agree()

    def test_is_declined_in_words_and_can_be_mended(self, api, acquirer):
        visitor = Visitor(offer(api))

        visitor.pay_by_card(DECLINED_CARD)
        declined = (visitor.stage, visitor.text)
        visitor.pay_by_card()

        assert declined[0] == "choose"
        assert "Your bank did not approve this payment." in declined[1]
        assert visitor.stage == "paid"

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"number": "4242424242424241"}, "This card number is not a valid one."),
            ({"expiry": "13 / 30"}, "Write month and year"),
            ({"expiry": "01 / 20"}, "This card has expired."),
            ({"cvc": "1"}, "The security code has three or four digits."),
        ],
    )
    def test_says_what_was_mistyped_and_repeats_no_digit(self, api, typed, words):
        visitor = Visitor(offer(api))

        visitor.pay_by_card(**typed)

        assert words in visitor.text
        fields = {field["name"]: field.attributes.get("value") for field in visitor.page.all("input")}
        assert (fields["number"], fields["cvc"], fields["expiry"], fields["name"]) == (None, None, None, "Lin Mei")

    def test_is_confirmed_at_the_bank(self, api, book, acquirer):
        session = offer(api)
        visitor = Visitor(session)
        visitor.pay_by_card(CHALLENGE_CARD)
        assert visitor.stage == "challenge"
        bank = next(link["href"] for link in visitor.page.all("a") if "/sandbox/challenge/" in link["href"])

        back = visitor.client.post(urlsplit(bank).path, {"choice": "approve"})
        returned = visitor.client.get(urlsplit(back["Location"]).path)
        visitor.open()

        assert returned.status_code == 303
        assert visitor.stage == "paid"
        row = row_of(book, session)
        assert row.authenticated_at == NOW

    def test_whose_bank_asks_while_the_page_looks_was_confirmed_all_the_same(self, api, book, acquirer, monkeypatch):
        """The intent is read as processing; its attempt, a moment later, as one that the payer confirms."""
        session = offer(api)
        acquirer.fail("timeout_after_commit", operation="authorise")
        Payer(book, session).pay_by_card(CHALLENGE_CARD)
        acquirer.heal()
        around = {"mode": "test", "now": NOW, "origin": origin_of(book)}

        def read(intent):
            race(lambda: provider_road.look(intent_id=intent.pk, book_id=book.pk, **around))
            return provider_road.under_way(intent)

        def look_at(intent, attempt, **rest):
            Client().post(urlsplit(attempt.challenge_url).path, {"choice": "approve"})
            return provider_road.look_at(intent, attempt, **rest)

        monkeypatch.setattr(paying, "provider_road", SimpleNamespace(under_way=read, look_at=look_at))
        paying.ask_provider(
            session_id=row_of(book, session).pk,
            book_id=book.pk,
            mode="test",
            moment=Moment(NOW, NOW),
            origin=origin_of(book),
            is_back=True,
        )

        row = row_of(book, session)
        assert (row.intent.status, row.authenticated_at) == ("succeeded", NOW)

    def test_of_an_unknown_outcome_is_never_called_failed(self, api, acquirer):
        acquirer.fail("timeout_after_commit", operation="authorise")
        visitor = Visitor(offer(api))

        visitor.pay_by_card()
        acquirer.heal()

        assert visitor.stage in ("processing", "paid")
        assert "not" not in visitor.page.one("h2").text
        visitor.open()

    def test_keeps_no_digits_in_the_session(self, api, book, acquirer):
        session = offer(api)
        visitor = Visitor(session)
        visitor.pay_by_card()

        stored = str(vars(row_of(book, session)))

        assert "4242" not in stored


class TestDoor:
    def test_opens_to_nobody_who_guesses(self, api):
        session = offer(api)
        code = session["url"].rpartition("/")[2]

        addresses = [code[:-1], code + "a", code.swapcase(), "0" * 22, "é" * 22, session["id"], "%00"]
        assert [Client().get(f"/pay/{each}").status_code for each in addresses] == [404] * 7
        assert [Client().get(f"/r/{each}").status_code for each in [code, *addresses]] == [404] * 8

    def test_takes_no_form_of_another_site(self, api, payer):
        visitor = Visitor(offer(api))
        visitor.sign_in(payer)

        refused = [
            visitor.client.post(f"{visitor.path}/{action}", {"amount": "18600"}).status_code
            for action in ("sign-in", "sign-out", "wallet", "card")
        ]

        assert refused == [403] * 4
        assert payer.balance == 50_000

    def test_is_framed_cached_and_indexed_by_nobody(self, api):
        visitor = Visitor(offer(api))

        headers = visitor.client.get(visitor.path).headers

        assert headers["X-Frame-Options"] == "DENY"
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy == {
            "default-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'self'",
            "frame-ancestors": "'none'",
            "object-src": "'none'",
        }
        assert "no-store" in headers["Cache-Control"]
        assert headers["X-Robots-Tag"] == "noindex"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]

    def test_does_not_write_by_get(self, api, payer):
        visitor = Visitor(offer(api))

        statuses = [visitor.client.get(f"{visitor.path}/{name}").status_code for name in ("sign-in", "wallet", "card")]

        assert statuses == [405] * 3

    def test_escapes_what_a_merchant_named(self, api):
        visitor = Visitor(offer(api, item("<script>alert(1)</script>")))

        assert "<script>alert(1)</script>" in visitor.text
        assert [script.text for script in visitor.page.all("script")] == ["", ""]

    def test_counts_an_opening_once(self, api, book):
        session = offer(api)
        visitor = Visitor(session)
        move_clock(book, NOW + timedelta(minutes=5))
        visitor.open()

        assert row_of(book, session).opened_at == NOW


class TestStage:
    def test_says_nothing_while_nothing_changes(self, api):
        visitor = Visitor(offer(api))

        same = visitor.client.get(f"{visitor.path}/stage?stage=choose")

        assert (same.status_code, same.content) == (204, b"")

    def test_brings_the_new_stage(self, api, payer):
        session = offer(api)
        watching, paying = Visitor(session), Visitor(session)
        paying.sign_in(payer)
        paying.pay()

        moved = watching.client.get(f"{watching.path}/stage?stage=choose")

        assert moved.status_code == 200
        assert "Payment successful" in moved.content.decode()
        assert "<html" not in moved.content.decode()


class TestLanguage:
    @pytest.mark.parametrize(
        ("locale", "accepted", "spoken"),
        [("zh", "en", "zh-hans"), ("en", "zh-CN", "en"), ("auto", "zh-CN", "zh-hans"), ("fr", "zh-CN", "zh-hans")],
    )
    def test_is_the_sessions_else_the_browsers(self, api, locale, accepted, spoken):
        visitor = Visitor(offer(api, locale=locale), language=accepted)

        assert visitor.page.one("html")["lang"] == spoken


def test_the_merchant_is_owed_what_was_paid(api, book, payer):
    visitor = Visitor(offer(api))
    visitor.sign_in(payer)
    visitor.pay()

    assert owed_to(book) == 18_600 - 71


class TestBusy:
    def test_tells_the_payer_where_somebody_else_is_at_work_on_the_order(self, api, book, payer):
        session = offer(api)
        visitor = Visitor(session)
        visitor.sign_in(payer)
        locked = row_of(book, session)

        with transaction.atomic(using="platform"), connections["platform"].cursor() as other:
            other.execute("SELECT 1 FROM payments_checkoutsession WHERE id = %s FOR UPDATE", [locked.pk])
            with connections["default"].cursor() as cursor:
                cursor.execute("SET lock_timeout = '50ms'")
            visitor.send("wallet")
        with connections["default"].cursor() as cursor:
            cursor.execute("RESET lock_timeout")

        assert visitor.stage == "choose"
        assert "That took too long" in visitor.text
        assert (payer.balance, owed_to(book)) == (50_000, 0)
        visitor.pay()
        assert (visitor.stage, payer.balance) == ("paid", 50_000 - 18_600)
