"""What a merchant's developers can read of the requests that their keys made: this row, and nothing else."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import book_unique


class LoggedRequest(models.Model):
    """One request to the API, after it was answered. Its columns are the whole allow-list: a field that has none is
    not kept, and no column takes a body or a header as it came. The id carries the time.
    """

    id_prefix = "req"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    method = models.TextField()
    # The address as the door has it, `/v1/refunds/{id}`, and the object in it or in the answer, if it is one's id.
    path = models.TextField()
    object_id = models.TextField(default="", blank=True)
    status = models.SmallIntegerField()
    # The status' first digit, by which lists are asked.
    status_class = models.SmallIntegerField()
    error_code = models.TextField(default="", blank=True)
    error_param = models.TextField(default="", blank=True)
    key_id = models.UUIDField()
    key_kind = models.TextField()
    # A digest: the key itself can say anything.
    idempotency_key_hash = models.TextField(default="", blank=True)
    # The request whose answer this one was given again.
    original_request_id = models.TextField(default="", blank=True)
    ip = models.TextField(default="", blank=True)
    user_agent = models.TextField(default="", blank=True)
    duration_us = models.IntegerField()
    api_version = models.TextField()
    # Those it drafted; one that was not written leads nowhere.
    event_ids = ArrayField(models.UUIDField(), default=list)

    privacy = privacy.classes(
        opaque="id book_id method path object_id status status_class error_code error_param key_id key_kind"
        " idempotency_key_hash original_request_id duration_us api_version event_ids",
        personal="ip user_agent",
    )

    class Meta:
        constraints = [book_unique("kernel_loggedrequest")]
        # Lists, newest first, by each thing that they can be asked by; the writer fills them, not the payment.
        indexes = [
            models.Index(fields=["book_id", "status_class", "id"], name="kernel_loggedrequest_class"),
            models.Index(fields=["book_id", "method", "id"], name="kernel_loggedrequest_method"),
            models.Index(fields=["book_id", "path", "id"], name="kernel_loggedrequest_path"),
            models.Index(fields=["book_id", "key_id", "id"], name="kernel_loggedrequest_key"),
            models.Index(
                fields=["book_id", "object_id", "id"],
                condition=~models.Q(object_id=""),
                name="kernel_loggedrequest_object",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"
