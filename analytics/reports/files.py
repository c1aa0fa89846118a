"""Files of reports: written under another name, made durable, then put in their place in one step.

They stand under settings.REPORTS_DIR, which all hosts share, in a folder a book, readable by
the platform alone.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from django.conf import settings

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in its place."""

    bytes: int
    sha256: str


def path_of(book_id: UUID, report_id: UUID, form: str) -> Path:
    """Where the file of a report stands."""
    return Path(settings.REPORTS_DIR) / book_id.hex / f"{report_id.hex}.{form}"


@contextmanager
def workshop(book_id: UUID) -> Iterator[Path]:
    """A folder to write in, beside the place where the file will stand. It is gone afterwards."""
    folder = Path(settings.REPORTS_DIR) / book_id.hex
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".") as made:
        yield Path(made)


def keep(written: Path, path: Path) -> Kept:
    """Put a finished file in its place, in the stead of one that stood there."""
    digest = hashlib.sha256()
    with written.open("rb+") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        os.fsync(file.fileno())
    written.chmod(0o600)
    written.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Kept(path.stat().st_size, digest.hexdigest())


def remove(path: Path) -> None:
    """Delete a file, if it is there."""
    with suppress(FileNotFoundError):
        path.unlink()


def sweep(*, older_seconds: int) -> int:
    """Delete what stands there for longer than anything is kept: left by who died in between. Returns how many."""
    oldest, count = time.time() - older_seconds, 0
    for path in Path(settings.REPORTS_DIR).glob("*/*.*"):
        with suppress(FileNotFoundError):
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()
                count += 1
    return count
