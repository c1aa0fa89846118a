"""Django's register of this app's tables."""

from security.access.models import Flag
from security.approvals.models import Approval
from security.audit.models import AuditChain, AuditLink, AuditRecord
from security.authentication.models import Phone, StepUp
from security.credentials.models import ApiKey, CredentialsVersion
from security.identity.models import User
from security.merchants.models import Book, Device, Invitation, Merchant, PublicCode, Staff, Store
from security.messaging.models import Message, Suppression
from security.privacy.models import Consent
from security.vault.models import CardToken, DataKey

__all__ = [
    "ApiKey",
    "Approval",
    "AuditChain",
    "AuditLink",
    "AuditRecord",
    "Book",
    "CardToken",
    "Consent",
    "CredentialsVersion",
    "DataKey",
    "Device",
    "Flag",
    "Invitation",
    "Merchant",
    "Message",
    "Phone",
    "PublicCode",
    "Staff",
    "StepUp",
    "Store",
    "Suppression",
    "User",
]
