"""The code that a consumer shows at a till: a wallet has one at a time, for about a minute, for one payment."""

from django.db import models

from merchant_platform.kernel import privacy


class PaymentCode(models.Model):
    """The present code of a wallet, by its digest alone. The next one takes its place.

    Needed before a book is known, since any merchant may read it, so it is in none.
    """

    wallet = models.OneToOneField("payments.Wallet", models.PROTECT, primary_key=True, related_name="+")
    # HMAC-SHA-256 of the eighteen digits.
    digest = models.BinaryField()
    # Tells one code of the wallet from the next.
    token = models.UUIDField()
    expires_at = models.DateTimeField()
    # Whether who showed it had proved themselves by two factors: more may be paid.
    is_strong = models.BooleanField()
    redeemed_at = models.DateTimeField(null=True)
    redeemed_book_id = models.UUIDField(null=True)
    paid_minor = models.BigIntegerField(null=True)
    # What codes of this wallet paid on the day, over all merchants (UTC).
    day = models.DateField()
    spent_minor = models.BigIntegerField(default=0)

    privacy = privacy.classes(
        opaque="wallet token expires_at is_strong redeemed_at redeemed_book_id paid_minor day spent_minor",
        secret="digest",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="payments_paymentcode_opens_one_wallet"),
            models.CheckConstraint(
                condition=models.Q(spent_minor__gte=0), name="payments_paymentcode_spends_nothing_back"
            ),
        ]
