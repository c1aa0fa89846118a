"""Django's register of this app's tables."""

from members.directory.models import Contact, Correction, Duplicate, Household, Member, MemberTag, Merge, Tag
from members.features.models import Features, FeaturesCursor
from members.importing.models import ImportRow, MemberImport

__all__ = [
    "Contact",
    "Correction",
    "Duplicate",
    "Features",
    "FeaturesCursor",
    "Household",
    "ImportRow",
    "Member",
    "MemberImport",
    "MemberTag",
    "Merge",
    "Tag",
]
