"""Django's register of this app's tables."""

from security.access.models import Flag
from security.credentials.models import ApiKey, CredentialsVersion
from security.identity.models import User
from security.merchants.models import Book, Device, Merchant, PublicCode, Staff, Store

__all__ = [
    "ApiKey",
    "Book",
    "CredentialsVersion",
    "Device",
    "Flag",
    "Merchant",
    "PublicCode",
    "Staff",
    "Store",
    "User",
]
