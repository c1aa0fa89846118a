"""Pictures of products: kept under the hash of what they show, so that one never changes and none is kept twice.

They lie in the default storage (settings.STORAGES) and are shown from our own address,
which stands in the product's `images` like any other.
"""

import hashlib
import re
from collections.abc import Sequence

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

FOLDER = "pictures"
_OWN = re.compile(r"/pictures/[0-9a-f]{64}\.png")


def keep(png: bytes) -> str:
    """Keep a picture that was painted anew (kernel/web/uploads.py). This will store it and return its address."""
    digest = hashlib.sha256(png).hexdigest()
    if not default_storage.exists(_path(digest)):
        default_storage.save(_path(digest), ContentFile(png))
    return f"{settings.PUBLIC_URL}/{FOLDER}/{digest}.png"


def read(digest: str) -> bytes | None:
    """A picture by the hash of its content; None where there is none, or it is not what its name says."""
    try:
        with default_storage.open(_path(digest)) as file:
            png = file.read()
    except FileNotFoundError:
        return None
    return png if hashlib.sha256(png).hexdigest() == digest else None


def own(images: Sequence[str]) -> str:
    """The first of a product's pictures that we keep, as a page may show it; pages load nothing from elsewhere."""
    addresses = (image.removeprefix(settings.PUBLIC_URL) for image in images)
    return next((address for address in addresses if _OWN.fullmatch(address)), "")


def _path(digest: str) -> str:
    return f"{FOLDER}/{digest[:2]}/{digest}.png"
