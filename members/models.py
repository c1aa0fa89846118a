"""Django's register of this app's tables."""

from members.directory.models import Contact, Correction, Duplicate, Household, Member, MemberTag, Merge, Tag
from members.features.models import Features, FeaturesCursor
from members.importing.models import ImportRow, MemberImport
from members.loyalty.models import (
    Accrual,
    Lot,
    LotMove,
    OfferBonus,
    Programme,
    ProgrammeTerms,
    Redemption,
    Reward,
    Run,
    Standing,
)
from members.offers.models import DiscountShare, Offer, OfferVersion, PromotionCode

__all__ = [
    "Accrual",
    "Contact",
    "Correction",
    "DiscountShare",
    "Duplicate",
    "Features",
    "FeaturesCursor",
    "Household",
    "ImportRow",
    "Lot",
    "LotMove",
    "Member",
    "MemberImport",
    "MemberTag",
    "Merge",
    "Offer",
    "OfferBonus",
    "OfferVersion",
    "Programme",
    "ProgrammeTerms",
    "PromotionCode",
    "Redemption",
    "Reward",
    "Run",
    "Standing",
    "Tag",
]
