"""An offer in one sentence, in the active language."""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from members.offers import frames
from members.offers.frames import Terms
from merchant_platform.kernel.money import Money

# The kinds as people say them, with what each is for.
KINDS: dict[str, tuple[Any, Any]] = {
    frames.PERCENT: (
        gettext_lazy("Percent off"),
        gettext_lazy("A share of the price, of everything or of some goods."),
    ),
    frames.AMOUNT: (gettext_lazy("Amount off"), gettext_lazy("A fixed amount off the sum.")),
    frames.SPEND: (gettext_lazy("Spend and save"), gettext_lazy("The more is spent, the more comes off, in tiers.")),
    frames.BUY_GET: (gettext_lazy("Buy X get Y"), gettext_lazy("Something free or cheaper for so many bought.")),
    frames.BUNDLE: (gettext_lazy("Bundle"), gettext_lazy("A set of goods at one price.")),
    frames.TIER_PRICE: (
        gettext_lazy("Tier price"),
        gettext_lazy("A lower unit price from a number on, or for members of a tier."),
    ),
    frames.FLASH: (gettext_lazy("Flash sale"), gettext_lazy("A low price for a counted number, while it lasts.")),
    frames.PERSONAL: (
        gettext_lazy("Personal"),
        gettext_lazy("Discounts and points by what a member buys and how often."),
    ),
}


def summary(terms: Terms) -> str:
    """What the offer gives: `Spend ¥100.00, save ¥10.00; spend ¥200.00, save ¥30.00`."""
    return _SENTENCES[terms.kind](terms.effect, terms.currency or "")


def money(amount_minor: int, currency: str) -> str:
    """An amount as text in the active language."""
    return Money(amount_minor, currency).text(translation.to_locale(translation.get_language() or "en"))


def percent(ppm: int) -> str:
    """`12.5%` of 125,000 parts per million."""
    return f"{ppm / 10_000:.4f}".rstrip("0").rstrip(".") + "%"


def share_off(ppm: int) -> str:
    """How the active language counts a discount: `15%` comes off; in Chinese `85` (折) is left, or `8`, or `8.75`."""
    if not (translation.get_language() or "").startswith("zh"):
        return percent(ppm)
    left = 1_000_000 - ppm
    if left >= 100_000 and not left % 10_000:
        return str(left // 10_000).rstrip("0")
    return f"{left / 100_000:.5f}".rstrip("0").rstrip(".")


def _percent(effect: Any, currency: str) -> str:
    if effect["off_ppm"] == 1_000_000:
        return _("free")
    return _("{share} off").format(share=share_off(effect["off_ppm"]))


def _amount(effect: Any, currency: str) -> str:
    return _("{amount} off").format(amount=money(effect["off_minor"], currency))


def _spend(effect: Any, currency: str) -> str:
    tiers = sorted(effect["tiers"], key=lambda tier: tier["from_minor"])
    return pgettext("between the steps of an offer", "; ").join(
        _("spend {threshold}, save {amount}").format(
            threshold=money(tier["from_minor"], currency), amount=money(tier["off_minor"], currency)
        )
        for tier in tiers
    )


def _buy_get(effect: Any, currency: str) -> str:
    if effect["off_ppm"] == 1_000_000:
        return _("buy {buy}, get {get} free").format(buy=effect["buy"], get=effect["get"])
    return _("buy {buy}, get {get} at {share} off").format(
        buy=effect["buy"], get=effect["get"], share=share_off(effect["off_ppm"])
    )


def _bundle(effect: Any, currency: str) -> str:
    count = sum(part["quantity"] for part in effect["parts"])
    return ngettext("a set of {count} thing for {price}", "a set of {count} things for {price}", count).format(
        count=count, price=money(effect["price_minor"], currency)
    )


def _tier_price(effect: Any, currency: str) -> str:
    tiers = sorted(effect["tiers"], key=lambda tier: tier["from_quantity"])
    return pgettext("between the steps of an offer", "; ").join(
        _("from {count} on {price} each").format(count=tier["from_quantity"], price=money(tier["unit_minor"], currency))
        for tier in tiers
    )


def _flash(effect: Any, currency: str) -> str:
    return _("{price} each, while they last").format(price=money(effect["unit_minor"], currency))


def _personal(effect: Any, currency: str) -> str:
    count = len(effect["rules"])
    return ngettext("{count} rule by habits", "{count} rules by habits", count).format(count=count)


_SENTENCES = {
    frames.PERCENT: _percent,
    frames.AMOUNT: _amount,
    frames.SPEND: _spend,
    frames.BUY_GET: _buy_get,
    frames.BUNDLE: _bundle,
    frames.TIER_PRICE: _tier_price,
    frames.FLASH: _flash,
    frames.PERSONAL: _personal,
}
