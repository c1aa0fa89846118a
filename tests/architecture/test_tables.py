"""Every table, its kind, its grants and its policies: what tables.py says is what the database does."""

import re

import pytest
from django.apps import apps

from merchant_platform.kernel.tables import TenantForeignKey
from merchant_platform.tables import APP_READS, APPEND_ONLY, FRAMEWORK, OWNER_WRITES, PLATFORM, TENANT
from payments import proof
from tests.architecture.asking import APP, ask, is_ours
from tests.architecture.asking import PLATFORM as PLATFORM_ROLE

pytestmark = pytest.mark.django_db(databases=["default", "owner", "platform"])

OPEN_BOOK = "(book_id = ( SELECT (NULLIF(current_setting('app.book'::text, true), ''::text))::uuid AS \"nullif\"))"
READ, ADD, CHANGE, DELETE = "SELECT", "INSERT", "UPDATE", "DELETE"
ALL_TABLES = sorted(TENANT | PLATFORM | FRAMEWORK)
# Platform tables where the app role may delete: a person's stores are a set that is replaced.
REPLACED_SETS = frozenset({"security_staff_stores"})
# Tables with a column book_id that stand in no book.
BOOK_IS_A_FACT = {
    "payments_account": "null where an account belongs to a consumer",
    "security_apikey": "asked before a book is known",
    "security_auditrecord": "null where the deed concerns the whole merchant, or the platform",
    "security_flag": "asked before a book is opened",
    "security_publiccode": "asked before a book is known",
}


def expected_grants(table: str, role: str) -> set[str]:
    if table in OWNER_WRITES or (table in APP_READS and role == APP):
        return {READ}
    if table in APPEND_ONLY:
        return {READ, ADD}
    if table in PLATFORM - REPLACED_SETS and role == APP:
        return {READ, ADD, CHANGE}
    return {READ, ADD, CHANGE, DELETE}


class TestKinds:
    def test_name_each_table_of_the_database_once(self):
        present = {
            name
            for (name,) in ask(
                "owner",
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'p', 'v', 'm', 'f')",
            )
        }

        named = [*TENANT, *PLATFORM, *FRAMEWORK]

        assert sorted(named) == sorted(present)

    def test_call_facts_only_tables_of_ours(self):
        assert APPEND_ONLY <= TENANT | PLATFORM

    def test_say_tenant_of_every_table_with_a_book(self):
        with_book = dict(
            ask(
                "owner",
                "SELECT c.relname, a.attnotnull FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = 'book_id'",
            )
        )

        assert set(with_book) == TENANT | set(BOOK_IS_A_FACT)
        assert [table for table in TENANT if not with_book[table]] == []

    def test_put_the_book_first_in_every_unique_key_of_a_tenant_table(self):
        others = ask(
            "owner",
            "SELECT c.relname, i.indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
            " WHERE c.relname = ANY (%s) AND i.indisunique AND NOT i.indisprimary AND a.attname <> 'book_id'",
            [sorted(TENANT)],
        )

        assert others == []

    def test_give_every_reference_of_a_model_its_constraint_or_its_proof(self):
        references = {
            (model._meta.db_table, field.column): field.proved_by
            for model in apps.get_models()
            for field in model._meta.local_fields
            if isinstance(field, TenantForeignKey)
        }

        constrained = ask(
            "owner",
            "SELECT k.conrelid::regclass::text, a.attname FROM pg_constraint k"
            " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[2]"
            " WHERE k.contype = 'f' AND cardinality(k.conkey) = 2",
        )

        assert len(references) > 20
        proved = {reference: check for reference, check in references.items() if check is not None}
        assert set(references) - set(constrained) == set(proved)
        assert set(proved.values()) <= {check.name for check in proof.CHECKS}


class TestRowSecurity:
    def test_is_on_for_tenant_tables_and_for_no_others(self):
        secured = ask(
            "owner",
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity",
        )

        assert {table for (table,) in secured} == TENANT

    def test_is_never_forced_on_the_owner(self):
        assert ask("owner", "SELECT relname FROM pg_class WHERE relforcerowsecurity") == []

    def test_has_two_policies_a_tenant_table(self):
        policies = ask(
            "owner",
            "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
            " ORDER BY tablename, policyname",
        )

        expected = []
        for table in sorted(TENANT):
            expected.append((table, "book_only", "PERMISSIVE", [APP], "ALL", OPEN_BOOK, OPEN_BOOK))
            expected.append((table, "every_book", "PERMISSIVE", [PLATFORM_ROLE], "ALL", "true", "true"))
        assert policies == expected


