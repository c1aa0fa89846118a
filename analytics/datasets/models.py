"""The manifest of the datasets: which files there are, and what they hold.

A file counts from the moment that its row here is committed, and until the row goes; a
reader never sees half of one.
"""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import models

from merchant_platform.kernel import privacy


def folder_of(book_id: UUID) -> Path:
    """Where the files of a book are: a path made of an id and nothing else."""
    return settings.DATASETS_DIR / book_id.hex


def made_folder_of(book_id: UUID) -> Path:
    """The same, made where it is missing; no other user may enter."""
    for folder in (settings.DATASETS_DIR, folder_of(book_id)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder_of(book_id)


class Dataset(models.Model):
    """A book whose sales are kept in files; `zone` is what their days were made for. Its writer's lock."""

    book_id = models.UUIDField(primary_key=True)
    zone = models.TextField()

    privacy = privacy.classes(opaque="book_id", business="zone")

    def __str__(self) -> str:
        return str(self.book_id)


class DatasetFile(models.Model):
    """One file: a month that is over, or a day of the month that is not. Its name is `name`, in the book's folder."""

    pk = models.CompositePrimaryKey("book_id", "first_day", "last_day")
    book_id = models.UUIDField()
    first_day = models.DateField()
    last_day = models.DateField()
    name = models.UUIDField()
    rows_count = models.BigIntegerField()
    bytes_count = models.BigIntegerField()
    # SHA-256.
    checksum = models.TextField()

    privacy = privacy.classes(
        opaque="book_id first_day last_day name rows_count bytes_count checksum",
    )

    @property
    def is_day(self) -> bool:
        return self.first_day == self.last_day

    @property
    def path(self) -> Path:
        return folder_of(self.book_id) / f"{self.name.hex}.arrow"

    @property
    def is_whole(self) -> bool:
        """Whether the file is there as it was written: a folder may have been lost, or restored from another time."""
        return self.path.is_file() and self.path.stat().st_size == self.bytes_count


class DatasetErasure(models.Model):
    """A customer who was deleted and may still stand in files: a due row, which goes when they are written anew."""

    pk = models.CompositePrimaryKey("book_id", "customer_id")
    book_id = models.UUIDField()
    customer_id = models.UUIDField()

    privacy = privacy.classes(opaque="book_id", personal="customer_id")
