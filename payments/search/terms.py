"""Keep an object's metadata findable: its pairs are rows."""

from collections.abc import Mapping
from uuid import UUID

from merchant_platform.kernel import tenancy
from payments.search.models import MetadataTerm


def write(kind: str, object_id: UUID, metadata: Mapping[str, str]) -> None:
    """Make an object's pairs findable. This will replace its rows in the open unit of work."""
    MetadataTerm.objects.filter(book_id=tenancy.book_id(), kind=kind, object_id=object_id).delete()
    add(kind, object_id, metadata)


def add(kind: str, object_id: UUID, metadata: Mapping[str, str]) -> None:
    """The same for an object that is new."""
    if metadata:
        MetadataTerm.objects.bulk_create(
            MetadataTerm(book_id=tenancy.book_id(), kind=kind, object_id=object_id, key=key, value=value)
            for key, value in metadata.items()
        )
