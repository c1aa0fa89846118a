"""The wallet through its doors: what is one's own, nothing of anybody else's, and never on somebody's work session."""

import re
from urllib.parse import urlsplit

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.staticfiles import finders
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from members.web.wallet import urls
from merchant_platform.kernel import clock, ids, tenancy
from payments.customers import operations as customers
from payments.customers.models import PaymentMethod
from payments.intents.operations import Terms
from payments.ledger import queries as ledger
from payments.payment_codes import operations as codes
from payments.providers import port
from payments.wallets import operations as wallets
from payments.wallets.models import Consumer, TopUp, Wallet
from security.identity.models import User
from security.privacy import queries as privacy
from security.web import sides
from tests.cast import NOW, origin_of
from tests.members.web.browsing import top_up_form
from tests.payments import books
from tests.staff import make_staff, sign_in, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A1")]

CHALLENGED = "4000002760003184"
# Statements a page, the session and its login among them; none of them grows with what happened.
COUNTS = {"": 25, "history": 9, "assets": 15, "me/merchants": 14}


@pytest.fixture
def client(payer):
    """The browser of a consumer with ¥500.00, signed in with a password alone."""
    return sign_in(User.objects.get(email=payer.email), factor=None)


@pytest.fixture
def link(book, payer, make_customer):
    """Makes the consumer a customer of the café's, who may take up to ¥20.00."""

    def make():
        customer = make_customer(book, consumer=payer.wallet.consumer)
        with tenancy.within(book.pk):
            mandate = wallets.give_mandate(wallet=payer.wallet, limit_minor=2_000, now=NOW)
            method = customers.save_wallet(customer=customer, mandate=mandate, now=NOW, origin=origin_of(book))
        return customer, method

    return make


@pytest.fixture
def stranger(make_payer):
    """Another consumer's browser."""
    other = make_payer(1_000, email="stranger@example.com")
    return sign_in(User.objects.get(email=other.email), factor=None)


