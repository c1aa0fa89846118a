"""Files that people bring: the one place where they are judged before anything reads them.

    text = uploads.sheet(request.FILES["file"], bytes_max=256 * 1024)      # a CSV table, as text
    data = uploads.picture(request.FILES["logo"], bytes_max=1024 * 1024)   # a PNG of our own making

What a file is called and what it begins with must agree; the type that a browser claims
is never asked. Nothing is unpacked to find out how large it is: a table comes as plain
text, and of a picture the size in its header is looked at first. What is larger than any
page takes is not read at all (`Bounded`, which settings name as the upload handler).
"""

import re
import warnings
from io import BytesIO
from pathlib import PurePath

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from PIL import Image, ImageOps

from merchant_platform.kernel.errors import Invalid

# UTF-8 with or without a mark, else what Excel writes in China.
ENCODINGS = ("utf-8-sig", "gb18030")
# How files begin that are no table though they decode as text.
_NO_TABLE = ("%PDF", "GIF8", "BZh", "Rar!", "{\\rtf", "<")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# A picture's format by the end of its name, and how such a file begins. No SVG: it is a page with scripts.
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_BEGINNINGS = {
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
}
PIXELS_MAX, PHOTO_PIXELS_MAX = 4_000_000, 25_000_000


class Unfit(Invalid):
    """The file is not what was asked for. `why`: `too_large`, `wrong_name`, `not_text`, `not_a_picture`,
    `animated` or `too_many_pixels`."""

    def __init__(self, message: str, *, why: str = "not_text") -> None:
        super().__init__(message, param="file")
        self.why = why


def sheet(file: UploadedFile, *, bytes_max: int) -> str:
    """The text of a CSV file. Raises Unfit."""
    data = _read(file, bytes_max)
    if _suffix(file) != ".csv":
        raise Unfit("The name of a table ends in .csv.", why="wrong_name")
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROL.search(text) and not text.lstrip().startswith(_NO_TABLE):
            return text
    raise Unfit("The file is no text.", why="not_text")


def picture(file: UploadedFile, *, bytes_max: int, pixels_max: int = PIXELS_MAX, side_max: int | None = None) -> bytes:
    """A PNG with the same pixels. This will paint it anew, so that nothing hidden in the file (a place, a script,
    a second file behind the first) is kept; smaller where a side is longer than `side_max`. Raises Unfit.
    """
    data = _read(file, bytes_max)
    form = _FORMATS.get(_suffix(file))
    if form is None:
        raise Unfit("The name of a picture ends in .png, .jpg or .webp.", why="wrong_name")
    if not _BEGINNINGS[form].match(data):
        raise Unfit("The file is not the picture that its name says.", why="not_a_picture")
    painted = BytesIO()
    try:
        with warnings.catch_warnings():
            # Pillow's own word on bombs comes at sizes far beyond ours.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(BytesIO(data), formats=[form])
        # Phones put further pictures behind a JPEG's own; those are left. Elsewhere they are a film.
        if form != "JPEG" and getattr(opened, "n_frames", 1) > 1:
            raise Unfit("The picture moves.", why="animated")
        if form == "JPEG" and side_max is not None and opened.width * opened.height <= PHOTO_PIXELS_MAX:
            # Read in an eighth, a quarter or half of its size: what a phone takes needs no more memory than a logo.
            opened.draft("RGB", (side_max, side_max))
        if opened.width * opened.height > pixels_max:
            raise Unfit(f"The picture has more than {pixels_max} pixels.", why="too_many_pixels")
        # Turned as the camera was held, before the note that says so goes.
        anew = ImageOps.exif_transpose(opened).convert("RGBA")
        if side_max is not None:
            anew.thumbnail((side_max, side_max))
        anew.save(painted, "PNG")
    except Image.DecompressionBombError as error:
        raise Unfit(f"The picture has more than {pixels_max} pixels.", why="too_many_pixels") from error
    except Unfit:
        raise
    # A broken picture fails in as many ways as there are formats and notes in it; Pillow names no common one.
    except Exception as error:
        raise Unfit("The picture cannot be read.", why="not_a_picture") from error
    return painted.getvalue()


def _read(file: UploadedFile, bytes_max: int) -> bytes:
    data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise Unfit(f"The file has more than {bytes_max} bytes.", why="too_large")
    return data


def _suffix(file: UploadedFile) -> str:
    return PurePath(file.name or "").suffix.lower()


class Bounded(MemoryFileUploadHandler):
    """Keeps an upload in memory, and refuses one that is larger than any page takes before it is read."""

    def handle_raw_input(self, input_data, META, content_length, boundary, encoding=None) -> None:
        if content_length > settings.UPLOAD_BYTES_MAX:
            raise RequestDataTooBig(f"An upload has at most {settings.UPLOAD_BYTES_MAX} bytes.")
        self.activated = True
