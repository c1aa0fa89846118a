"""What the datasets do when they hear that a customer is gone: a due row, and nothing that reads a file."""

from analytics.datasets.models import DatasetErasure
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load


def on_customer_deleted(event: Event) -> None:
    """React to `customer.deleted`. This will note that the customer is to be taken out of the files."""
    customer_id = ids.parse("cus", load(event.data)["id"])
    DatasetErasure.objects.get_or_create(book_id=tenancy.book_id(), customer_id=customer_id)
