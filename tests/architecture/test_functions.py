"""What lives in the database: its functions are their files, and nobody else may call them."""

import importlib
import re

import pytest
from django.db import connections

from merchant_platform.kernel.tables import APPEND_ONLY_FUNCTION
from tests.architecture.asking import APP, APPS, PLATFORM, ROOT, ask

pytestmark = pytest.mark.django_db(databases=["default", "owner", "platform"])

FILES = {path.stem: path.read_text() for app in APPS for path in (ROOT / app).glob("**/sql/*.sql")}
REFUSE = importlib.import_module("merchant_platform.kernel.migrations.0001_grants").REFUSE
SOURCES = {**FILES, APPEND_ONLY_FUNCTION: REFUSE}

# Who may call what, besides the owner.
CALLERS = {
    "audit_chain_v1": {APP, PLATFORM},
    "audit_text_v1": {APP, PLATFORM},
    "consumer_links_v1": {APP},
    "consumer_permissions_v1": {APP},
    "facts_changed_quarters_v1": {APP},
    "facts_currency_changed_v2": {APP, PLATFORM},
    "kernel_refuse_change": {APP, PLATFORM},
    "ledger_post_v2": {APP, PLATFORM},
    "ledger_refuse_foreign_cluster_v1": {APP, PLATFORM},
    "pay_wallets_v3": {APP},
    "wallet_receipts_v1": {APP},
    "wallet_statement_v1": {APP, PLATFORM},
}
# Run with the owner's rights: what is one consumer's crosses books, who writes audit records writes no links, and what
# changed lately is found by an index that row-level security would not choose.
DEFINERS = {
    "audit_chain_v1",
    "consumer_links_v1",
    "consumer_permissions_v1",
    "facts_changed_quarters_v1",
    "pay_wallets_v3",
    "wallet_receipts_v1",
    "wallet_statement_v1",
}


def definitions() -> dict[str, str]:
    return dict(
        ask(
            "owner",
            "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
        )
    )


class TestFunctions:
    def test_are_all_in_files(self):
        assert set(definitions()) == set(SOURCES) == set(CALLERS)

    @pytest.mark.parametrize("name", sorted(SOURCES))
    def test_are_what_their_files_say(self, name):
        installed = definitions()

        # The test's transaction takes it back.
        replaced, count = re.subn(r"^CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", SOURCES[name], flags=re.MULTILINE)
        with connections["owner"].cursor() as cursor:
            cursor.execute(replaced)

        assert count == 1
        assert definitions() == installed

    @pytest.mark.parametrize("name", sorted(FILES))
    def test_stand_in_a_file_with_their_name_and_version(self, name):
        assert re.fullmatch(r"[a-z_]+_v[1-9][0-9]*", name)
        assert f"CREATE FUNCTION {name}(" in FILES[name]

    def test_are_called_by_those_alone_who_need_them(self):
        granted = ask(
            "owner",
            "SELECT p.proname, array_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)"
            " FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
            " WHERE p.pronamespace = 'public'::regnamespace AND a.grantee <> p.proowner GROUP BY p.proname",
        )

        assert {name: set(roles) for name, roles in granted} == CALLERS

    def test_find_nothing_but_the_catalog_and_our_schema(self):
        paths = ask(
            "owner",
            "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY proname",
        )

        # With the owner's rights the caller's temporary tables come last, where they can stand in for nothing.
        expected = {name: "pg_catalog, public" + ", pg_temp" * (name in DEFINERS) for name in SOURCES}
        assert [(name, config[0]) for name, config in paths] == [
            (name, f"search_path={expected[name]}") for name in sorted(SOURCES)
        ]

    def test_run_with_the_callers_rights_but_for_one(self):
        definers = ask("owner", "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef")

        assert {name for (name,) in definers} == DEFINERS

    def test_made_tomorrow_are_not_for_the_public_either(self):
        with connections["owner"].cursor() as cursor:
            cursor.execute("CREATE FUNCTION made_tomorrow() RETURNS integer LANGUAGE sql AS 'SELECT 1'")

        may = ask("owner", "SELECT has_function_privilege(%s, 'made_tomorrow()', 'EXECUTE')", [APP])

        assert may == [(False,)]
