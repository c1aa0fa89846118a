"""Consumers hold value in wallets; a mandate lets one merchant take from one.

A wallet is platform value and stands in no book. A merchant sees its mandates, never a
balance.
"""

from datetime import datetime

from django.conf import settings
from django.db import models

from merchant_platform.kernel import ids, money, privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique
from payments.ledger import chart


class Consumer(models.Model):
    """A person who holds value here, per mode. A test consumer needs no login."""

    id_prefix = "csm"
    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    mode = models.TextField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id mode created_at", personal="user")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "mode"], name="payments_consumer_once_a_user_and_mode")]


class Wallet(models.Model):
    """A consumer's stored value in one currency. Its balance is the ledger's."""

    id_prefix = "wal"
    id = models.UUIDField(primary_key=True, editable=False)
    consumer = models.ForeignKey(Consumer, models.PROTECT, related_name="wallets")
    currency = models.CharField(max_length=3)
    mode = models.TextField()
    # chart.wallet(...).id, here so that the database can go from a mandate to the balance row.
    account_id = models.UUIDField()
    # Payments on our page that were exempt as low, since the last with two factors (methods/authentication.py).
    exempt_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    exempt_minor = models.BigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id consumer currency mode account_id exempt_count exempt_minor created_at")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["consumer", "currency", "mode"], name="payments_wallet_once_a_consumer_and_currency"
            )
        ]

    @property
    def shown_id(self) -> str:
        return ids.show(self.id_prefix, self.pk)

    @property
    def account(self) -> chart.AccountRef:
        return chart.wallet(self.pk, self.currency, self.mode)

    @property
    def unit(self) -> str:
        return money.unit(self.currency)


class Mandate(models.Model):
    """A consumer's word that a merchant may take from a wallet: up to a limit a payment, until it ends."""

    id_prefix = "mandate"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+")
    limit_minor = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id wallet limit_minor expires_at revoked_at created_at")

    class Meta:
        constraints = [book_unique("payments_mandate")]
        indexes = [
            # what a consumer allows at present, over all merchants
            models.Index(
                fields=["wallet"], condition=models.Q(revoked_at__isnull=True), name="payments_mandate_standing"
            )
        ]

    def is_active(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class TopUp(models.Model):
    """A card payment in the platform's own book whose money is the consumer's: captured, it lands in the wallet.

    How it stands is its intent's to say (docs/adr/0018).
    """

    id_prefix = "top"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_index=False)
    intent = TenantForeignKey("payments.PaymentIntent")
    # Of the form: one that is sent twice tops up once.
    token = models.UUIDField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id intent token created_at", personal="wallet")

    class Meta:
        constraints = [
            book_unique("payments_topup"),
            models.UniqueConstraint(fields=["book_id", "intent"], name="payments_topup_once_an_intent"),
            models.UniqueConstraint(fields=["book_id", "wallet", "token"], name="payments_topup_once_a_form"),
        ]
        indexes = [
            # a wallet's top-ups, newest first, and how many there were lately
            models.Index(fields=["book_id", "wallet", "id"], name="payments_topup_wallet"),
        ]
