"""Lists and searches of the desk read a page of rows, not the history: plans are made as the app role."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from merchant_platform.kernel import tenancy
from security.web import lists
from tests.architecture import plans
from tests.architecture.asking import as_owner
from tests.architecture.test_plans import ROWS_MAX
from tests.desks import TEST
from tests.staff import make_staff, signed_in

pytestmark = [pytest.mark.django_db(transaction=True, databases="__all__"), pytest.mark.requirement("B5")]

ROWS = 20_000
_CUSTOMERS = """
INSERT INTO payments_customer (id, book_id, name, name_key, email, email_key, phone, phone_key, preferred_locales,
    metadata, created_at)
SELECT gen_random_uuid(), %(book)s, 'Guest ' || n, 'guest ' || n, 'g' || n || '@example.com',
    'g' || n || '@example.com', '+86' || n, reverse('86' || n), '[]', '{}', now()
FROM generate_series(1, %(rows)s) AS n
"""
_PRODUCTS = """
INSERT INTO payments_product (id, book_id, name, name_key, category, is_active, images, metadata, created_at,
    updated_at)
SELECT gen_random_uuid(), %(book)s, 'Tea ' || n, 'tea ' || n, '', n %% 2 = 0, '[]', '{}', now(), now()
FROM generate_series(1, %(rows)s) AS n
"""


def rows_read(client, book, path):
    with CaptureQueriesContext(connections["default"]) as captured:
        reply = client.get(path)
    assert reply.status_code == 200
    asked = [each["sql"] for each in captured if '"payments_' in each["sql"]]
    assert asked
    with tenancy.within(book.pk):
        return reply, plans.rows_read("default", asked)


class TestLists:
    def test_read_a_page_of_a_long_history(self, merchant, book, other_book):
        for owner in (book, other_book):
            for statement in (_CUSTOMERS, _PRODUCTS):
                as_owner(statement, {"book": str(owner.pk), "rows": ROWS})
        as_owner("ANALYZE payments_customer")
        as_owner("ANALYZE payments_product")
        client = signed_in(make_staff(merchant, "manager"))
        found = {}

        for path in (
            "customers",
            "customers?since=2020-01-01&until=2030-01-01",
            "customers?q=guest",
            "customers?q=guest+777",
            "customers?q=nobody",
            "customers?q=g77@",
            "customers?q=g@",
            "customers?q=7777",
        ):
            reply, found[path] = rows_read(client, book, f"{TEST}/{path}")
            if older := reply.context["ways"].older:
                reply, found[f"{path}, older"] = rows_read(client, book, older)
                _, found[f"{path}, newer again"] = rows_read(client, book, reply.context["ways"].newer)
        counted = {}
        for path in ("products", "products?tab=archived", "products?q=tea", "products?q=tea+77"):
            reply, counted[path] = rows_read(client, book, f"{TEST}/{path}")

        assert {path: rows for path, rows in found.items() if rows > ROWS_MAX} == {}
        # Besides the page, each of the two tabs counts up to a number and no further.
        most = 2 * (lists.COUNTED_MAX + 1) + ROWS_MAX
        assert {path: rows for path, rows in counted.items() if rows > most} == {}
