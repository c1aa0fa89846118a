"""People and their second factors, in a real browser with a virtual authenticator."""

import re
from pathlib import Path

import pytest

from security.audit.models import AuditRecord
from security.identity.models import User
from security.messaging import bodies
from security.messaging.models import Message
from tests.browser.chromium import DESK, PHONE
from tests.cast import wait_until
from tests.contract.server import serving
from tests.staff import PASSWORD, enter, make_staff, with_password

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("A41")]

PHONE_OF_THE_OWNER = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def site(django_db_setup, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), host="localhost") as address:
        yield address


@pytest.fixture
def staff(merchant):
    return with_password(make_staff(merchant))


def with_authenticator(window):
    session = window.page.context.new_cdp_session(window.page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE_OF_THE_OWNER})
    return window


def sign_in(page, site, email):
    page.goto(f"{site}/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]:has-text('Sign in') >> nth=0")


def test_staff_enrol_a_passkey_sign_in_with_it_and_step_up(open_window, site, staff):
    window = with_authenticator(open_window(**DESK))
    page = window.page
    sign_in(page, site, staff.user.email)

    # The first sign-in: a password alone does not let anybody in.
    page.wait_for_url("**/accounts/enrol/**")
    window.assert_good()
    page.click("text=Finger, face or PIN")
    window.assert_good()
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    assert len(page.locator(".account-codes li").all()) == 10
    window.assert_good()
    page.click("text=Go on")
    page.wait_for_url("**/dashboard/cafe/**")

    # Out, and in again with the passkey alone.
    page.goto(f"{site}/accounts/2fa/")
    window.assert_good()
    page.click("header >> text=Sign out")
    page.wait_for_url("**/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url("**/dashboard/cafe/**")

    # An act of consequence wants it once more.
    page.goto(f"{site}/dashboard/cafe/audit/export")
    page.wait_for_url("**/accounts/confirm/stp_*/")
    assert "Export the audit log" in window.text()
    window.assert_good()
    page.click("#step_up_passkey")
    page.wait_for_url("**/dashboard/cafe/audit/export")
    with page.expect_download() as download:
        page.click("text=Download CSV")

    assert "login.webauthn_added" in Path(download.value.path()).read_text()
    assert "step_up.proved" in AuditRecord.objects.values_list("action", flat=True)


def test_staff_sign_in_with_an_app_without_javascript(open_window, site, staff):
    window = open_window(**PHONE, java_script_enabled=False)
    page = window.page
    enter(page, site, staff, "/dashboard/cafe/audit")

    assert "操作日志" in window.text()
    assert "已登录" in window.text()


def test_a_consumer_signs_up_with_a_passkey_alone(open_window, site, platform):
    window = with_authenticator(open_window(**DESK))
    page = window.page
    page.goto(f"{site}/accounts/login/")
    page.click("text=Open an account")
    page.wait_for_url("**/accounts/signup/passkey/**")
    window.assert_good()
    page.fill("[name=email]", "lin@example.com")
    page.click("main button[type=submit] >> nth=0")

    page.wait_for_selector("[name=code]")
    window.assert_good()
    message = wait_until(lambda: Message.objects.filter(address="lin@example.com").first())
    [code] = re.findall(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", bodies.unseal(message.body), re.MULTILINE)
    page.fill("[name=code]", code)
    page.click("main button[type=submit] >> nth=0")

    page.wait_for_selector("#mfa_webauthn_signup")
    window.assert_good()
    page.click("#mfa_webauthn_signup")
    page.wait_for_url("**/wallet/open")
    window.assert_good()
    page.click("text=Open the wallet")
    page.wait_for_url("**/wallet/")

    user = User.objects.get(email="lin@example.com")
    assert not user.has_usable_password()
    page.click("nav a[href$='/me']")
    page.click("text=Sign out")
    page.wait_for_url("**/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url("**/wallet/")
