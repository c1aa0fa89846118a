"""Questions about saved views."""

from uuid import UUID

from django.db.models import Q

from payments.saved_views.models import SavedView

SHOWN_MAX = 60


def shown_to(*, page: str, staff_id: UUID) -> list[SavedView]:
    """The views of a list that a person sees: the own ones and those that others share, by name. One statement."""
    mine, shared = Q(staff_id=staff_id), Q(is_shared=True)
    views = SavedView.objects.filter(mine | shared, page=page, deleted_at__isnull=True)
    return list(views.order_by("name", "pk")[:SHOWN_MAX])
