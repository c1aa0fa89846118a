"""Questions about the catalogue that the pages of staff ask."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from payments.catalog.models import Price, Product, name_key

# Greater than any character that a name can go on with, in the order of code points.
_LAST = "\U0010ffff"


def products(*, is_active: bool | None = None, text: str = "") -> "QuerySet[Product]":
    """The products of the open book: on sale, put away, or both; those whose name begins with a text."""
    rows = Product.objects.filter(deleted_at__isnull=True)
    if is_active is not None:
        rows = rows.filter(is_active=is_active)
    start = name_key(text)
    return rows.filter(name_key__gte=start, name_key__lt=start + _LAST) if start else rows


def prices_of(product_ids: Iterable[UUID]) -> dict[UUID, list[Price]]:
    """The prices of some products, oldest first, by product."""
    found: dict[UUID, list[Price]] = {identifier: [] for identifier in product_ids}
    for price in Price.objects.filter(product_id__in=list(found)).order_by("pk"):
        found[price.product_id].append(price)
    return found
