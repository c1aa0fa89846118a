"""Django's register of this app's tables."""

from members.offers.models import DiscountShare, Offer, OfferVersion, PromotionCode, Redemption

__all__ = [
    "DiscountShare",
    "Offer",
    "OfferVersion",
    "PromotionCode",
    "Redemption",
]
