"""The catalogue as a sheet: looked at before anything is written, brought once, taken away and brought again."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from payments.catalog import importing
from security.audit.models import AuditRecord
from tests.desks import TEST, Door, hidden, words
from tests.payments import books
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("B5")]

IMPORT, EXPORT = f"{TEST}/products/import", f"{TEST}/products/export"
SHEET = """name,category,active,cost,currency,price
Oolong,Tea,yes,7.00,CNY,32.00
Oolong,,,,USD,5
Green,Tea,no,,JPY,900
"""


@pytest.fixture
def door(merchant):
    return Door(signed_in(make_staff(merchant, "manager")))


def look(door, data):
    """What the page answers to a file."""
    data = data.encode() if isinstance(data, str) else data
    return door.send(IMPORT, file=SimpleUploadedFile("products.csv", data))


def agree(door, reply):
    """Press the button below the plan."""
    html = reply.content.decode()
    text = reply.context["text"]
    return door.client.post(IMPORT, {**hidden(html), "text": text})


def catalogue(api):
    products = {each["id"]: each["name"] for each in api.get("products").json["data"]}
    found = api.get("prices").json["data"]
    return sorted((products[each["product"]], each["unit_amount"], each["currency"]) for each in found)


class TestBring:
    def test_writes_nothing_before_somebody_agreed(self, api, door):
        with books.unchanged():
            reply = look(door, SHEET)

        text = words(reply)
        assert "New 2" in text
        assert "Changed 1" in text
        assert "cost 7.00 CNY" in text
        assert "price 5.00 USD" in text
        assert api.get("products").json["data"] == []

    def test_does_what_was_agreed_to_once(self, api, door):
        reply = look(door, SHEET)

        replies = [agree(door, reply) for _ in range(2)]

        assert [each.status_code for each in replies] == [303, 303]
        assert catalogue(api) == [("Green", 900, "jpy"), ("Oolong", 500, "usd"), ("Oolong", 3_200, "cny")]
        (green,) = [each for each in api.get("products").json["data"] if each["name"] == "Green"]
        assert (green["active"], green["cost_minor"], green["category"]) == (False, None, "Tea")
        record = AuditRecord.objects.get(action="product.import")
        assert record.detail == {"created": 2, "changed": 1}

    def test_reads_headings_in_chinese_and_speaks_of_them(self, api, door):
        door.client.cookies["django_language"] = "zh-hans"

        text = words(look(door, "名称,分类,在售,成本,币种,价格\n乌龙,茶,是,7.00,CNY,32.00\n"))
        wrong = words(look(door, "名称,价格\n乌龙,abc\n"))
        unknown = words(look(door, "名称,颜色\n乌龙,红\n"))

        assert "成本 7.00 CNY" in text
        assert "价格 32.00 CNY" in text
        assert "价格 abc" in wrong
        assert "列“颜色”未知或重复。可用的列名：商品编号, 名称, 分类, 说明, 在售, 成本, 币种, 价格, 查找键。" in unknown

    def test_finds_nothing_to_do_the_second_time(self, api, door):
        agree(door, look(door, SHEET))

        with books.unchanged():
            again = look(door, SHEET)

        assert "There is nothing to do." in words(again)
        assert "The same 3" in words(again)

    def test_shows_what_a_row_would_change(self, api, door):
        product = api.post("products", {"name": "Oolong", "category": "Tea", "cost_minor": 700}).json

        reply = look(door, f"product,name,category,cost\n{product['id']},Old Oolong,Tea,8.00\n")

        assert "Changed 1" in words(reply)
        html = reply.content.decode()
        assert '<del translate="no">7.00 CNY</del> <ins translate="no">8.00 CNY</ins>' in html
        agree(door, reply)
        changed = api.get(f"products/{product['id']}").json
        assert (changed["name"], changed["cost_minor"]) == ("Old Oolong", 800)

    def test_refuses_what_changed_after_it_was_shown(self, api, door):
        reply = look(door, SHEET)
        api.post("products", {"name": "Oolong"})

        with books.unchanged():
            again = agree(door, reply)

        assert "Somebody changed this meanwhile" in words(again)

    @pytest.mark.parametrize(
        ("row", "problem"),
        [
            (",Tea,,1,CNY,1", "A new product needs a name."),
            ("Tea,,maybe,1,CNY,1", "Write yes or no."),
            ("Tea,,,1.234,CNY,1", "CNY has fewer decimals"),
            ("Tea,,,1,XXX,1", "There is no such currency."),
            ("Tea,,,1,KWD,1.234", "KWD"),
            ('Tea,,,1,CNY,"1.234,50"', "with a point before the decimals"),
            (f"{'x' * 251},,,1,CNY,1", "This is longer than 250 characters."),
        ],
    )
    def test_brings_nothing_where_one_row_is_wrong(self, api, door, row, problem):
        reply = look(door, f"name,category,active,cost,currency,price\nGood,,,,,1\n{row}\n")

        assert problem in words(reply)
        assert "Wrong 1" in words(reply)
        with books.unchanged():
            forced = door.client.post(
                IMPORT, {**door.fields(IMPORT), "agreed": "yes", "text": reply.context["text"], "seen": "x"}
            )
        assert forced.status_code == 200

    def test_names_products_of_this_book_alone(self, door, other_api, api):
        theirs = other_api.post("products", {"name": "Stranger's bread"}).json

        reply = look(door, f"product,name\n{theirs['id']},Mine\n")

        assert "There is no such product here." in words(reply)

    def test_asks_which_of_two_with_one_name(self, api, door):
        for _ in range(2):
            api.post("products", {"name": "Oolong"})

        assert "Several products have this name." in words(look(door, SHEET))

    @pytest.mark.parametrize(
        ("data", "why"),
        [
            (b"\xff\xfe\x00\x01\x80", "This file is no CSV table."),
            (b"PK\x03\x04\x00\x00", "This file is no CSV table."),
            ("price\n1\n", "one of them is name or product"),
            ("name,colour\nTea,red\n", "These are known: product, name,"),
            ("name,name\nTea,Tea\n", "stands twice"),
            ("name\n", "The sheet has no rows."),
            ("name\n" + "Tea\n" * 501, "more than 500 rows"),
            ("name\n" + "x" * importing.BYTES_MAX, "larger than 256 KB"),
            ("", "one of them is name or product"),
        ],
    )
    def test_says_why_a_file_cannot_be_read(self, door, data, why):
        assert why in words(look(door, data))

    def test_reads_what_excel_writes_in_china(self, api, door):
        agree(door, look(door, "name,price\n乌龙茶,32\n".encode("gb18030")))

        assert catalogue(api) == [("乌龙茶", 3_200, "cny")]

    def test_asks_for_a_file(self, door):
        assert "Choose a file." in words(door.send(IMPORT))


class TestExport:
    def test_gives_a_sheet_that_is_found_the_same(self, api, door):
        agree(door, look(door, SHEET))
        api.post("products", {"name": "=SUM(A1)", "description": "-10 %\n+ gift"})

        reply = door.client.post(EXPORT)

        data = b"".join(reply.streaming_content)
        assert b"'=SUM(A1)" in data
        assert AuditRecord.objects.filter(action="product.export").count() == 1
        with books.unchanged():
            again = look(door, data)
        assert "The same 4" in words(again)
        assert "There is nothing to do." in words(again)

    def test_has_nothing_of_another_merchant(self, door, other_api):
        other_api.post("products", {"name": "Stranger's bread"})

        assert b"Stranger" not in b"".join(door.client.post(EXPORT).streaming_content)
