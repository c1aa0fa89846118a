"""Endpoints that merchants want to be told at, what each is owed, and every try."""

from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

ENABLED, DISABLED = "enabled", "disabled"
# Why an endpoint is disabled: the merchant said so, it answered 410, or it failed for days.
BY_MERCHANT, GONE, FAILING = "merchant", "gone", "failing"
PENDING, SUCCEEDED, FAILED, CANCELED = "pending", "succeeded", "failed", "canceled"


class WebhookEndpoint(models.Model):
    """An address of a merchant that is told of events, by types (`*` is all of them)."""

    id_prefix = "we"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    url = models.TextField()
    enabled_events = models.JSONField()
    description = models.TextField(null=True)  # noqa: DJ001  (the wire tells null from empty)
    metadata = models.JSONField(default=dict)
    api_version = models.TextField(null=True)  # noqa: DJ001
    status = models.TextField(default=ENABLED)
    disabled_reason = models.TextField(default="", blank=True)
    sealed_secret = models.TextField()
    # Signs beside the new secret until then.
    sealed_old_secret = models.TextField(null=True)  # noqa: DJ001
    old_secret_until = models.DateTimeField(null=True)
    # The first failure since the last success.
    failing_since = models.DateTimeField(null=True)
    # A pg_snapshot: what was visible in it happened before this endpoint listened. Null: all is news to it.
    listens_since = models.TextField(null=True)  # noqa: DJ001
    # When its people last had it tried: a test is a dozen requests, and one at a time.
    tested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id api_version status disabled_reason old_secret_until failing_since listens_since tested_at"
        " created_at deleted_at",
        business="url enabled_events description metadata",
        secret="sealed_secret sealed_old_secret",
    )

    class Meta:
        constraints = [
            book_unique("payments_webhookendpoint"),
            models.CheckConstraint(
                condition=models.Q(status__in=[ENABLED, DISABLED]), name="payments_webhookendpoint_status_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def is_enabled(self) -> bool:
        return self.status == ENABLED


class WebhookDelivery(models.Model):
    """One event that one endpoint is owed. The queue is this table; a claim is a lease (`claimed_until`)."""

    id_prefix = "whd"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    endpoint = TenantForeignKey(WebhookEndpoint)
    event = TenantForeignKey("kernel.Event")
    status = models.TextField(default=PENDING)
    attempts_count = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id endpoint event status attempts_count due_at claimed_until created_at finished_at"
    )

    class Meta:
        constraints = [
            book_unique("payments_webhookdelivery"),
            models.UniqueConstraint(
                fields=["book_id", "endpoint", "event"], name="payments_webhookdelivery_is_owed_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[PENDING, SUCCEEDED, FAILED, CANCELED]),
                name="payments_webhookdelivery_status_is_known",
            ),
        ]
        indexes = [
            # courier: which endpoints wait, and what each is owed soonest; what is finished leaves the index.
            models.Index(
                fields=["endpoint", "due_at", "id"],
                condition=models.Q(status=PENDING),
                name="payments_webhookdelivery_due",
            ),
            # deliveries of an endpoint, newest first
            models.Index(fields=["book_id", "endpoint", "id"], name="payments_webhookdelivery_list"),
            # those that failed, among many that did not
            models.Index(fields=["book_id", "endpoint", "status", "id"], name="payments_webhookdelivery_state"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}"


class WebhookAttempt(models.Model):
    """One request that was sent, or could not be, and what came back."""

    id_prefix = "wha"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    delivery = TenantForeignKey(WebhookDelivery)
    number = models.SmallIntegerField()
    attempted_at = models.DateTimeField()
    duration_ms = models.IntegerField()
    outcome = models.TextField()
    http_status = models.SmallIntegerField(null=True)
    detail = models.TextField(default="", blank=True)
    # The first bytes of the answer, as text, and its headers, a line each.
    response_body = models.TextField(default="", blank=True)
    response_headers = models.TextField(default="", db_default="", blank=True)
    next_attempt_at = models.DateTimeField(null=True)

    privacy = privacy.classes(
        opaque="id book_id delivery number attempted_at duration_ms outcome http_status next_attempt_at",
        business="detail response_body response_headers",
    )

    class Meta:
        constraints = [book_unique("payments_webhookattempt")]
        indexes = [
            # attempts of a page of deliveries
            models.Index(fields=["book_id", "delivery", "id"], name="payments_webhookattempt_of"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.outcome}"


class WebhookCursor(models.Model):
    """Up to where events were fanned out, of all books: the snapshot in which that was done. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    # A pg_snapshot as text, and the cluster whose transactions it names.
    snapshot = models.TextField()
    system_identifier = models.BigIntegerField()
    moved_at = models.DateTimeField()

    privacy = privacy.classes(opaque="id snapshot system_identifier moved_at")

    def __str__(self) -> str:
        return self.snapshot