class TestRoles:
    @pytest.mark.parametrize(("alias", "role"), [("default", APP), ("platform", PLATFORM_ROLE)])
    def test_connect_as_themselves(self, alias, role):
        assert ask(alias, "SELECT current_user, session_user") == [(role, role)]

    @pytest.mark.parametrize("role", [APP, PLATFORM_ROLE])
    def test_have_no_special_power(self, role):
        powers = ask(
            "owner",
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
            " WHERE rolname = %s",
            [role],
        )
        groups = ask(
            "owner",
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole",
            [role],
        )

        assert powers == [(False, False, False, False, False)]
        assert groups == []

    @pytest.mark.parametrize("role", [APP, PLATFORM_ROLE])
    def test_own_nothing(self, role):
        owned = ask(
            "owner",
            "SELECT classid::regclass::text, objid FROM pg_shdepend WHERE deptype = 'o' AND refobjid = %s::regrole",
            [role],
        )

        assert owned == []

    @pytest.mark.parametrize("role", [APP, PLATFORM_ROLE])
    def test_cannot_make_objects(self, role):
        may = ask(
            "owner",
            "SELECT has_schema_privilege(%s, 'public', 'CREATE'),"
            " has_database_privilege(%s, current_database(), 'CREATE')",
            [role, role],
        )

        assert may == [(False, False)]

    def test_let_the_owner_bypass_nothing_but_its_own_tables(self):
        assert ask("owner", "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user") == [
            (False, False)
        ]


class TestGrants:
    @pytest.mark.parametrize("role", [APP, PLATFORM_ROLE])
    def test_are_those_of_the_kind(self, role):
        granted = ask(
            "owner",
            "SELECT c.relname, coalesce(array_agg(a.privilege_type::text) FILTER (WHERE a.grantee = %s::regrole), '{}')"
            " FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.relname",
            [role],
        )

        assert {table: set(privileges) for table, privileges in granted} == {
            table: expected_grants(table, role) for table in ALL_TABLES
        }

    def test_are_given_to_nobody_else(self):
        grantees = ask(
            "owner",
            "SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END FROM pg_class c"
            " CROSS JOIN LATERAL aclexplode(c.relacl) a WHERE c.relnamespace = 'public'::regnamespace"
            " AND a.grantee <> c.relowner",
        )
        columns = ask(
            "owner",
            "SELECT attrelid::regclass::text, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relnamespace = 'public'::regnamespace AND attacl IS NOT NULL",
        )

        assert {name for (name,) in grantees} == {APP, PLATFORM_ROLE}
        assert columns == []

    @pytest.mark.parametrize("role", [APP, PLATFORM_ROLE])
    def test_of_sequences_are_to_draw_numbers_alone(self, role):
        granted = ask(
            "owner",
            "SELECT DISTINCT a.privilege_type FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a"
            " WHERE c.relkind = 'S' AND a.grantee = %s::regrole ORDER BY 1",
            [role],
        )

        assert granted == [("SELECT",), ("USAGE",)]


class TestModels:
    def test_order_nothing_by_themselves(self):
        ordered = [model._meta.label for model in apps.get_models() if is_ours(model) and model._meta.ordering]

        assert ordered == []

    def test_protect_what_they_point_at(self):
        weak = [
            f"{model._meta.label}.{field.name}"
            for model in apps.get_models()
            if is_ours(model)
            for field in model._meta.local_fields
            if field.remote_field and field.remote_field.on_delete.__name__ != "PROTECT"  # type: ignore[union-attr]
        ]

        assert weak == []

    def test_name_their_constraints_after_their_table(self):
        foreign = [
            constraint.name
            for model in apps.get_models()
            if is_ours(model)
            for constraint in [*model._meta.constraints, *model._meta.indexes]
            if not re.match(rf"{model._meta.db_table}_[a-z0-9_]+$", constraint.name or "")
        ]

        assert foreign == []
