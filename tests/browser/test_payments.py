"""The owner finds a payment, reads why its fee is what it is, and refunds two lines; the cashier sees no balance."""

import pytest

from merchant_platform.kernel import clock
from payments.webhooks import fan_out
from security.merchants.models import Book
from tests.browser.chromium import DESK
from tests.contract.server import Wire
from tests.payments import books
from tests.payments.card_acts import by_number
from tests.payments.web.dashboard.sales import TOTAL, order
from tests.staff import cookies_of, enter, make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A60")]


@pytest.fixture
def sold(server, key, book, acquirer):
    """The three things, paid by card and told to a webhook endpoint; the book has the world's time."""
    Book.objects.filter(pk=book.pk).update(clock_at=None)
    api = Wire(key, address=server)
    fan_out.run_once(now=clock.wall())
    api.post("webhook_endpoints", {"url": "https://example.com/hooks", "enabled_events": ["*"]})
    order(api, "A-1")
    paid = api.post(
        "payment_intents",
        {
            **{"amount": TOTAL, "currency": "cny", "confirm": True, "payment_details": {"order_reference": "A-1"}},
            **by_number("4242424242424242"),
        },
    )
    assert paid.status == 200, paid.json
    fan_out.run_once(now=clock.wall())
    return paid.json


@pytest.fixture
def desk_of(open_window, merchant, server):
    """Opens a window of somebody with a role, on a page of the café's test desk."""

    def open_(role, path, **options):
        window = open_window(**options)
        window.page.context.add_cookies(cookies_of(make_staff(merchant, role)))
        window.page.goto(f"{server}/dashboard/cafe/test/{path}")
        return window

    return open_


def test_the_owner_refunds_two_lines(open_window, merchant, server, sold, book):
    window = open_window(**DESK)
    page = window.page
    enter(page, server, make_staff(merchant, "owner"), "/dashboard/cafe/test/payments")
    window.assert_good()

    page.click("summary:has-text('Last four digits')")
    page.fill("#id_last4", "4242")
    page.click("details[open] button:has-text('Apply')")
    page.click(".row-link")
    page.wait_for_url(f"**/payments/{sold['id']}")
    window.assert_good()
    assert "0.6% of CN¥140.00 is 0.84." in window.text("#fee")

    page.click("main a:has-text('Refund')")
    page.wait_for_selector("dialog[open] .refund-line")
    window.assert_good()
    lines = page.locator("dialog[open] .refund-line input")
    lines.nth(0).fill("1")
    lines.nth(1).fill("1")
    page.click("dialog[open] button:has-text('See what it does')")
    page.wait_for_selector("h1:has-text('Confirm the refund')")
    window.assert_good()
    assert "The customer gets back CN¥50.00" in window.text()
    page.click("button:has-text('Refund CN¥50.00')")
    page.wait_for_url(f"**/payments/{sold['id']}")

    assert "CN¥50.00 refunded." in window.text()
    assert "Refund of CN¥50.00 asked for" in window.text(".timeline")
    assert "Espresso × 1, Flat white × 1" in window.text("#refunds")
    assert "Your balance CN¥50.00" in window.text("#ledger")
    assert "https://example.com/hooks" in window.text()
    window.assert_good()
    books.assert_agree()


def test_the_list_says_how_many_are_ticked(desk_of, sold):
    window = desk_of("owner", "payments", **DESK)
    assert not window.page.is_visible("button:has-text('Refund selected')")

    window.page.check("[data-select-all]")

    assert window.text("[data-selected-count]") == "1 / 1"
    window.page.click("button:has-text('Refund selected')")
    window.page.wait_for_selector("h1:has-text('Refund: 1 payment')")
    window.assert_good()


def test_paper_says_whose_it_is_and_that_it_is_a_test(desk_of, merchant, sold):
    page = desk_of("owner", f"payments/{sold['id']}", **DESK).page

    page.emulate_media(media="print")

    kept = [merchant.name, "Test mode: no real money moves here", "Timeline", "Espresso"]
    pressed = ["Add note", "To live mode", "Quick start", "Search payments"]
    assert [words for words in kept if not page.locator(f"text={words} >> visible=true").count()] == []
    assert [words for words in pressed if page.locator(f"text={words} >> visible=true").count()] == []
    assert page.locator("button:visible, input:visible, textarea:visible").count() == 0


def test_the_cashier_sees_no_balance(desk_of, sold):
    window = desk_of("cashier", "payments", **DESK)

    assert window.page.locator("a[href$='/balance']").count() == 0


def test_a_stranger_finds_nothing(sold, other_merchant):
    stranger = signed_in(make_staff(other_merchant, "owner"))

    assert stranger.get(f"/dashboard/cafe/test/payments/{sold['id']}").status_code == 404
    assert stranger.get(f"/dashboard/bakery/test/payments/{sold['id']}").status_code == 404
