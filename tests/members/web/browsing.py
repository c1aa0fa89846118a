"""What a consumer types into the wallet's forms."""

from typing import Any

from django.test import Client

from tests.merchant_platform.docs.reading import Page
from tests.payers import GOOD_CARD


def fields_of(client: Client, path: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    page = Page(client.get(path).content.decode())
    return {field["name"]: field["value"] for field in page.all("input") if field.attributes.get("type") == "hidden"}


def top_up_form(client: Client, **typed: Any) -> dict[str, Any]:
    """A top-up of ¥100.00 by a new card, as the page's own form sends it."""
    once = fields_of(client, "/wallet/test/top-up")["once"]
    card = {"number": GOOD_CARD, "expiry": "12 / 34", "cvc": "123", "name": "Lin Mei"}
    return {"once": once, "amount": "100", "means": "new", **card, **typed}
