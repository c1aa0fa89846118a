"""How many members stand in which tier."""

from uuid import UUID

from django.db.models import Count

from members.directory.models import ACTIVE
from members.loyalty.models import Standing


def counts(programme_id: UUID) -> dict[str, int]:
    """The members of a programme by the key of their tier; "" is none. One statement."""
    rows = Standing.objects.filter(programme_id=programme_id, member__status=ACTIVE)
    return dict(rows.order_by("tier").values_list("tier").annotate(count=Count("pk")))
