"""A consumer's wallet on a phone: every page in both languages and both lights, and a top-up past the bank."""

import pytest

from merchant_platform.kernel import tenancy
from payments.customers import operations as customers
from payments.wallets import operations as wallets
from security.identity.models import User
from security.web import sides
from tests.browser.chromium import PHONE
from tests.browser.test_page_walk import OUR_WORDS
from tests.browser.walk import Walk, foreign_to
from tests.cast import NOW, origin_of
from tests.payers import CHALLENGE_CARD
from tests.payments import books
from tests.staff import sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A1"),
    pytest.mark.requirement("A60"),
]

HOME = "/wallet/test/"
STATEMENTS_MAX = 20
VARIANTS = {"zh-hans": "dark", "en": "light"}


@pytest.fixture
def client(book, payer, make_customer, settings):
    """A consumer with ¥500.00 who is known at the café and has something of every kind there."""
    settings.WALLET_CARDS = ["tests.browser.wallet_rooms.cards"]
    settings.HOLDINGS = [*settings.HOLDINGS, "tests.browser.wallet_rooms.holdings"]
    customer = make_customer(book, consumer=payer.wallet.consumer)
    with tenancy.within(book.pk):
        mandate = wallets.give_mandate(wallet=payer.wallet, limit_minor=2_000, now=NOW)
        customers.save_wallet(customer=customer, mandate=mandate, now=NOW, origin=origin_of(book))
    browser = sign_in(User.objects.get(email=payer.email), factor=None)
    session = browser.session
    session[sides.SIDE] = sides.WALLET
    session.save()
    return browser


def test_every_page_is_good_on_a_phone(client, server, open_window, acquirer, walked):
    walk = Walk(client, HOME)
    walk.follow([HOME, f"{HOME}offline"])
    stops = [stop for stop in walk.stops.values() if stop.page is not None]
    session = client.cookies["sessionid"].value
    wrong = [(stop.url, stop.statements) for stop in stops if stop.statements > STATEMENTS_MAX]
    for language, scheme in VARIANTS.items():
        window = open_window(**PHONE, color_scheme=scheme)
        page = window.page
        cookies = {"sessionid": session, "django_language": language}
        page.context.add_cookies(
            [{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"} for name, value in cookies.items()]
        )
        is_foreign = foreign_to(language)
        for stop in stops:
            page.goto(f"{server}{stop.url}")
            if stop.name.startswith("wallet_code"):
                page.wait_for_selector(".wallet-code-digits")
            window.assert_good()
            wrong += [(stop.url, language, each) for each in page.evaluate(OUR_WORDS) if is_foreign(each)]

    walked(pages=len(stops), languages=2)
    assert len(stops) == 10
    assert wrong == []


def test_a_top_up_goes_past_the_bank(client, payer, server, open_window, acquirer, settings):
    settings.PUBLIC_URL = server
    window = open_window(**PHONE)
    page = window.page
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "domain": "127.0.0.1", "path": "/"}]
    )
    page.goto(f"{server}{HOME}")
    page.click(".wallet-balance-actions .button-primary")
    page.click("[data-amount] >> nth=1")
    page.type("#id_number", CHALLENGE_CARD)
    page.type("#id_expiry", "12 / 34")
    page.fill("#id_cvc", "123")
    page.fill("#id_name", "Lin Mei")
    page.click("form[data-once] button[type=submit]")
    page.click('[data-stage="challenge"] a.button-primary')
    page.click('button[value="approve"]')
    window.stage("done")

    assert "充值成功 ¥100.00" in window.text()
    window.assert_good()
    assert payer.balance == 60_000
    books.assert_agree()
