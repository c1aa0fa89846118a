"""A merchant's customers and the ways they pay."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique


class Customer(models.Model):
    """A merchant's record of somebody. Linked to a consumer only by that person's own act."""

    id_prefix = "cus"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    consumer = models.ForeignKey("payments.Consumer", models.PROTECT, null=True, related_name="+", db_index=False)
    name = models.TextField(null=True)  # noqa: DJ001  (the wire tells null from empty)
    email = models.TextField(null=True)  # noqa: DJ001
    phone = models.TextField(null=True)  # noqa: DJ001
    # What people search by (finding.py), in the order of code points, so that a beginning is a range.
    name_key = models.TextField(null=True, db_collation="C")  # noqa: DJ001
    email_key = models.TextField(null=True, db_collation="C")  # noqa: DJ001
    phone_key = models.TextField(null=True, db_collation="C")  # noqa: DJ001
    description = models.TextField(null=True)  # noqa: DJ001
    address = models.JSONField(null=True)
    shipping = models.JSONField(null=True)
    preferred_locales = models.JSONField(default=list)
    metadata = models.JSONField(default=dict)
    # It points back at PaymentMethod.customer, so it has no constraint.
    default_method_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id default_method_id created_at deleted_at",
        personal="consumer name name_key email email_key phone phone_key description address shipping "
        "preferred_locales metadata",
    )

    class Meta:
        constraints = [
            book_unique("payments_customer"),
            models.UniqueConstraint(fields=["book_id", "consumer"], name="payments_customer_consumer_once_a_book"),
        ]
        indexes = [
            # list ?email=, search email:"…"
            models.Index(fields=["book_id", "email_key", "id"], name="payments_customer_email"),
            # search name:"…" and phone:"…"
            models.Index(fields=["book_id", "name", "id"], name="payments_customer_name"),
            models.Index(fields=["book_id", "phone", "id"], name="payments_customer_phone"),
            # the dashboard's search by how a name begins and a telephone number ends
            models.Index(fields=["book_id", "name_key", "id"], name="payments_customer_name_key"),
            models.Index(fields=["book_id", "phone_key", "id"], name="payments_customer_phone_key"),
            # the merchants that know a consumer (consumer_links_v1)
            models.Index(
                fields=["consumer"],
                condition=models.Q(consumer__isnull=False),
                name="payments_customer_consumer",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or str(self.pk)


class PaymentMethod(models.Model):
    """A way to pay that can be used again. For a wallet it shows the mandate, never the wallet."""

    id_prefix = "pm"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    type = models.TextField()
    customer = TenantForeignKey(Customer, null=True)
    mandate = TenantForeignKey("payments.Mandate", null=True)
    # Of a card: the vault's token of it, and what may be shown (brand, last4, expiry, fingerprint).
    card_id = models.UUIDField(null=True)
    card = models.JSONField(null=True)
    billing_details = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    detached_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id type customer mandate card_id created_at detached_at",
        personal="billing_details metadata card",
    )

    class Meta:
        constraints = [book_unique("payments_paymentmethod")]
        indexes = [
            # a customer's methods, newest first
            models.Index(fields=["book_id", "customer", "id"], name="payments_paymentmethod_cust"),
            # what a mandate is used by (consumer_permissions_v1)
            models.Index(
                fields=["mandate"],
                condition=models.Q(mandate__isnull=False, customer__isnull=False, detached_at__isnull=True),
                name="payments_paymentmethod_mandate",
            ),
        ]
