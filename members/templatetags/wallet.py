"""Template tags of the wallet: addresses in the mode that the page is in."""

from collections.abc import Mapping
from typing import Any

from django import template

from members.portal.port import Page
from members.web.wallet.purse import address

register = template.Library()


@register.simple_tag(takes_context=True)
def wallet_url(context: Mapping[str, Any], name: str, **kwargs: str) -> str:
    """The address of a page of this wallet: `{% wallet_url "wallet_history" %}`."""
    return address(name, mode=context["mode"], **kwargs)


@register.simple_tag(takes_context=True)
def wallet_page(context: Mapping[str, Any], page: Page) -> str:
    """The address of a page that a room named (members/portal/port.py)."""
    name, key, value = page
    return address(name, mode=context["mode"], **{key: value})
