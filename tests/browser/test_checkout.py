"""A stranger buys: on a phone in Chinese, without JavaScript, by keyboard alone, in two tabs, in the dark."""

import pytest

from security.merchants.models import Book
from tests.browser.chromium import DESK, PHONE
from tests.cast import Api
from tests.contract.server import Wire
from tests.payers import CHALLENGE_CARD, DECLINED_CARD, GOOD_CARD, offer
from tests.payments import books

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A5"),
    pytest.mark.requirement("A40"),
]


@pytest.fixture
def wire(server, key, book) -> Api:
    """The café's program over HTTP; its book has the world's time, as a merchant's has."""
    Book.objects.filter(pk=book.pk).update(clock_at=None)
    return Wire(key, address=server)


@pytest.fixture
def shop(wire, server):
    """A session whose addresses are pages of the server itself, so that a browser may go there."""
    return lambda **more: offer(
        wire,
        success_url=f"{server}/docs/errors?session={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{server}/docs",
        **more,
    )


def sign_in(page, payer):
    page.fill("#id_email", payer.email)
    page.fill("#id_password", payer.password)
    page.click(".tile.is-open button[type=submit]")
    page.wait_for_selector(".consent")


def type_card(page, number):
    page.type("#id_number", number)
    page.type("#id_expiry", "1234")
    page.fill("#id_cvc", "123")
    page.fill("#id_name", "Lin Mei")
    page.click(".tile.is-open button[type=submit]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_stranger_on_a_phone_buys_with_a_wallet(scheme, open_window, shop, payer):
    session = shop()
    window = open_window(**PHONE, color_scheme=scheme)
    page = window.page
    page.goto(session["url"])
    assert "应付金额 ¥186.00" in window.text()
    window.assert_good()

    sign_in(page, payer)
    window.assert_good()
    page.click('form[action$="/wallet"] button')
    window.stage("paid")
    page.click("[data-stay]")
    window.assert_good()
    page.click('a[href^="/r/"]')
    page.wait_for_selector(".receipt-paper")

    assert "¥186.00" in window.text()
    assert "钱包" in window.text()
    window.assert_good()
    assert payer.balance == 50_000 - 18_600
    books.assert_agree()


def test_a_stranger_on_a_phone_is_asked_by_the_bank(open_window, shop, acquirer):
    window = open_window(**PHONE)
    page = window.page
    page.goto(shop()["url"] + "?method=card")
    window.assert_good()

    type_card(page, CHALLENGE_CARD)
    window.stage("challenge")
    window.assert_good()
    page.click('[data-stage="challenge"] .button-primary')
    page.click('button[value="approve"]')
    window.stage("paid")

    assert "付款成功" in window.text()
    books.assert_agree()


def test_everything_works_without_javascript(open_window, shop, payer, acquirer):
    window = open_window(**PHONE, java_script_enabled=False)
    page = window.page
    page.goto(shop()["url"])
    sign_in(page, payer)
    page.click('form[action$="/wallet"] button')
    window.stage("paid")
    page.click('a[href^="/r/"]')
    page.wait_for_selector(".receipt-paper")

    page.goto(shop()["url"])
    page.click('a[href$="method=card"]')
    page.fill("#id_number", "4242 4242 4242 4242")
    page.fill("#id_expiry", "12/34")
    page.fill("#id_cvc", "123")
    page.fill("#id_name", "Lin Mei")
    page.click(".tile.is-open button[type=submit]")
    window.stage("paid")


def test_the_keyboard_alone_is_enough(open_window, shop, payer):
    window = open_window(**DESK)
    page = window.page
    session = shop()
    page.goto(session["url"])

    def tab_to(selector):
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"nobody gets to {selector} by keyboard")

    tab_to(".skip-link")
    tab_to("#id_email")
    page.keyboard.type(payer.email)
    tab_to("#id_password")
    page.keyboard.type(payer.password)
    page.keyboard.press("Enter")
    page.wait_for_selector(".consent")
    tab_to('form[action$="/wallet"] button')
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    window.stage("paid")
    tab_to('[data-stage="paid"] .button-primary')
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/docs/errors?session={session['id']}")

    assert outline == "solid"


def test_a_declined_card_can_be_mended(open_window, shop, acquirer):
    window = open_window(**DESK)
    page = window.page
    page.goto(shop()["url"] + "?method=card")

    type_card(page, DECLINED_CARD)
    page.wait_for_selector(".notice-danger")
    said = window.text(".notice-danger")
    window.assert_good()
    type_card(page, GOOD_CARD)
    window.stage("paid")

    assert said == "Your bank did not approve this payment. Ask your bank, or pay in another way."


def test_a_mistyped_field_says_so_and_is_where_the_cursor_stands(open_window, shop):
    window = open_window(**DESK)
    page = window.page
    page.goto(shop()["url"] + "?method=card")

    type_card(page, "4242424242424241")
    page.wait_for_selector(".field-error")

    assert page.get_attribute("#id_number", "aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "id_number"
    window.assert_good()


def test_the_other_tab_moves_by_itself(open_window, shop, payer):
    session = shop()
    watching, paying = open_window(**DESK), open_window(**PHONE)
    watching.page.goto(session["url"])
    paying.page.goto(session["url"])
    sign_in(paying.page, payer)
    paying.page.click('form[action$="/wallet"] button')
    paying.stage("paid")

    watching.stage("paid")

    assert watching.text("#due-label") == "Paid"
    assert watching.page.evaluate("document.activeElement.id") == "stage-title"
    watching.page.click("[data-stay]")
    watching.assert_good()
    assert payer.balance == 50_000 - 18_600


def test_what_the_merchant_took_back_says_so(open_window, shop, wire):
    canceled = shop()
    wire.post(f"checkout/sessions/{canceled['id']}/expire")
    window = open_window(**PHONE)

    window.page.goto(canceled["url"])
    window.stage("canceled")

    assert "商户已取消这笔收款" in window.text()
    window.assert_good()


def test_a_choice_of_language_and_of_light_goes_before_the_systems(open_window, shop):
    window = open_window(**PHONE, color_scheme="light")
    page = window.page
    page.goto(shop()["url"])

    page.click(".language button")
    page.wait_for_selector('html[lang="en"]')
    page.click(".theme button")
    page.wait_for_selector('html[data-theme="light"]')
    page.click(".theme button")
    page.wait_for_selector('html[data-theme="dark"]')

    assert page.evaluate("getComputedStyle(document.querySelector('.pay')).backgroundColor") == "rgb(20, 28, 40)"
    window.assert_good()
