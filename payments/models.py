"""Django's register of this app's tables."""

from payments.bulk.models import BulkItem, BulkJob
from payments.catalog.models import Price, Product
from payments.checkout.models import CheckoutSession
from payments.customers.models import Customer, PaymentMethod
from payments.intents.models import Attempt, ParkedReport, PaymentIntent, Refund, RefundLine, SetupIntent
from payments.ledger.models import Account, AccountBalance, Checkpoint, Cluster, Entry, Hold, HoldOutcome, Transfer
from payments.notes.models import FormerNote, Note
from payments.orders.models import Order, OrderLine
from payments.payment_codes.models import PaymentCode
from payments.providers.notices.models import Notice
from payments.receipts.models import Receipt, ReceiptCounter
from payments.saved_views.models import SavedView
from payments.search.models import MetadataTerm
from payments.stored_value.models import StoredValueCard, StoredValueLoad
from payments.tenders.models import Tender, TenderRefund
from payments.wallets.models import Consumer, Mandate, TopUp, Wallet
from payments.webhooks.models import WebhookAttempt, WebhookCursor, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Account",
    "AccountBalance",
    "Attempt",
    "BulkItem",
    "BulkJob",
    "CheckoutSession",
    "Checkpoint",
    "Cluster",
    "Consumer",
    "Customer",
    "Entry",
    "FormerNote",
    "Hold",
    "HoldOutcome",
    "Mandate",
    "MetadataTerm",
    "Note",
    "Notice",
    "Order",
    "OrderLine",
    "ParkedReport",
    "PaymentCode",
    "PaymentIntent",
    "PaymentMethod",
    "Price",
    "Product",
    "Receipt",
    "ReceiptCounter",
    "Refund",
    "RefundLine",
    "SavedView",
    "SetupIntent",
    "StoredValueCard",
    "StoredValueLoad",
    "Tender",
    "TenderRefund",
    "TopUp",
    "Transfer",
    "Wallet",
    "WebhookAttempt",
    "WebhookCursor",
    "WebhookDelivery",
    "WebhookEndpoint",
]
