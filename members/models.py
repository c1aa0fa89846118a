"""Django's register of this app's tables."""

from members.directory.models import Contact, Correction, Duplicate, Household, Member, MemberTag, Merge, Tag
from members.features.models import Features, FeaturesCursor
from members.offers.models import DiscountShare, Offer, OfferVersion, PromotionCode, Redemption

__all__ = [
    "Contact",
    "Correction",
    "DiscountShare",
    "Duplicate",
    "Features",
    "FeaturesCursor",
    "Household",
    "Member",
    "MemberTag",
    "Merge",
    "Offer",
    "OfferVersion",
    "PromotionCode",
    "Redemption",
    "Tag",
]
