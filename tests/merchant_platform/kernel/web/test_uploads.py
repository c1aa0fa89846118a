import struct
import zlib
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from merchant_platform.kernel.web import uploads

pytestmark = pytest.mark.requirement("A44")

BYTES_MAX = 64 * 1024


def refused(read, name, data, **limits):
    with pytest.raises(uploads.Unfit) as unfit:
        read(SimpleUploadedFile(name, data), bytes_max=BYTES_MAX, **limits)
    return unfit.value.why


def painted(form, size=(4, 2), **more):
    file = BytesIO()
    Image.new("RGB", size, "red").save(file, form, **more)
    return file.getvalue()


def chunk(kind, data):
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb():
    """A PNG of a few hundred bytes that says it is 60,000 pixels wide and as high."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


class TestSheet:
    @pytest.mark.parametrize(
        "data", ["姓名,电话\n".encode(), "\ufeff姓名,电话\n".encode(), "姓名,电话\n".encode("gb18030")]
    )
    def test_reads_what_spreadsheets_write(self, data):
        text = uploads.sheet(SimpleUploadedFile("people.CSV", data), bytes_max=BYTES_MAX)

        assert text == "姓名,电话\n"

    @pytest.mark.parametrize(
        ("name", "data", "why"),
        [
            ("people.xlsx", b"name\nA\n", "wrong_name"),
            ("people.csv.exe", b"name\nA\n", "wrong_name"),
            ("people", b"name\nA\n", "wrong_name"),
            ("people.csv", b"PK\x03\x04\x14\x00\x00\x00", "not_text"),
            ("people.csv", b"\x1f\x8b\x08\x00\x00", "not_text"),
            ("people.csv", b"%PDF-1.7\n", "not_text"),
            ("people.csv", b"\n <html><script>alert(1)</script>", "not_text"),
            ("people.csv", b"name\n\x00A\n", "not_text"),
            ("people.csv", b"name\n\x1bA\n", "not_text"),
            ("people.csv", b"\x81\xff\xff", "not_text"),
            ("people.csv", b"a" * (BYTES_MAX + 1), "too_large"),
        ],
    )
    def test_refuses_what_is_no_table(self, name, data, why):
        assert refused(uploads.sheet, name, data) == why


class TestPicture:
    @pytest.mark.parametrize(
        ("name", "form"), [("a.png", "PNG"), ("a.JPG", "JPEG"), ("a.jpeg", "JPEG"), ("a.webp", "WEBP")]
    )
    def test_paints_it_anew(self, name, form):
        data = uploads.picture(SimpleUploadedFile(name, painted(form)), bytes_max=BYTES_MAX)

        with Image.open(BytesIO(data)) as opened:
            assert (opened.format, opened.size) == ("PNG", (4, 2))

    def test_keeps_nothing_hidden_in_the_file(self):
        place = Image.Exif()
        place[0x010E] = "taken at home"
        file = SimpleUploadedFile("a.jpg", painted("JPEG", exif=place) + b"PK\x03\x04<script>")

        data = uploads.picture(file, bytes_max=BYTES_MAX)

        assert b"home" not in data
        assert b"<script>" not in data

    def test_takes_what_a_phone_takes(self):
        turned = Image.Exif()
        turned[0x0112] = 6  # The camera was held upright.
        photo = BytesIO()
        large, small = (Image.new("RGB", size, "navy") for size in ((4_000, 3_000), (400, 300)))
        large.save(photo, "MPO", save_all=True, append_images=[small], exif=turned)

        data = uploads.picture(SimpleUploadedFile("a.jpg", photo.getvalue()), bytes_max=1_000_000, side_max=640)

        with Image.open(BytesIO(data)) as opened:
            assert (opened.format, opened.size) == ("PNG", (480, 640))

    @pytest.mark.parametrize(("form", "name"), [("WEBP", "a.webp"), ("PNG", "a.png")])
    def test_takes_no_film(self, form, name):
        film = BytesIO()
        Image.new("RGB", (4, 2)).save(film, form, save_all=True, append_images=[Image.new("RGB", (4, 2), "red")])

        assert refused(uploads.picture, name, film.getvalue()) == "animated"

    @pytest.mark.parametrize(
        ("name", "data", "why"),
        [
            ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "wrong_name"),
            ("a.gif", painted("GIF"), "wrong_name"),
            ("a.png", painted("JPEG"), "not_a_picture"),
            ("a.png", b"<html>", "not_a_picture"),
            ("a.png", painted("PNG")[:40], "not_a_picture"),
            ("a.png", painted("PNG").replace(chunk(b"IEND", b""), chunk(b"iCCP", b"")), "not_a_picture"),
            ("a.png", bomb(), "too_many_pixels"),
            ("a.png", painted("PNG", (101, 100)), "too_many_pixels"),
            ("a.png", b"\x89PNG" + b"a" * BYTES_MAX, "too_large"),
        ],
    )
    def test_refuses_what_is_none(self, name, data, why):
        assert refused(uploads.picture, name, data, pixels_max=10_000) == why


class TestBounded:
    def test_refuses_a_flood_before_reading_it(self, settings):
        settings.UPLOAD_BYTES_MAX = 1_000
        flood = {"file": SimpleUploadedFile("a.csv", b"a" * 1_001)}

        reply = Client().post("/accounts/login/", flood)

        assert reply.status_code == 413
