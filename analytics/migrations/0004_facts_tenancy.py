from pathlib import Path

from django.db import migrations

from merchant_platform.kernel.tables import app_role, function, platform, platform_role, read_only, tenant

SQL = Path(__file__).parents[1] / "facts" / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_facts"),
        ("kernel", "0008_request_log_tenancy"),
        ("payments", "0018_ledger_reserved"),
    ]
    operations = [
        tenant("analytics_attemptday"),
        tenant("analytics_attemptquarter"),
        tenant("analytics_buyerday"),
        tenant("analytics_buyerquarter"),
        tenant("analytics_dirtyhour"),
        tenant("analytics_paymentday"),
        tenant("analytics_paymentquarter"),
        tenant("analytics_projection"),
        tenant("analytics_salesday"),
        tenant("analytics_salesquarter"),
        tenant("analytics_soldline"),
        platform("analytics_position"),
        read_only("analytics_position", app_role()),
        function(
            SQL / "retired/facts_currency_changed_v1.sql", "facts_currency_changed_v1", to=(app_role(), platform_role())
        ),
        function(SQL / "retired/facts_changed_hours_v1.sql", "facts_changed_hours_v1", to=(app_role(),)),
        migrations.RunSQL(
            "CREATE TRIGGER facts_currency_changed AFTER UPDATE OF currency ON payments_paymentintent FOR EACH ROW"
            " WHEN (OLD.currency IS DISTINCT FROM NEW.currency) EXECUTE FUNCTION facts_currency_changed_v1()",
            "DROP TRIGGER facts_currency_changed ON payments_paymentintent",
        ),
    ]