def text(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


class TestPages:
    def test_show_what_is_ones_own(self, client, payer, link):
        link()
        pages = {
            "": "CN¥500.00",
            "history": "Top-up",
            "top-up": "From CN¥1.00 to CN¥5,000.00 at once",
            "code": "A code that a till reads",
            "cards": "No cards yet",
            "assets": "CN¥500.00",
            "me": payer.email,
            "me/devices": "Devices and sessions",
            "me/merchants": "Up to CN¥20.00 a payment",
        }

        for page, words in pages.items():
            response = client.get(f"/wallet/test/{page}")
            assert (response.status_code, words in text(response)) == (200, True), page
            assert "no-store" in response["Cache-Control"]

    def test_ask_little_of_the_database(self, client, link):
        link()
        client.get("/wallet/test/")
        asked = {}
        for page in ("", "history", "assets", "me/merchants"):
            with CaptureQueriesContext(connections["default"]) as seen:
                client.get(f"/wallet/test/{page}")
            asked[page] = len([each for each in seen if "SAVEPOINT" not in each["sql"]])

        assert asked == COUNTS

    def test_lead_who_is_signed_out_to_the_front_and_on_to_the_sign_in(self, platform):
        browser = Client()

        response = browser.get("/wallet/test/assets", follow=True)
        (entrance,) = set(re.findall(r'action="(/accounts/side/[^"]+)"', response.content.decode()))
        onward = browser.post(entrance.replace("&amp;", "&"))

        assert "Open a wallet with a passkey" in text(response)
        assert onward["Location"] == "/accounts/login/?next=%2Fwallet%2Ftest%2Fassets"

    def test_open_a_wallet_once(self, platform):
        browser = sign_in(User.objects.create_user("new@example.com"), factor=None)

        front = browser.get("/wallet/test/")
        for _ in range(2):
            browser.post("/wallet/test/open", {"currency": "CNY"})

        assert front["Location"] == "/wallet/test/open"
        assert browser.get("/wallet/test/").status_code == 200
        assert (Consumer.objects.count(), Wallet.objects.count()) == (1, 1)
        assert browser.get("/wallet/")["Location"] == "/wallet/open"


class TestSides:
    def test_a_session_of_work_spends_nothing_of_the_same_persons(self, merchant, payer):
        staff = make_staff(merchant, "owner", user=User.objects.get(email=payer.email))
        at_work = signed_in(staff)

        with books.unchanged():
            for page in ("", "code", "me/merchants"):
                response = at_work.get(f"/wallet/test/{page}")
                assert response["Location"].startswith("/accounts/side/?next=%2Fwallet%2Ftest")
            assert at_work.post("/wallet/test/code/fresh")["Location"].startswith("/accounts/side/")

    def test_a_session_of_the_wallet_opens_no_desk(self, merchant, payer):
        staff = make_staff(merchant, "owner", user=User.objects.get(email=payer.email))
        browser = signed_in(staff)
        session = browser.session
        session[sides.SIDE] = sides.WALLET
        session.save()

        assert browser.get("/wallet/test/").status_code == 200
        refused = browser.get(f"/dashboard/{merchant.slug}/test/payments")
        assert refused["Location"].startswith("/accounts/side/?next=%2Fdashboard")

    def test_change_by_signing_in_anew(self, merchant, payer):
        staff = make_staff(merchant, "owner", user=User.objects.get(email=payer.email))
        browser = signed_in(staff)

        asked = browser.get("/accounts/side/?next=/wallet/test/")
        gone = browser.post("/accounts/side/?next=/wallet/test/")

        assert "You are signed in for work" in text(asked)
        assert gone["Location"] == "/accounts/login/?next=%2Fwallet%2Ftest%2F"
        assert "_auth_user_id" not in browser.session
        assert browser.session[sides.SIDE] == sides.WALLET


class TestAnothersThings:
    def test_are_404_and_stay_as_they_are(self, client, stranger, payer, link, acquirer):
        customer, method = link()
        client.post("/wallet/test/top-up", top_up_form(client, keeps="on"))
        client.post("/wallet/test/code/fresh", {"wallet": ids.show("wal", payer.wallet.pk)})
        top_up = ids.show("top", TopUp.objects.using("owner").get().pk)
        card = ids.show("pm", PaymentMethod.objects.using("owner").get(type="card").pk)
        wallet = ids.show("wal", payer.wallet.pk)
        session = UserSession.objects.create(
            user=User.objects.get(email=payer.email), ip="203.0.113.9", session_key="k", user_agent="Phone"
        )
        stranger.get("/wallet/test/")

        with books.unchanged():
            for page in (f"?wallet={wallet}", f"history?wallet={wallet}", f"top-up?wallet={wallet}",
                         f"code?wallet={wallet}", f"top-up/{top_up}", f"top-up/{top_up}/return",
                         f"cards/{ids.show('bk', customer.book_id)}/pass"):  # fmt: skip
                assert stranger.get(f"/wallet/test/{page}").status_code == 404, page
            said = {"purpose": "marketing", "answer": "yes"}
            for act in (f"top-up/{top_up}/give-up", f"saved-cards/{card}/forget", f"me/devices/{session.pk}/end",
                        f"me/merchants/{ids.show('cus', customer.pk)}/consent"):  # fmt: skip
                assert stranger.post(f"/wallet/test/{act}", said).status_code == 404, act
            assert stranger.post("/wallet/test/code/fresh", {"wallet": wallet}).status_code == 404
            stranger.post(f"/wallet/test/me/permissions/{ids.show('pm', method.pk)}/revoke")
            stolen = {**top_up_form(stranger), "means": card}
            assert stranger.post("/wallet/test/top-up", stolen).status_code == 404

    @pytest.mark.parametrize("name", ["top_x", "top_" + "z" * 22, "pm_1", "%00", "a" * 300])
    def test_that_never_were_are_404(self, client, acquirer, name):
        for page in (f"top-up/{name}", f"cards/{name}/pass"):
            assert client.get(f"/wallet/test/{page}").status_code == 404
        assert client.post(f"/wallet/test/saved-cards/{name}/forget").status_code == 404


class TestTopUp:
    def test_by_the_form_lands_once_however_often_it_is_sent(self, client, payer, acquirer):
        form = top_up_form(client)

        first, again = (client.post("/wallet/test/top-up", form) for _ in range(2))

        assert (first.status_code, first["Location"]) == (303, again["Location"])
        assert "Topped up" in text(client.get(first["Location"]))
        assert payer.balance == 60_000
        assert ">CN¥100.00<" in text(client.get("/wallet/test/history"))

    def test_goes_to_the_bank_and_comes_back_topped_up(self, client, payer, acquirer):
        begun = client.post("/wallet/test/top-up", top_up_form(client, number=CHALLENGED))["Location"]
        token = re.search(r"/sandbox/challenge/([\w-]+)", text(client.get(begun)))[1]

        back = urlsplit(port.find("sandbox").answer_challenge(token, choice="approve")).path

        assert back == f"{begun}/return"
        assert "Topped up" in text(client.get(back, follow=True))
        assert payer.balance == 60_000

    def test_goes_to_the_bank_and_may_be_given_up_there(self, client, payer, acquirer):
        begun = client.post("/wallet/test/top-up", top_up_form(client, number=CHALLENGED))["Location"]

        asked = text(client.get(begun))
        client.post(f"{begun}/give-up")
        after = text(client.get(begun))

        assert ("Confirm with your bank" in asked, "Not topped up" in after) == (True, True)
        assert payer.balance == 50_000

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"amount": "0.5"}, "An amount from CN¥1.00 to CN¥5,000.00."),
            ({"amount": "many"}, "Write an amount"),
            ({"amount": "9" * 24}, "Write an amount"),
            ({"number": "4242424242424241"}, "not a valid one"),
            ({"once": "x"}, "Top up"),
            ({"cvc": "\x00"}, "Top up"),
        ],
    )
    def test_says_what_is_wrong_and_does_nothing(self, client, acquirer, typed, words):
        form = top_up_form(client, **typed)

        with books.unchanged():
            response = client.post("/wallet/test/top-up", form)

        assert (response.status_code, words in text(response)) == (200, True)
        assert "4242424242424242" not in text(response)


