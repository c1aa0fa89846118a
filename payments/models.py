"""Django's register of this app's tables."""

from payments.catalog.models import Price, Product
from payments.checkout.models import CheckoutSession
from payments.customers.models import Customer, PaymentMethod
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine
from payments.ledger.models import Account, AccountBalance, Checkpoint, Cluster, Entry, Hold, HoldOutcome, Transfer
from payments.orders.models import Order, OrderLine
from payments.receipts.models import Receipt, ReceiptCounter
from payments.search.models import MetadataTerm
from payments.wallets.models import Consumer, Mandate, Wallet

__all__ = [
    "Account",
    "AccountBalance",
    "Attempt",
    "CheckoutSession",
    "Checkpoint",
    "Cluster",
    "Consumer",
    "Customer",
    "Entry",
    "Hold",
    "HoldOutcome",
    "Mandate",
    "MetadataTerm",
    "Order",
    "OrderLine",
    "PaymentIntent",
    "PaymentMethod",
    "Price",
    "Product",
    "Receipt",
    "ReceiptCounter",
    "Refund",
    "RefundLine",
    "Transfer",
    "Wallet",
]
