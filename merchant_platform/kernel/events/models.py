"""Events: what happened, and to whom it is still to be told."""

from django.db import models
from django.db.models.functions import Now

from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import XidField, book_unique, current_xid


class Event(models.Model):
    """One thing that happened in a book, written in the transaction that made it happen. Append-only.

    A public event is the API's `evt_` object; `data` is the object as it was then,
    rendered once, as JSON text.
    """

    id_prefix = "evt"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    type = models.TextField()
    created_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    data = models.TextField()
    # The id of the object, which each begins with: `{"id":"pi_…`. Computed by the database.
    object_id = models.GeneratedField(
        expression=models.Func(models.F("data"), models.Value('"'), models.Value(4), function="split_part"),
        output_field=models.TextField(),
        db_persist=True,
    )
    previous_attributes = models.TextField(null=True)  # noqa: DJ001  (null says: not an update)
    request_id = models.TextField(null=True)  # noqa: DJ001  (null says: not made by a request)
    idempotency_key = models.TextField(null=True)  # noqa: DJ001
    is_public = models.BooleanField(default=True)
    # Who reads what is new asks by it: neither ids nor times follow the order of commits. Null: before it was kept.
    xid = XidField(null=True, db_default=current_xid())

    privacy = privacy.classes(
        opaque="id book_id type created_at recorded_at object_id request_id is_public xid",
        personal="data previous_attributes idempotency_key",
    )

    class Meta:
        constraints = [book_unique("kernel_event")]
        indexes = [
            # list ?type=, newest first
            models.Index(fields=["book_id", "type", "id"], name="kernel_event_type"),
            # the events of an object
            models.Index(fields=["book_id", "object_id", "id"], name="kernel_event_object"),
            # what was written since a snapshot (payments/webhooks/fan_out.py); it grows at its right edge alone.
            models.Index(fields=["xid"], condition=models.Q(is_public=True), name="kernel_event_xid"),
        ]


class Delivery(models.Model):
    """One target that an event is owed to: a handler of ours, later a merchant's endpoint.

    The queue is this table. A claim is a lease (`claimed_until`); the effect and
    `done_at` commit together, so a crash between them repeats the handler and loses
    nothing.
    """

    id_prefix = "dlv"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    event_id = models.UUIDField()
    target = models.TextField()
    due_at = models.DateTimeField(db_default=Now())
    claimed_until = models.DateTimeField(null=True)
    attempts_count = models.SmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)

    privacy = privacy.classes(
        opaque="id book_id event_id target due_at claimed_until attempts_count done_at dead_at last_error"
    )

    class Meta:
        constraints = [
            book_unique("kernel_delivery"),
            models.UniqueConstraint(fields=["book_id", "event_id", "target"], name="kernel_delivery_is_owed_once"),
        ]
        indexes = [
            # relay: what is due, soonest first; what is done leaves the index.
            models.Index(
                fields=["due_at"],
                condition=models.Q(done_at__isnull=True, dead_at__isnull=True),
                name="kernel_delivery_due",
            ),
        ]
