"""Keep an object's metadata findable: its pairs are rows."""

from collections.abc import Mapping
from uuid import UUID

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.writes import Writes, writing
from payments.search.models import MetadataTerm


def write(kind: str, object_id: UUID, metadata: Mapping[str, str]) -> None:
    """Make an object's pairs findable. This will replace its rows in the open unit of work."""
    MetadataTerm.objects.filter(book_id=tenancy.book_id(), kind=kind, object_id=object_id).delete()
    add(kind, object_id, metadata)


def add(kind: str, object_id: UUID, metadata: Mapping[str, str], *, into: Writes | None = None) -> None:
    """The same for an object that is new."""
    if not metadata:
        return
    with writing(into) as writes:
        writes.insert(
            *(
                unsaved(MetadataTerm, book_id=tenancy.book_id(), kind=kind, object_id=object_id, key=key, value=value)
                for key, value in metadata.items()
            )
        )
