"""Cards under seal: the number is ciphertext, what a person may see of it stands beside it."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique


class DataKey(models.Model):
    """The key of a book's cards, wrapped by a key-encryption key that no database holds."""

    id_prefix = "dkey"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # Which of settings.VAULT_KEYS wrapped it.
    wrapped_by = models.TextField()
    nonce = models.BinaryField()
    wrapped = models.BinaryField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id book_id wrapped_by created_at", secret="nonce wrapped")

    class Meta:
        constraints = [
            book_unique("security_datakey"),
            models.UniqueConstraint(fields=["book_id"], name="security_datakey_one_a_book"),
        ]


class CardToken(models.Model):
    """What stands for a card. A destroyed one has no ciphertext any more and still says which card it was."""

    id_prefix = "card"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    data_key = TenantForeignKey(DataKey)
    nonce = models.BinaryField(null=True)
    ciphertext = models.BinaryField(null=True)
    brand = models.TextField()
    funding = models.TextField()
    last4 = models.CharField(max_length=4)
    exp_month = models.PositiveSmallIntegerField()
    exp_year = models.PositiveSmallIntegerField()
    # The same card has the same one in a book, and another in every other book.
    fingerprint = models.TextField()
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id data_key brand funding created_at",
        personal="last4 exp_month exp_year fingerprint",
        secret="nonce ciphertext",
    )

    class Meta:
        constraints = [
            book_unique("security_cardtoken"),
            # AES-GCM falls with the first nonce used twice; null, where a card is destroyed, repeats freely.
            models.UniqueConstraint(fields=["book_id", "nonce"], name="security_cardtoken_nonce_is_used_once"),
            models.CheckConstraint(
                condition=models.Q(nonce__isnull=True, ciphertext__isnull=True)
                | models.Q(nonce__isnull=False, ciphertext__isnull=False),
                name="security_cardtoken_nonce_goes_with_its_text",
            ),
        ]
        indexes = [
            # whether a customer saved this card before
            models.Index(fields=["book_id", "fingerprint"], name="security_cardtoken_fingerprint"),
        ]

    @property
    def is_destroyed(self) -> bool:
        return self.ciphertext is None
