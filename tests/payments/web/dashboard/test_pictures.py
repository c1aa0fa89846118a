"""Pictures of products: painted anew, kept under their hash, shown from our own address wherever the product is."""

from io import BytesIO
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from payments.catalog import pictures
from tests.desks import TEST
from tests.payers import offer
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("B27")]


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}},
    }
    return tmp_path


@pytest.fixture
def client(merchant):
    return signed_in(make_staff(merchant, "manager"))


def drawn(form="JPEG", size=(1_200, 600), **more):
    file = BytesIO()
    Image.new("RGB", size, "red").save(file, form, **more)
    return file.getvalue()


def bring(client, data, name="tea.jpg", **more):
    file = SimpleUploadedFile(name, data, content_type="text/html")
    return client.post(f"{TEST}/products/new", {"name": "Oolong", "picture": file, **more})


class TestPicture:
    def test_is_shown_in_the_list_on_the_pay_page_and_in_the_api(self, api, client, files, settings):
        hidden = b"<script>alert(1)</script>"

        bring(client, drawn() + hidden, images="https://example.com/other.png", price_amount="32", price_currency="CNY")

        [product] = api.get("products").json["data"]
        own, other = product["images"]
        assert (own.startswith(f"{settings.PUBLIC_URL}/pictures/"), other) == (True, "https://example.com/other.png")
        address = own.removeprefix(settings.PUBLIC_URL)
        shown = Client().get(address)
        assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
        assert shown["Cache-Control"] == "public, max-age=31536000, immutable"
        assert shown["X-Content-Type-Options"] == "nosniff"
        assert hidden not in shown.content
        assert Image.open(BytesIO(shown.content)).size == (640, 320)
        assert f'src="{address}"' in client.get(f"{TEST}/products").content.decode()
        session = offer(api, {"price": product["default_price"], "quantity": 1})
        page = Client().get(urlsplit(session["url"]).path).content.decode()
        assert f'src="{address}"' in page
        assert "example.com/other.png" not in page

    def test_is_kept_once_and_does_not_change(self, client, files):
        bring(client, drawn())
        bring(client, drawn())

        [kept] = files.rglob("*.png")
        digest = kept.stem
        assert pictures.read(digest) == kept.read_bytes()
        kept.write_bytes(b"another")
        assert Client().get(f"/pictures/{digest}.png").status_code == 404

    @pytest.mark.parametrize(
        ("name", "data"),
        [
            ("tea.svg", b"<svg/>"),
            ("tea.png", drawn("JPEG")),
            ("tea.png", b"\x89PNG\r\n\x1a\n" + b"x" * 100),
            ("tea.jpg", drawn(size=(4_001, 1_000))),
            ("tea.jpg", b"\xff\xd8\xff" + b"0" * (2 * 1024 * 1024)),
            ("tea.jpg", b""),
        ],
    )
    def test_is_refused_at_its_field_and_kept_nowhere(self, api, client, files, name, data):
        reply = bring(client, data, name)

        assert (reply.status_code, list(reply.context["form"].errors)) == (200, ["picture"])
        assert list(files.rglob("*.png")) == []
        assert api.get("products").json["data"] == []

    @pytest.mark.parametrize("name", ["0" * 64, "x", "..%2f..%2fsettings", "A" * 64])
    def test_is_not_there_for_another_name(self, name):
        assert Client().get(f"/pictures/{name}.png").status_code == 404
