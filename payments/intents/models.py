"""A payment intent is what a customer is to pay; an attempt is one try at it, the API's charge."""

from django.db import models
from django.db.models.fields.json import KT

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique
from payments.intents import states


class PaymentIntent(models.Model):
    id_prefix = "pi"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    order = TenantForeignKey("payments.Order")
    customer = TenantForeignKey("payments.Customer", null=True, proved_by="references_hold")
    payment_method = TenantForeignKey("payments.PaymentMethod", null=True)
    status = models.TextField()
    amount_minor = models.BigIntegerField()
    received_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    capture_method = models.TextField(default="automatic_async")
    confirmation_method = models.TextField(default="automatic")
    payment_method_types = models.JSONField(default=list)
    # The newest attempt; it points the other way round than Attempt.intent, so it has no constraint.
    latest_attempt_id = models.UUIDField(null=True)
    last_error = models.JSONField(null=True)
    description = models.TextField(null=True)  # noqa: DJ001  (the wire tells null from empty)
    receipt_email = models.TextField(null=True)  # noqa: DJ001
    setup_future_usage = models.TextField(null=True)  # noqa: DJ001
    statement_descriptor = models.TextField(null=True)  # noqa: DJ001
    statement_descriptor_suffix = models.TextField(null=True)  # noqa: DJ001
    transfer_group = models.TextField(null=True)  # noqa: DJ001
    shipping = models.JSONField(null=True)
    # What the request named, shown again; the order itself is `order`.
    order_reference = models.TextField(null=True)  # noqa: DJ001
    metadata = models.JSONField(default=dict)
    cancellation_reason = models.TextField(null=True)  # noqa: DJ001
    canceled_at = models.DateTimeField(null=True)
    # What is held and may be captured, and what the payer is to do: copied from the attempt by its one gate.
    capturable_minor = models.BigIntegerField(default=0, db_default=0)
    next_action = models.JSONField(null=True)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id order payment_method status amount_minor received_minor currency capture_method "
        "confirmation_method payment_method_types latest_attempt_id setup_future_usage cancellation_reason "
        "canceled_at capturable_minor next_action created_at",
        business="statement_descriptor statement_descriptor_suffix transfer_group order_reference",
        personal="customer last_error description receipt_email shipping metadata",
    )

    class Meta:
        verbose_name = "PaymentIntent"
        constraints = [
            book_unique("payments_paymentintent"),
            models.CheckConstraint(
                condition=models.Q(
                    amount_minor__gt=0, received_minor__gte=0, received_minor__lte=models.F("amount_minor")
                ),
                name="payments_paymentintent_receives_at_most_its_amount",
            ),
        ]
        indexes = [
            # list ?customer=
            models.Index(fields=["book_id", "customer", "id"], name="payments_paymentintent_cust"),
            # what an order's live intents cover
            models.Index(fields=["book_id", "order"], name="payments_paymentintent_order"),
            # payments of exactly an amount, newest first
            models.Index(fields=["book_id", "amount_minor", "id"], name="payments_paymentintent_amount"),
            # search status:"…" where little matches; the many that succeeded cost nothing here.
            models.Index(
                fields=["book_id", "status", "id"],
                condition=models.Q(status__in=sorted(states.INTENT_MOVES.states - {states.SUCCEEDED})),
                name="payments_paymentintent_rare",
            ),
        ]


