"""What nobody may write, sent to every door that writes: the API refuses it by its name, a form does as without it."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.db import connection, transaction

from merchant_platform.kernel.api import openapi
from merchant_platform.tables import PLATFORM, TENANT
from security.merchants.models import TEST
from tests.merchant_platform.docs.reading import Page
from tests.security.access.doors import doors
from tests.security.access.objects import Objects
from tests.security.access.stillness import Stillness
from tests.staff import signed_in

pytestmark = [
    pytest.mark.django_db(transaction=True, databases="__all__"),
    pytest.mark.requirement("A44"),
]

# Columns that the platform itself fills.
INTERNAL = {
    "id": "0192f3a0-0000-7000-8000-000000000001",
    "object": "account",
    "book_id": "0192f3a0-0000-7000-8000-000000000002",
    "merchant_id": "0192f3a0-0000-7000-8000-000000000003",
    "consumer_id": "0192f3a0-0000-7000-8000-000000000004",
    "livemode": "true",
    "created": "1",
    "created_at": "2001-01-01T00:00:00Z",
    "status": "succeeded",
    "amount_received": "100",
    "amount_refunded": "100",
    "refunded_minor": "100",
    "permissions": "all",
    "is_operator": "true",
    "latest_attempt_id": "0192f3a0-0000-7000-8000-000000000005",
    "__class__": "x",
}
# Tables whose rows are new each time: what they tell stands in others.
DRAWN = {"kernel_event", "kernel_delivery"}
DOCUMENT = openapi.document()
SCHEMAS = DOCUMENT["components"]["schemas"]
WRITES = [
    (method, address.removeprefix("/v1/"), SCHEMAS[each.params.__name__])
    for address, method, each in openapi.endpoints()
    if method != "GET" and each.params.__name__ in SCHEMAS
]


def places(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every mapping inside the parameters of a method: the way there, and what it may hold."""
    for shape in (schema, *schema.get("anyOf", ())):
        shape = SCHEMAS[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape
        if "properties" in shape:
            yield path, shape
            for name, inner in shape["properties"].items():
                yield from places(inner, (*path, name))
        elif "items" in shape:
            yield from places(shape["items"], (*path, "0"))


class TestApi:
    def test_takes_no_parameter_that_it_does_not_name(self):
        """Each mapping that a request may hold, however deep, says what it holds and nothing else."""
        open_ = {
            ".".join((address, *path))
            for _, address, schema in WRITES
            for path, shape in places(schema)
            if shape.get("additionalProperties") is not False
        }

        assert open_ == set()

    def test_refuses_what_the_platform_fills_and_writes_nothing(self, api_ids, api, tried):
        still, wrong, count = Stillness(), [], 0
        for method, address, schema in WRITES:
            path = address.replace("{id}", api_ids.get(address.partition("/{")[0], ""))
            for way, shape in places(schema):
                for name in INTERNAL.keys() - shape["properties"].keys():
                    count += 1
                    named = (*way, name)
                    param = named[0] + "".join(f"[{part}]" for part in named[1:])
                    sent = f"{param}={INTERNAL[name]}"
                    reply = api.request(method, path, sent.encode(), "application/x-www-form-urlencoded")
                    told = (reply.status, reply.json.get("error", {}).get("code"), reply.json["error"].get("param"))
                    if told != (400, "parameter_unknown", param) or not still.is_kept():
                        wrong.append((method, address, param, told))
        tried(methods=len(WRITES), requests=count)
        assert not wrong, "\n".join(map(str, wrong))


class TestForms:
    def test_write_the_same_with_and_without_what_the_platform_fills(self, world, book, other_book, tried):
        client, objects = signed_in(world.staff["owner"]), Objects(book)
        pages = [door for door in doors() if door.is_of_desk and door.defaults["mode"] == TEST]
        seen, taken, wrong = set(), 0, []
        for door in pages:
            url = door.url(merchant="cafe", **objects.parts(door))
            page = client.get(url, objects.form(door))
            if page.status_code != 200 or page.streaming or not page["Content-Type"].startswith("text/html"):
                continue
            for action, fields in forms(Page(page.content.decode())):
                target = action or url
                key = (target, tuple(sorted(fields)))
                if key in seen or not target.startswith("/dashboard/"):
                    continue
                seen.add(key)
                more = {name: value for name, value in INTERNAL.items() if name not in fields}
                plain = send(client, target, fields, book)
                full = send(client, target, {**more, **fields}, book)
                taken += plain[0] < 400
                if plain != full:
                    wrong.append((target, plain[0], full[0], sorted(set(plain[1].items()) ^ set(full[1].items()))))
        tried(forms=len(seen), taken=taken)
        assert not wrong, "\n".join(map(str, wrong))


def forms(page: Page) -> Iterator[tuple[str, dict[str, str]]]:
    """Each form of a page that writes: where it goes, and its fields as a person might fill them in."""
    for form in page.all("form"):
        if (form.attributes.get("method") or "").lower() != "post":
            continue
        fields = {}
        for element in page.all("input", "textarea", "select", "button"):
            name = element.attributes.get("name")
            if name and form in element.ancestors and element.attributes.get("type") != "file":
                is_left_out = element.attributes.get("type") in ("checkbox", "radio") and "checked" not in element
                if not is_left_out and name not in fields:
                    fields[name] = _filled(page, element)
        yield form.attributes.get("action") or "", fields


def _filled(page: Page, element: Any) -> str:
    if element.name == "select":
        options = [each for each in page.all("option") if element in each.ancestors]
        chosen = next((each for each in options if "selected" in each), options[0])
        return chosen.attributes.get("value") or ""
    value = element.text if element.name == "textarea" else element.attributes.get("value") or ""
    if value or "required" not in element:
        return value
    return {"email": "seven@example.com", "number": "7", "url": "https://example.com/7"}.get(
        element.attributes.get("type") or "", "7"
    )


def send(client: Any, url: str, fields: dict[str, str], book: Any) -> tuple[int, dict[str, str]]:
    """Send a form, and take back what it did: the status, and what stood in every table then."""
    with transaction.atomic():
        reply = client.post(url, fields)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.book', %s, true)", [str(book.pk)])
            cursor.execute(" UNION ALL ".join(_rows(name) for name in sorted((TENANT | PLATFORM) - DRAWN)))
            rows = dict(cursor.fetchall())
        transaction.set_rollback(True)
    return reply.status_code, rows


# Texts that are drawn anew each time, or quote what is, in any table and in some.
DRAWN_NAMES = ("last_four", "public_text", "body", "object_id", "listens_since")
DRAWN_OF = {
    "members_promotioncode": ("code", "code_key"),
    "payments_entry": ("reference",),
    "payments_storedvaluecard": ("number_digest", "last4", "pin_digest"),
}


@cache
def _rows(name: str) -> str:
    """A sum of the rows of a table, without what is drawn anew each time: ids, times, secrets and what quotes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND (attname = ANY (%s) OR attname LIKE '%%secret'"
            " OR attname NOT IN ('book_id', 'merchant_id') AND"
            " format_type(atttypid, NULL) IN ('uuid', 'timestamp with time zone', 'bytea', 'xid8', 'jsonb'))",
            [name, [*DRAWN_NAMES, *DRAWN_OF.get(name, ())]],
        )
        [(drawn,)] = cursor.fetchall()
    shown = f"(to_jsonb(t) - '{{{','.join(drawn or [])}}}'::text[])::text"
    return f"SELECT '{name}', md5(coalesce(string_agg({shown}, ' ' ORDER BY {shown}), '')) FROM {name} t"
