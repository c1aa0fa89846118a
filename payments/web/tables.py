"""The tables of payments that operators may read at /admin/: accounts of the platform, and a book's money."""

from django.contrib import admin

from payments.intents.models import Attempt, PaymentIntent, Refund
from payments.ledger.models import Account, AccountBalance, Entry, Hold, HoldOutcome, Transfer
from payments.wallets.models import Wallet
from security.web.admin import OfOneBook, ReadOnly


@admin.register(Account, AccountBalance, Wallet)
class Tables(ReadOnly):
    pass


@admin.register(Attempt, Entry, Hold, HoldOutcome, PaymentIntent, Refund, Transfer)
class MoneyTables(OfOneBook):
    pass