class Attempt(models.Model):
    """One try to move the money of an intent: the charge. At most one of an intent is not final."""

    id_prefix = "ch"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    intent = TenantForeignKey(PaymentIntent)
    # As its intent's when it was made.
    customer = TenantForeignKey("payments.Customer", null=True, proved_by="references_hold")
    payment_method = TenantForeignKey("payments.PaymentMethod", proved_by="references_hold")
    method = models.TextField()
    status = models.TextField()
    amount_minor = models.BigIntegerField()
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    # The plan as it was: a refund gives the fee back by it.
    fee_rate_ppm = models.IntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    entry = TenantForeignKey("payments.Entry", null=True, proved_by="captured_is_posted")
    decline_code = models.TextField(null=True)  # noqa: DJ001
    description = models.TextField(null=True)  # noqa: DJ001
    receipt_email = models.TextField(null=True)  # noqa: DJ001
    statement_descriptor = models.TextField(null=True)  # noqa: DJ001
    statement_descriptor_suffix = models.TextField(null=True)  # noqa: DJ001
    transfer_group = models.TextField(null=True)  # noqa: DJ001
    shipping = models.JSONField(null=True)
    billing_details = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    # --- of an outside provider; a wallet's attempt has none of it ---
    provider = models.TextField(null=True)  # noqa: DJ001  (null: no provider is asked)
    # The provider's own id. Null until it spoke: what we conclude without its word can be overturned by it.
    provider_reference = models.TextField(null=True)  # noqa: DJ001
    is_manual = models.BooleanField(default=False, db_default=False)
    is_off_session = models.BooleanField(default=False, db_default=False)
    # The money came after the intent was closed: recorded, and given back by itself.
    is_late = models.BooleanField(default=False, db_default=False)
    authorized_minor = models.BigIntegerField(default=0, db_default=0)
    captures_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    failure_code = models.TextField(null=True)  # noqa: DJ001
    return_url = models.TextField(null=True)  # noqa: DJ001
    challenge_url = models.TextField(null=True)  # noqa: DJ001
    card = models.JSONField(null=True)
    # What a person reads off a card. Computed by the database, so that plain equality finds it.
    card_last4 = models.GeneratedField(expression=KT("card__last4"), output_field=models.TextField(), db_persist=True)
    authentication = models.JSONField(null=True)
    network = models.JSONField(null=True)
    expires_at = models.DateTimeField(null=True)
    # A capture or void that was sent and not yet seen done; sent again with the same key until it is.
    asked_act = models.TextField(null=True)  # noqa: DJ001
    asked_key = models.TextField(null=True)  # noqa: DJ001
    asked_minor = models.BigIntegerField(null=True)
    asked_until_minor = models.BigIntegerField(null=True)
    asked_is_final = models.BooleanField(null=True)
    # When the sweep asks next, in the world's time; it stamps what it first sees.
    due_at = models.DateTimeField(null=True)
    asked_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id intent payment_method method status amount_minor captured_minor refunded_minor currency "
        "fee_rate_ppm fee_minor entry decline_code provider provider_reference is_manual is_off_session is_late "
        "authorized_minor captures_count failure_code challenge_url authentication network expires_at asked_act "
        "asked_key asked_minor asked_until_minor asked_is_final due_at asked_count created_at",
        business="statement_descriptor statement_descriptor_suffix transfer_group return_url",
        personal="customer description receipt_email shipping billing_details metadata card card_last4",
    )

    class Meta:
        verbose_name = "charge"
        constraints = [
            book_unique("payments_attempt"),
            models.UniqueConstraint(
                fields=["book_id", "intent"],
                condition=models.Q(status=states.CREATED),
                name="payments_attempt_one_open_an_intent",
            ),
            models.UniqueConstraint(
                fields=["book_id", "intent"],
                condition=models.Q(status__in=sorted(states.UNDER_WAY), is_late=False),
                name="payments_attempt_one_under_way_an_intent",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    captured_minor__lte=models.F("amount_minor"),
                    refunded_minor__gte=0,
                    refunded_minor__lte=models.F("captured_minor"),
                ),
                name="payments_attempt_is_never_overrefunded",
            ),
        ]
        indexes = [
            # the attempts of an intent
            models.Index(fields=["book_id", "intent"], name="payments_attempt_intent"),
            # search status:"…", as above
            models.Index(
                fields=["book_id", "status", "id"],
                condition=models.Q(status__in=sorted(states.ATTEMPT_MOVES.states - {states.CAPTURED})),
                name="payments_attempt_rare",
            ),
            # list charges ?customer=
            models.Index(fields=["book_id", "customer", "id"], name="payments_attempt_customer"),
            # payments by a card's last four digits, and those of which something was given back, newest first
            models.Index(
                fields=["book_id", "card_last4", "intent"],
                condition=models.Q(card_last4__isnull=False),
                name="payments_attempt_last4",
            ),
            models.Index(
                fields=["book_id", "intent"],
                condition=models.Q(refunded_minor__gt=0),
                name="payments_attempt_refunded",
            ),
            # the sweep, over all books: what is under way with a provider
            models.Index(
                fields=["due_at"],
                condition=models.Q(status__in=sorted(states.UNDER_WAY)),
                name="payments_attempt_due",
            ),
        ]


