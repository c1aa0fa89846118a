"""What people are asked, word for word. A changed text is a new version: an old yes was said to the old words."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

MARKETING, PERSONALISATION, PROFILE = "marketing", "personalisation", "profile"


@dataclass(frozen=True, slots=True)
class Wording:
    """A question, as it stands beside a box to tick."""

    version: int
    title: Any
    text: Any


PURPOSES: dict[str, Wording] = {
    MARKETING: Wording(
        version=1,
        title=_("News and offers"),
        text=_("The merchant may write to you about its offers."),
    ),
    PERSONALISATION: Wording(
        version=1,
        title=_("Offers made for you"),
        text=_("The merchant may choose discounts and suggestions for you by what you bought."),
    ),
    PROFILE: Wording(
        version=1,
        title=_("A profile of what you like"),
        text=_("The merchant may work out and keep when, how often and what you like to buy."),
    ),
}
