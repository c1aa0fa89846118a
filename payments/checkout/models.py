"""A checkout session: one order, offered to be paid for on a page of ours until a time."""

from datetime import datetime

from django.db import models

from merchant_platform.kernel import ids, privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique
from payments.checkout import states


class CheckoutSession(models.Model):
    """An order on the payer's way. The steps of the payer stand in pairs: the book's time, and the world's."""

    id_prefix = "cs"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # Its public address; security_publiccode leads from it to the book.
    code = models.TextField()
    is_live = models.BooleanField()
    status = models.TextField(default=states.OPEN)
    order = TenantForeignKey("payments.Order")
    # Made when the payer first tries to pay.
    intent = TenantForeignKey("payments.PaymentIntent", null=True)
    customer = TenantForeignKey("payments.Customer", null=True)
    # The merchant's server proved who they are, and answers for who gets the address (docs/adr/0027).
    is_customer_proven = models.BooleanField(default=False, db_default=False)
    customer_email = models.TextField(null=True)  # noqa: DJ001  (the wire tells null from empty)
    client_reference_id = models.TextField(null=True)  # noqa: DJ001
    success_url = models.TextField()
    cancel_url = models.TextField(null=True)  # noqa: DJ001
    locale = models.TextField(null=True)  # noqa: DJ001
    submit_type = models.TextField(null=True)  # noqa: DJ001
    payment_method_types = models.JSONField()
    # What the request said of the payment: columns of the intent, and its metadata.
    payment_details = models.JSONField(default=dict)
    payment_metadata = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    # What the order came to before its prices changed: the payer is told until they pay.
    former_total_minor = models.BigIntegerField(null=True)
    # The language that the payer last saw the page in: the receipt's.
    language = models.TextField(default="en")
    # What the payer typed: codes of offers, as typed; and whether they want to join (payments/checkout/ports.py).
    codes = models.JSONField(default=list, db_default=[])
    # Whether the payer may type codes; and what the merchant attached instead (ports.Grant).
    allows_codes = models.BooleanField(null=True)
    granted = models.JSONField(default=list, db_default=[])
    # What took how much off which line when the order was priced last (pricing.py).
    discounts = models.JSONField(default=list, db_default=[])
    joins = models.TextField(null=True)  # noqa: DJ001  (the wording that they said yes to)
    # Who was signed in when they said so: the customer that they become is linked to them.
    joiner = models.ForeignKey("payments.Consumer", models.PROTECT, null=True, related_name="+", db_index=False)
    # Tries to name a stored-value card on one page; more is guessing.
    failed_cards_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Codes typed on it that are none.
    failed_codes_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Not in the payment's transaction: the receipt is written after it, by the page or by the sweep.
    has_receipt = models.BooleanField(default=False)
    failed_sign_ins_count = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    opened_at = models.DateTimeField(null=True)
    opened_recorded_at = models.DateTimeField(null=True)
    method_chosen = models.TextField(null=True)  # noqa: DJ001
    method_chosen_at = models.DateTimeField(null=True)
    method_chosen_recorded_at = models.DateTimeField(null=True)
    authenticated_at = models.DateTimeField(null=True)
    authenticated_recorded_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    paid_recorded_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id is_live status order intent locale submit_type payment_method_types former_total_minor "
        "language is_customer_proven codes allows_codes joins has_receipt "
        "failed_sign_ins_count failed_cards_count failed_codes_count "
        "expires_at created_at opened_at opened_recorded_at method_chosen "
        "method_chosen_at method_chosen_recorded_at authenticated_at authenticated_recorded_at paid_at "
        "paid_recorded_at",
        business="client_reference_id success_url cancel_url granted discounts",
        personal="customer customer_email joiner payment_details payment_metadata metadata",
        secret="code",
    )

    class Meta:
        verbose_name = "checkout session"
        constraints = [
            book_unique("payments_checkoutsession"),
            models.UniqueConstraint(fields=["book_id", "order"], name="payments_checkoutsession_once_an_order"),
            models.CheckConstraint(
                # Without an intent where tenders paid all of it.
                condition=models.Q(status=states.COMPLETE, paid_at__isnull=False)
                | (~models.Q(status=states.COMPLETE) & models.Q(paid_at__isnull=True)),
                name="payments_checkoutsession_is_paid_when_complete",
            ),
        ]
        indexes = [
            # list ?payment_intent=
            models.Index(fields=["book_id", "intent"], name="payments_checkoutsession_int"),
            # list ?customer=
            models.Index(fields=["book_id", "customer", "id"], name="payments_checkoutsession_cust"),
            # the sweep: what was paid and has no receipt
            models.Index(
                fields=["paid_at"],
                condition=models.Q(status=states.COMPLETE, has_receipt=False),
                name="payments_checkoutsession_paid",
            ),
            # the sweep: open sessions of all books by when they end
            models.Index(
                fields=["expires_at"], condition=models.Q(status=states.OPEN), name="payments_checkoutsession_due"
            ),
        ]

    @property
    def prefix(self) -> str:
        """The id's prefix, which tells the mode."""
        return "cs_live" if self.is_live else "cs_test"

    @property
    def shown_id(self) -> str:
        return ids.show(self.prefix, self.pk)

    @property
    def is_open(self) -> bool:
        return self.status == states.OPEN

    @property
    def is_complete(self) -> bool:
        return self.status == states.COMPLETE

    def is_due(self, now: datetime) -> bool:
        """Whether it is too late to pay."""
        return self.is_open and self.expires_at <= now

    @property
    def return_address(self) -> str:
        """Where the payer goes after paying: the merchant's own address, from the session alone."""
        return self.success_url.replace("{CHECKOUT_SESSION_ID}", self.shown_id)