class Refund(models.Model):
    id_prefix = "re"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    attempt = TenantForeignKey(Attempt)
    intent = TenantForeignKey(PaymentIntent)
    status = models.TextField()
    amount_minor = models.BigIntegerField()
    fee_returned_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    reason = models.TextField(null=True)  # noqa: DJ001
    # The money leaves the merchant when the refund is asked for, and comes back should it fail.
    entry = TenantForeignKey("payments.Entry")
    failure_entry = TenantForeignKey("payments.Entry", null=True)
    provider_reference = models.TextField(null=True)  # noqa: DJ001
    failure_reason = models.TextField(null=True)  # noqa: DJ001
    due_at = models.DateTimeField(null=True)
    asked_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id attempt intent status amount_minor fee_returned_minor currency reason entry failure_entry "
        "provider_reference failure_reason due_at asked_count created_at",
        personal="metadata",
    )

    class Meta:
        constraints = [
            book_unique("payments_refund"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_refund_gives_something"),
        ]
        indexes = [
            # the refunds of a charge, and of an intent
            models.Index(fields=["book_id", "attempt"], name="payments_refund_attempt"),
            models.Index(fields=["book_id", "intent"], name="payments_refund_intent"),
            # refunds of a state, where few are in it
            models.Index(
                fields=["book_id", "status", "id"],
                condition=~models.Q(status=states.REFUND_SUCCEEDED),
                name="payments_refund_rare",
            ),
            # the sweep, over all books: what a provider has not finished
            models.Index(
                fields=["due_at"], condition=models.Q(status=states.REFUND_PENDING), name="payments_refund_due"
            ),
        ]


class RefundLine(models.Model):
    """Which order line a refund gives back, and how much of it."""

    id_prefix = "rli"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # What gave it back: a charge, or a tender that is no payment.
    refund = TenantForeignKey(Refund, null=True)
    tender_refund = TenantForeignKey("payments.TenderRefund", null=True)
    order_line = TenantForeignKey("payments.OrderLine")
    quantity = models.PositiveIntegerField(default=0)
    amount_minor = models.BigIntegerField()

    privacy = privacy.classes(opaque="id book_id refund tender_refund order_line quantity amount_minor")

    class Meta:
        constraints = [
            book_unique("payments_refundline"),
            models.CheckConstraint(condition=models.Q(amount_minor__gt=0), name="payments_refundline_gives_something"),
            models.CheckConstraint(
                condition=models.Q(refund__isnull=True) ^ models.Q(tender_refund__isnull=True),
                name="payments_refundline_of_one_refund",
            ),
        ]
        indexes = [
            models.Index(fields=["book_id", "refund"], name="payments_refundline_refund"),
        ]


class SetupIntent(models.Model):
    """A card to be saved for later: verified with the provider, the payer challenged where the bank asks for it."""

    id_prefix = "seti"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    customer = TenantForeignKey("payments.Customer", null=True)
    payment_method = TenantForeignKey("payments.PaymentMethod", null=True)
    status = models.TextField()
    usage = models.TextField(default="off_session")
    payment_method_types = models.JSONField(default=list)
    description = models.TextField(null=True)  # noqa: DJ001
    return_url = models.TextField(null=True)  # noqa: DJ001
    next_action = models.JSONField(null=True)
    last_error = models.JSONField(null=True)
    cancellation_reason = models.TextField(null=True)  # noqa: DJ001
    canceled_at = models.DateTimeField(null=True)
    metadata = models.JSONField(default=dict)
    # The newest try with the provider: its id is the provider's key.
    latest_attempt_id = models.UUIDField(null=True)
    provider = models.TextField(null=True)  # noqa: DJ001
    provider_reference = models.TextField(null=True)  # noqa: DJ001
    currency = models.CharField(max_length=3)
    due_at = models.DateTimeField(null=True)
    asked_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()

    privacy = privacy.classes(
        opaque="id book_id payment_method status usage payment_method_types next_action cancellation_reason "
        "canceled_at latest_attempt_id provider provider_reference currency due_at asked_count created_at",
        business="return_url",
        personal="customer description last_error metadata",
    )

    class Meta:
        verbose_name = "SetupIntent"
        constraints = [book_unique("payments_setupintent")]
        indexes = [
            # list ?customer=
            models.Index(fields=["book_id", "customer", "id"], name="payments_setupintent_cust"),
            # list ?payment_method=
            models.Index(fields=["book_id", "payment_method", "id"], name="payments_setupintent_method"),
            # a provider's notice names the try
            models.Index(fields=["book_id", "latest_attempt_id"], name="payments_setupintent_try"),
            # the sweep, over all books
            models.Index(
                fields=["due_at"],
                condition=models.Q(status__in=[states.PROCESSING, states.REQUIRES_ACTION]),
                name="payments_setupintent_due",
            ),
        ]


class ParkedReport(models.Model):
    """A provider's report that contradicts what we asked or know: nothing moves until a person has looked."""

    id_prefix = "park"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # The charge or refund that the report names, as the provider was told it.
    key = models.TextField()
    reason = models.TextField()
    report = models.JSONField()
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id book_id key reason created_at resolved_at", personal="report")

    class Meta:
        constraints = [
            book_unique("payments_parkedreport"),
            # The same report parks once, however often it comes.
            models.UniqueConstraint(
                fields=["book_id", "key", "reason"],
                condition=models.Q(resolved_at__isnull=True),
                name="payments_parkedreport_once_a_reason",
            ),
        ]