class TestCode:
    def test_is_drawn_paid_by_and_told(self, client, payer, book):
        fresh = client.post("/wallet/test/code/fresh", headers={"HX-Request": "true"}).content.decode()
        code = re.sub(r"\D", "", re.search(r"wallet-code-digits[^>]*>([^<]+)<", fresh)[1])
        address = re.search(r'hx-get="([^"]+)"', fresh)[1]
        before = client.get(address)
        with tenancy.within(book.pk):
            codes.pay(
                code=code,
                terms_=Terms(amount_minor=1_200, currency="CNY"),
                now=NOW,
                recorded=clock.wall(),
                origin=origin_of(book),
            )
        after = client.get(address)

        assert (before.status_code, len(code), "<svg" in fresh, " style=" in fresh) == (204, 18, True, False)
        assert ("¥12.00" in text(after), "Café Moka" in text(after)) == (True, True)
        assert payer.balance == 48_800


@pytest.mark.requirement("A25")
class TestConsents:
    def test_are_given_and_withdrawn_by_one_press_each(self, client, book, link):
        customer, _ = link()
        address = f"/wallet/test/me/merchants/{ids.show('cus', customer.pk)}/consent"

        allowed = []
        for answer in ("yes", "yes", "no", "no"):
            client.post(address, {"purpose": "marketing", "answer": answer})
            with tenancy.within(book.pk):
                allowed.append(privacy.allows(customer.pk, "marketing"))

        assert allowed == [True, True, False, False]
        assert books.counts()["security_consent"] == 1

    def test_of_no_purpose_or_no_answer_are_404(self, client, link):
        customer, _ = link()
        client.get("/wallet/test/")
        address = f"/wallet/test/me/merchants/{ids.show('cus', customer.pk)}/consent"

        with books.unchanged():
            for said in ({"purpose": "x", "answer": "yes"}, {"purpose": "marketing", "answer": "x"}, {}):
                assert client.post(address, said).status_code == 404


