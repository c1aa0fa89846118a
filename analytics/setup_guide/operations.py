"""Put the setup guide away, and bring it back."""

from datetime import datetime

from analytics.setup_guide.models import GuideDismissal
from merchant_platform.kernel import tenancy
from security.merchants.models import Staff


def dismiss(*, staff: Staff, now: datetime) -> None:
    """Put the guide of the open book away for one member of staff. This will write that once."""
    GuideDismissal.objects.bulk_create(
        [GuideDismissal(book_id=tenancy.book_id(), staff=staff, dismissed_at=now)], ignore_conflicts=True
    )


def bring_back(*, staff: Staff) -> None:
    """Show the guide again. This will delete what `dismiss` wrote."""
    GuideDismissal.objects.filter(book_id=tenancy.book_id(), staff=staff).delete()
