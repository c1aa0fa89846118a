"""Migration operations for the three kinds of table (docs/adr/0003).

A tenant table has `book_id`, a policy for the app role, and foreign keys to other tenant
tables that include the book: a foreign key does not look at policies, so only a
composite one keeps another book's rows out of reach.
"""

from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import migrations, models
from django.db.backends.utils import names_digest
from django.db.models.expressions import RawSQL

APPEND_ONLY_FUNCTION = "kernel_refuse_change"


def app_role() -> str:
    return settings.DATABASES["default"]["USER"]


def platform_role() -> str:
    return settings.DATABASES["platform"]["USER"]


def tenant(table: str, **references: str) -> migrations.RunSQL:
    """Row-level security on a tenant table, and its composite foreign keys: `column="other_table"`."""
    up = [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"CREATE POLICY book_only ON {table} TO {app_role()} "
        "USING (book_id = (SELECT NULLIF(current_setting('app.book', true), '')::uuid)) "
        "WITH CHECK (book_id = (SELECT NULLIF(current_setting('app.book', true), '')::uuid))",
        f"CREATE POLICY every_book ON {table} TO {platform_role()} USING (true) WITH CHECK (true)",
    ]
    down = [
        f"DROP POLICY every_book ON {table}",
        f"DROP POLICY book_only ON {table}",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    ]
    for column, target in references.items():
        name = constraint_name(table, column)
        up.append(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (book_id, {column}) "
            f"REFERENCES {target} (book_id, id)"
        )
        down.insert(0, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return migrations.RunSQL(tuple(up), tuple(down))


def platform(*tables: str) -> migrations.RunSQL:
    """Platform tables: needed before a book is known. The app role may not delete there."""
    return migrations.RunSQL(
        [f"REVOKE DELETE ON {table} FROM {app_role()}" for table in tables],
        [f"GRANT DELETE ON {table} TO {app_role()}" for table in tables],
    )


def append_only(*tables: str) -> migrations.RunSQL:
    """Tables of facts: app and platform may insert and read. The trigger is the second wall."""
    roles = f"{app_role()}, {platform_role()}"
    up, down = [], []
    for table in tables:
        up += [
            f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {roles}",
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {APPEND_ONLY_FUNCTION}()",
        ]
        down += [f"DROP TRIGGER append_only ON {table}", f"GRANT UPDATE, DELETE ON {table} TO {roles}"]
    return migrations.RunSQL(tuple(up), tuple(down))


def read_only(table: str, *roles: str) -> migrations.RunSQL:
    """A table that these roles only read."""
    names = ", ".join(roles)
    return migrations.RunSQL(
        f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM {names}", f"GRANT INSERT, UPDATE, DELETE ON {table} TO {names}"
    )


def function(path: Path, name: str, *, to: Iterable[str]) -> migrations.RunSQL:
    """A function that lives in the database, from its file; only the roles in `to` may call it."""
    grants = [f"GRANT EXECUTE ON FUNCTION {name} TO {role}" for role in to]
    return migrations.RunSQL([path.read_text(), *grants], [f"DROP FUNCTION {name}"])


def constraint_name(table: str, column: str) -> str:
    return f"{table[:40]}_{column[:12]}_{names_digest(table, column, length=6)}_book_fk"


class TenantForeignKey(models.ForeignKey):
    """A reference between tenant tables. The constraint, which includes the book, is made by `tenant()`.

    `proved_by` names the check of the books proof that stands in for a constraint, where
    one would cost every payment too much.
    """

    def __init__(self, to, on_delete=models.PROTECT, *, proved_by: str | None = None, **options) -> None:
        self.proved_by = proved_by
        options.setdefault("db_constraint", False)
        options.setdefault("db_index", False)
        options.setdefault("related_name", "+")
        super().__init__(to, on_delete, **options)


def book_unique(table: str) -> models.UniqueConstraint:
    """The key that composite foreign keys point at, and the index that lists read in order."""
    return models.UniqueConstraint(fields=["book_id", "id"], name=f"{table}_book_id_is_unique")


class XidField(models.Field):
    """The id of the transaction that wrote the row (xid8). It belongs to a cluster and is compared in SQL only."""

    def __init__(self, **options) -> None:
        options.setdefault("editable", False)
        super().__init__(**options)

    def db_type(self, connection) -> str:
        return "xid8"


def current_xid() -> RawSQL:
    """The default of a column that says which transaction wrote its row."""
    return RawSQL("pg_current_xact_id()", ())
