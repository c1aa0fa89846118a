from django.db import models

from merchant_platform.kernel import privacy

EMAIL, SMS = "email", "sms"
QUEUED, SENT, FAILED, SUPPRESSED = "queued", "sent", "failed", "suppressed"


class Message(models.Model):
    """One message to one person: the outbox, and afterwards what was sent."""

    id_prefix = "msg"
    id = models.UUIDField(primary_key=True, editable=False)
    channel = models.TextField()
    # A telephone number stands here masked, and sealed in the field below.
    address = models.TextField()
    sealed_address = models.TextField(default="", db_default="", blank=True)
    # What kind of message it is, by the name of its template.
    template = models.TextField()
    language = models.TextField()
    subject = models.TextField(default="", blank=True)
    # Sealed (security/messaging/bodies.py): most bodies are codes.
    body = models.TextField()
    status = models.TextField(default=QUEUED)
    attempts_count = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)

    privacy = privacy.classes(
        opaque="id channel template language status attempts_count created_at next_attempt_at sent_at last_error",
        personal="address subject",
        secret="body sealed_address",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=[QUEUED, SENT, FAILED, SUPPRESSED]),
                name="security_message_status_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(channel__in=[EMAIL, SMS]), name="security_message_channel_is_known"
            ),
        ]
        indexes = [
            # What is due.
            models.Index(fields=["next_attempt_at"], condition=models.Q(status=QUEUED), name="security_message_by_due"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.template}"


class Suppression(models.Model):
    """An address that nothing is sent to: it bounced, or its owner wants no more."""

    id_prefix = "sup"
    id = models.UUIDField(primary_key=True, editable=False)
    channel = models.TextField()
    # SHA-256 of the address: the list names nobody.
    digest = models.BinaryField()
    reason = models.TextField()
    created_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque="id channel reason created_at lifted_at", secret="digest")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "digest"], name="security_suppression_once_an_address"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.reason}"
