"""Who may do what by default, before any table exists.

Default privileges are stored in each database, so they are a migration and not part of
provisioning. It runs before Django's own tables are made, so that those are granted too.
"""

from django.db import migrations

from merchant_platform.kernel.tables import APPEND_ONLY_FUNCTION, app_role, platform_role

ROLES = f"{app_role()}, {platform_role()}"

REFUSE = f"""
CREATE FUNCTION {APPEND_ONLY_FUNCTION}() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    -- The owner may: tests empty tables, and a migration may have to mend one.
    IF current_user IN ('{app_role()}', '{platform_role()}') THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$
"""


class Migration(migrations.Migration):
    run_before = [
        ("contenttypes", "0001_initial"),
        ("auth", "0001_initial"),
        ("sessions", "0001_initial"),
        ("account", "0001_initial"),
        ("admin", "0001_initial"),
        ("mfa", "0001_initial"),
        ("usersessions", "0001_initial"),
        ("security", "0001_tables"),
    ]
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.RunSQL(
            [
                f"GRANT USAGE ON SCHEMA public TO {ROLES}",
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {ROLES}",
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {ROLES}",
                # Without IN SCHEMA: only the global default can take back what PUBLIC has by default.
                "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
                f"GRANT SELECT ON django_migrations TO {ROLES}",
                # A temporary table could stand in for one of ours in a function's eyes.
                "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$",
            ],
            [
                f"REVOKE SELECT ON django_migrations FROM {ROLES}",
                "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM {ROLES}",
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {ROLES}",
                f"REVOKE USAGE ON SCHEMA public FROM {ROLES}",
            ],
        ),
        migrations.RunSQL(
            [REFUSE, f"GRANT EXECUTE ON FUNCTION {APPEND_ONLY_FUNCTION}() TO {ROLES}"],
            f"DROP FUNCTION {APPEND_ONLY_FUNCTION}()",
        ),
    ]
