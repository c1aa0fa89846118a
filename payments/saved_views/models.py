"""Filters of a list that somebody wants to find again, by a name."""

from django.db import models

from merchant_platform.kernel import ids, privacy
from merchant_platform.kernel.tables import book_unique

NAME_MAX, QUERY_MAX = 60, 2_000


class SavedView(models.Model):
    """A list's filters under a name: one person's own, or shared with all who see the list."""

    id_prefix = "view"
    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    # Which list: the name of its page.
    page = models.TextField()
    staff = models.ForeignKey("security.Staff", models.PROTECT, related_name="+", db_index=False)
    name = models.TextField()
    # The filters as the address says them.
    query = models.TextField()
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    # The filters may name a customer.
    privacy = privacy.classes(
        opaque="id book_id page is_shared created_at deleted_at", business="name", personal="staff query"
    )

    class Meta:
        constraints = [
            book_unique("payments_savedview"),
            models.UniqueConstraint(
                fields=["book_id", "page", "staff", "name"],
                condition=models.Q(deleted_at__isnull=True),
                name="payments_savedview_name_once_a_person",
            ),
        ]
        indexes = [
            # those that are shared
            models.Index(
                fields=["book_id", "page"],
                condition=models.Q(is_shared=True, deleted_at__isnull=True),
                name="payments_savedview_shared",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def shown_id(self) -> str:
        return ids.show("view", self.pk)
