"""Questions to the acquirer, as the platform asks them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from payments.providers.port import Authorisation
from security.vault.cards import ClearCard

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GOOD = "4242424242424242"


def account() -> str:
    """An account of its own, as a book's id in hex."""
    return uuid4().hex


def key(prefix: str = "ch") -> str:
    """A key that nobody used."""
    return f"{prefix}_{uuid4().hex}"


def card(number: str = GOOD, **fields: Any) -> ClearCard:
    return replace(ClearCard(number=number, exp_month=12, exp_year=2030, holder="Lin Mei"), **fields)


def question(number: str = GOOD, **fields: Any) -> Authorisation:
    """A question for 12.00 CNY, captured at once, with the payer there."""
    asked = Authorisation(
        key=key(),
        account=account(),
        amount_minor=1_200,
        currency="CNY",
        card=card(number),
        captures=True,
        is_off_session=False,
        payee="Café Moka",
        return_url="https://shop.example/return",
        now=NOW,
        cvc="123",
    )
    return replace(asked, **fields)
