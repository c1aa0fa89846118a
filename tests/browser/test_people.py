"""A manager adds a product and invites a cashier, who accepts and sees what a cashier may see."""

import re

import pytest
from django.core import mail

from merchant_platform.kernel import clock
from security.merchants.models import Staff
from security.messaging import operations as messaging
from tests.browser.chromium import DESK, PHONE
from tests.desks import TEST
from tests.staff import cookies_of, make_staff

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A60"),
    pytest.mark.requirement("B5"),
]

EMAIL, PASSWORD = "wang.fang@example.com", "a quiet corner of the park"


def test_a_manager_invites_a_cashier_who_sees_what_a_cashier_may(open_window, server, merchant, api):
    desk = open_window(**DESK)
    desk.page.context.add_cookies(cookies_of(make_staff(merchant, "manager")))

    # The manager adds a product.
    desk.page.goto(f"{server}{TEST}/products/new")
    desk.page.fill("#id_name", "Osmanthus oolong")
    desk.page.fill("[name=price_amount] >> nth=0", "32.50")
    desk.page.click("main form button.button-primary")
    desk.page.wait_for_selector(".toast-success")
    assert "CN¥32.50" in desk.text()
    desk.assert_good()
    (price,) = api.get("prices").json["data"]
    assert price["unit_amount"] == 3_250

    # And invites a cashier; no role above it is offered.
    desk.page.goto(f"{server}{TEST}/staff/invite")
    assert desk.page.locator("[name=role]").evaluate_all("all => all.map(each => each.value)") == ["cashier", "support"]
    desk.page.fill("#id_email", EMAIL)
    desk.page.check("[value=cashier]")
    desk.page.click("main form button.button-primary")
    desk.page.wait_for_selector(".toast-success")
    assert EMAIL in desk.text()
    desk.assert_good()

    # The letter's link opens a page for whoever reads the address.
    messaging.send_due(now=clock.wall())
    (found,) = re.findall(r"/invitations/\S+", mail.outbox[-1].body)
    guest = open_window(**PHONE)
    guest.page.goto(f"{server}{found}")
    guest.assert_good()
    guest.page.fill("#id_name", "Wang Fang")
    guest.page.fill("#id_password", PASSWORD)
    guest.page.click("main form button.button-primary")
    guest.page.wait_for_url("**/accounts/login/**")
    person = Staff.objects.get(user__email=EMAIL)
    assert (person.role, person.left_at) == ("cashier", None)

    # A password alone opens no desk.
    guest.page.fill("[name=login]", EMAIL)
    guest.page.fill("[name=password]", PASSWORD)
    guest.page.locator("form button[type=submit]").first.click()
    guest.page.wait_for_url("**/accounts/**")
    guest.page.goto(f"{server}{TEST}/products")
    assert "/accounts/" in guest.page.url

    # With a second factor it does, and shows what a cashier may see.
    till = open_window(**DESK)
    till.page.context.add_cookies(cookies_of(person))
    till.page.goto(f"{server}{TEST}/products")
    assert "Osmanthus oolong" in till.text()
    assert till.page.locator("text=Add a product").count() == 0
    names = till.page.locator(".sidebar-nav a").all_inner_texts()
    assert "Staff" not in names
    assert "Business" not in names
    assert {"Customers", "Products", "Stores", "Roles"} <= set(names)
    for closed in ("staff", "settings", "products/new", "customers/export"):
        assert till.page.request.get(f"{server}{TEST}/{closed}").status == 403
    till.assert_good()
