"""Template tags of the wallet: addresses in the mode that the page is in."""

from collections.abc import Mapping
from typing import Any

from django import template

from members.web.wallet.purse import address

register = template.Library()


@register.simple_tag(takes_context=True)
def wallet_url(context: Mapping[str, Any], name: str, **kwargs: str) -> str:
    """The address of a page of this wallet: `{% wallet_url "wallet_history" %}`."""
    return address(name, mode=context["mode"], **kwargs)
