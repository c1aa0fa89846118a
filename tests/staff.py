"""Staff: a person with a role at a merchant, signed in through Django's client or in a browser.

client = signed_in(make_staff(merchant, "cashier"))
page.context.add_cookies(cookies_of(make_staff(merchant, "owner")))
"""

from typing import Any

from django.conf import settings
from django.test import Client

from security.access.roles import MERCHANT_ROLES
from security.identity.models import User
from security.merchants import operations as merchants
from security.merchants.models import Merchant, Staff
from tests.cast import NOW

ROLES = MERCHANT_ROLES


def make_staff(merchant: Merchant, role: str = "owner", *, user: User | None = None) -> Staff:
    """Somebody with a role at a merchant; `user` gives a place to a person who has one elsewhere."""
    if user is None:
        user = User.objects.create_user(f"{role}@{merchant.slug}.example", name=role.title())
    return merchants.hire(user=user, merchant=merchant, role=role, now=NOW)


def signed_in(staff: Staff, **options: Any) -> Client:
    """A browser of that person, past the sign-in page: `signed_in(staff, HTTP_ACCEPT_LANGUAGE="zh-CN")`."""
    client = Client(**options)
    client.force_login(staff.user)
    return client


def cookies_of(staff: Staff) -> list[Any]:
    """The cookies of such a browser, for the server of the tests: `page.context.add_cookies(cookies_of(staff))`."""
    session = signed_in(staff).cookies[settings.SESSION_COOKIE_NAME]
    return [{"name": session.key, "value": session.value, "domain": "127.0.0.1", "path": "/"}]
