"""The dashboard's frame under a person's hands: palette, keys, menus, drawer, a phone's bar."""

import pytest

from tests.browser.chromium import DESK, PHONE
from tests.staff import cookies_of, make_staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A60")]

TEST, LIVE = "/dashboard/cafe/test/", "/dashboard/cafe/"


@pytest.fixture
def at_desk(open_window, server, merchant):
    """Opens a window of the owner on a page of the dashboard."""
    staff = make_staff(merchant)

    def enter(path="", **window):
        opened = open_window(**{**DESK, **window})
        opened.page.context.add_cookies(cookies_of(staff))
        opened.page.goto(f"{server}{TEST}{path}")
        return opened

    return enter


def active(page):
    return page.evaluate("document.activeElement.id || document.activeElement.tagName")


def wait_for_options(page):
    page.wait_for_selector("#palette [role=option]:not([aria-disabled])")


def selected(page):
    """The option that a screen reader is told of."""
    return page.evaluate(
        """() => {
          const field = document.querySelector("#palette [role=combobox]");
          const option = document.getElementById(field.getAttribute("aria-activedescendant"));
          return option?.getAttribute("aria-selected") === "true" ? option.querySelector("span").textContent : "";
        }"""
    )


class TestPalette:
    def test_opens_by_keys_goes_by_arrows_and_leaves_by_enter(self, at_desk, server):
        window = at_desk("search")
        page = window.page

        page.keyboard.press("Control+k")
        wait_for_options(page)
        first = selected(page)
        window.assert_good()
        page.keyboard.press("ArrowUp")
        last = selected(page)
        page.keyboard.press("ArrowDown")
        again = selected(page)
        page.keyboard.type("live")
        page.wait_for_selector(f'#palette [role=option][href="{LIVE}"]')
        page.wait_for_selector("#palette [role=option] >> nth=0")
        while selected(page) != "To live mode":
            page.wait_for_timeout(20)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{server}{LIVE}")

        assert (first, last, again) == ("Home", "Docs", "Home")
        assert page.get_attribute("#palette [role=combobox]", "aria-expanded") == "false"

    def test_says_where_nothing_is_found_and_closes_by_escape(self, at_desk):
        window = at_desk()
        page = window.page

        page.keyboard.press("Control+k")
        wait_for_options(page)
        page.keyboard.type("no such thing")
        page.wait_for_selector("#palette [role=option][aria-disabled]")
        said = window.text("#palette-list")
        window.assert_good()
        page.keyboard.press("Escape")

        assert said == "Nothing was found"
        assert page.evaluate("document.querySelector('dialog[open]') === null")

    def test_offers_to_ask_again_where_the_answer_did_not_come(self, at_desk):
        window = at_desk()
        page = window.page
        page.route("**/palette*", lambda route: route.abort())

        page.keyboard.press("Control+k")
        page.wait_for_selector("#palette .trouble")
        page.unroute("**/palette*")
        page.click("#palette .trouble button")
        wait_for_options(page)

        assert selected(page) == "Home"
        window.complaints.clear()


class TestKeys:
    def test_focus_the_search_list_themselves_and_go(self, at_desk, server):
        window = at_desk("notifications")
        page = window.page

        page.keyboard.press("/")
        searching = active(page)
        page.keyboard.type("g h?")
        typed = page.input_value("#search")
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        listed = window.text("#keys")
        window.assert_good()
        page.keyboard.press("Escape")
        page.keyboard.press("g")
        page.keyboard.press("h")
        page.wait_for_url(f"{server}{TEST}")

        assert (searching, typed) == ("search", "g h?")
        assert "Home g h" in listed

    def test_of_one_letter_can_be_switched_off(self, at_desk):
        window = at_desk()
        page = window.page

        page.keyboard.press("?")
        page.click("#keys .choice")
        page.keyboard.press("Escape")
        page.reload()
        page.keyboard.press("/")
        page.keyboard.press("?")

        assert active(page) == "BODY"
        assert page.evaluate("document.querySelector('dialog[open]') === null")


class TestMenus:
    def test_open_by_keyboard_close_by_escape_and_give_the_focus_back(self, at_desk):
        window = at_desk()
        page = window.page

        page.focus(".account summary")
        page.keyboard.press("Enter")
        page.wait_for_selector(".account[open]")
        window.assert_good()
        page.keyboard.press("Escape")

        assert page.evaluate("document.activeElement.matches('.account summary')")
        assert page.evaluate("document.querySelector('.account[open]') === null")

    def test_lead_out(self, at_desk, server):
        page = at_desk().page

        page.click(".account summary")
        page.click('form[action="/accounts/logout/"] button')
        page.wait_for_url(lambda url: not url.startswith(f"{server}/dashboard"))
        page.goto(f"{server}{TEST}")

        assert page.url.startswith(f"{server}/accounts/login/")

    def test_of_a_phone_hold_what_its_bar_does_not(self, at_desk):
        window = at_desk(**PHONE)
        page = window.page

        page.click(".bottom-more summary")
        page.wait_for_selector(".bottom-sheet")
        window.assert_good()

        assert "概览" in window.text(".bottom-sheet")
        assert page.evaluate("document.querySelector('.bottom-sheet').getBoundingClientRect().bottom <= innerHeight")


class TestFrame:
    def test_works_without_a_program(self, at_desk, server):
        window = at_desk(java_script_enabled=False)
        page = window.page

        page.fill("#search", "nobody")
        page.press("#search", "Enter")
        page.wait_for_url(f"{server}{TEST}search?q=nobody")
        page.click(".account summary")
        page.click(".account .language-choice")
        page.wait_for_selector('html[lang="zh-hans"]')
        page.click(".mode-bar a")
        page.wait_for_url(f"{server}{LIVE}search")

        assert "测试模式" not in window.text("body")


class TestKeepTyped:
    """Another language or theme in the middle of a form."""

    def test_loses_nothing_that_was_typed(self, at_desk):
        page = at_desk("offers/new/percent").page
        page.fill("[name=name]", "Autumn")
        page.check("[name=days][value='2']")

        page.click(".account summary")
        page.click(".account .language-choice")
        page.wait_for_selector("html[lang=zh-hans]")

        assert page.input_value("[name=name]") == "Autumn"
        assert page.locator("[name=days]:checked").evaluate_all("all => all.map((each) => each.value)") == ["2"]
        assert page.evaluate("sessionStorage.getItem('typed')") is None