class TestPermissions:
    def test_are_withdrawn_and_the_merchant_cannot_take_any_more(self, client, api, link):
        _, method = link()
        shown = ids.show("pm", method.pk)

        for _ in range(2):
            client.post(f"/wallet/test/me/permissions/{shown}/revoke")
        taken = api.post(
            "payment_intents",
            {"amount": 500, "currency": "cny", "payment_method": shown, "confirm": True, "off_session": True},
        )

        assert "Nobody. Each payment asks you." in text(client.get("/wallet/test/me/merchants"))
        assert (taken.status, taken.error["code"]) == (400, "payment_method_unexpected_state")


class TestHistory:
    def test_is_read_page_by_page_and_misses_nothing(self, client, payer, monkeypatch):
        monkeypatch.setattr("members.web.wallet.movements.PAGE", 2)
        for number in range(4):
            wallets.top_up(wallet=payer.wallet, amount_minor=100 + number, reference=f"t{number}", now=NOW)
        seen, page = [], "/wallet/test/history"
        while page:
            shown = client.get(page).content.decode()
            seen.append(re.findall(r'class="amount">CN¥([0-9.]+)<', shown))
            older = re.search(r'href="([^"]+)" rel="next"', shown)
            page = "/wallet/test/history" + older[1].replace("&amp;", "&") if older else ""

        assert seen == [["1.03", "1.02"], ["1.01", "1.00"], ["500.00"]]

    @pytest.mark.parametrize("before", ["x", "1_tr_x", "9" * 30, f"1_tr_{'z' * 22}", "%00"])
    def test_begins_anew_where_the_cursor_is_none(self, client, before):
        response = client.get("/wallet/test/history", {"before": before})

        assert (response.status_code, "CN¥500.00" in text(response)) == (200, True)


@pytest.mark.requirement("A9")
class TestAssets:
    def test_tie_to_the_ledger_by_unit(self, client, payer):
        wallets.open_for(user_id=payer.wallet.consumer.user_id, currency="EUR", mode="test", now=NOW)

        page = re.sub(r"<[^>]+>", " ", text(client.get("/wallet/test/assets")))

        held = {each.currency: ledger.guarded(each.account).posted_minor for each in Wallet.objects.all()}
        assert held == {"CNY": 50_000, "EUR": 0}
        assert re.search(r"CNY\s+CN¥500.00\s+EUR\s+€0.00", page)


class TestInstalling:
    def test_keeps_the_frame_and_nothing_of_anybodys(self, platform):
        browser = Client()

        manifest = browser.get("/wallet/test/manifest.webmanifest").json()
        worker = browser.get("/wallet/test/worker.js").content.decode().replace(r"\u002D", "-")
        offline = browser.get("/wallet/test/offline").content.decode()

        kept = re.findall(r'"(/[^"]+)"', worker.partition("];")[0])
        assert (manifest["scope"], manifest["display"]) == ("/wallet/test/", "standalone")
        assert [path for path in kept if not path.startswith("/static/")] == ["/wallet/test/offline"]
        assert [path for path in kept if path.startswith("/static/") and not finders.find(path[8:])] == []
        assert "csrf" not in offline


class TestDoors:
    def test_are_all_guarded_but_the_named_ones(self):
        routes = {each.name: getattr(each.callback, "is_wallet_page", False) for each in urls.urlpatterns}

        assert {name.rpartition("_")[0] for name, guarded in routes.items() if not guarded and name != "wallet"} == {
            "wallet_front", "wallet_opening", "wallet_manifest", "wallet_worker", "wallet_offline",
        }  # fmt: skip
