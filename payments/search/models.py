from django.db import models

from merchant_platform.kernel import privacy


class MetadataTerm(models.Model):
    """One metadata pair of one object, as a row: what `metadata["key"]:"value"` finds by plain equality.

    Under row-level security no GIN index is reached, so a pair is a row of its own.
    """

    pk = models.CompositePrimaryKey("book_id", "kind", "object_id", "key")
    book_id = models.UUIDField()
    kind = models.TextField()
    object_id = models.UUIDField()
    key = models.TextField()
    value = models.TextField()

    privacy = privacy.classes(opaque="book_id kind object_id", personal="key value")

    class Meta:
        indexes = [
            # search: metadata["key"]:"value", newest first.
            models.Index(fields=["book_id", "kind", "key", "value", "object_id"], name="payments_metadataterm_pair"),
        ]
