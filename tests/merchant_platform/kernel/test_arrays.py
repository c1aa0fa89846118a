"""An array as one literal is what the database reads of it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connections

from merchant_platform.kernel.arrays import literal

pytestmark = pytest.mark.django_db

ONE, OTHER = UUID(int=1), UUID(int=2**128 - 1)
AT = datetime(2026, 3, 2, 9, 30, 0, 123456, tzinfo=UTC)


class TestLiteral:
    @pytest.mark.parametrize(
        ("values", "of"),
        [
            ([ONE, None, OTHER], "uuid"),
            ([0, -1, 2**63 - 1, None], "bigint"),
            ([AT, None], "timestamptz"),
            ([], "uuid"),
        ],
    )
    def test_comes_back_as_it_went(self, values, of):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT value FROM unnest(%s::{of}[]) AS given (value)", [literal(values)])
            found = [row[0] for row in cursor.fetchall()]

        assert found == values
