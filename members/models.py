"""Django's register of this app's tables."""

from members.directory.models import Contact, Correction, Duplicate, Household, Member, MemberTag, Merge, Tag

__all__ = [
    "Contact",
    "Correction",
    "Duplicate",
    "Household",
    "Member",
    "MemberTag",
    "Merge",
    "Tag",
]
