"""Staff: a person with a role at a merchant, signed in through Django's client or in a browser.

client = signed_in(make_staff(merchant, "cashier"))
page.context.add_cookies(cookies_of(make_staff(merchant, "owner")))
enter(page, server, make_staff(merchant, "owner"), "/dashboard/cafe/")  # by the form, as people do
"""

import time
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.test import Client

from merchant_platform.kernel import clock
from security.access.roles import MERCHANT_ROLES
from security.authentication import codes
from security.authentication import operations as authentication
from security.identity.models import User
from security.merchants import operations as merchants
from security.merchants.models import Merchant, Staff
from tests.cast import NOW

ROLES = MERCHANT_ROLES
PASSWORD = "correct horse battery staple"


def make_staff(merchant: Merchant, role: str = "owner", *, user: User | None = None) -> Staff:
    """Somebody with a role at a merchant; `user` gives a place to a person who has one elsewhere."""
    if user is None:
        user = User.objects.create_user(f"{role}@{merchant.slug}.example", name=role.title())
    return merchants.hire(user=user, merchant=merchant, role=role, now=NOW)


def signed_in(staff: Staff, **options: Any) -> Client:
    """A browser of that person, past both factors: `signed_in(staff, HTTP_ACCEPT_LANGUAGE="zh-CN")`."""
    return sign_in(staff.user, **options)


def sign_in(user: User, *, factor: str | None = "totp", **options: Any) -> Client:
    """A browser of anybody, past the sign-in page; without a factor, past the password alone."""
    client = Client(**options)
    client.force_login(user)
    session = client.session
    shown = [{"method": "password", "at": time.time()}]
    if factor:
        shown.append({"method": "mfa", "type": factor, "at": time.time()})
    session[AUTHENTICATION_METHODS_SESSION_KEY] = shown
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def cookies_of(staff: Staff) -> list[Any]:
    """The cookies of such a browser, for the server of the tests: `page.context.add_cookies(cookies_of(staff))`."""
    session = signed_in(staff).cookies[settings.SESSION_COOKIE_NAME]
    return [{"name": session.key, "value": session.value, "domain": "127.0.0.1", "path": "/"}]


def with_password(staff: Staff) -> Staff:
    """Gives somebody the password of the tests, and an e-mail address that is theirs."""
    staff.user.set_password(PASSWORD)
    staff.user.save(update_fields=["password"])
    authentication.vouch_for_email(users=[staff.user])
    return staff


def enter(page: Any, server: str, staff: Staff, path: str) -> None:
    """Sign in with password and app code, on the way to a page of the dashboard."""
    seed = authentication.give_app(user=with_password(staff).user)
    page.goto(f"{server}/accounts/login/?next={path}")
    page.fill("[name=login]", staff.user.email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit] >> nth=0")
    page.wait_for_selector("[name=code]")
    page.fill("[name=code]", codes.code_at(seed, codes.step_at(clock.wall())))
    page.click("main button[type=submit] >> nth=0")
    page.wait_for_url(f"**{path}")
