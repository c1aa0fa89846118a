from pathlib import Path

from django.db import migrations

import analytics
from merchant_platform.kernel.tables import app_role, function, platform_role, tenant

SQL = Path(analytics.__file__).parent / "facts/sql"
BOTH = (app_role(), platform_role())
OLD = (
    function(SQL / "retired/facts_currency_changed_v1.sql", "facts_currency_changed_v1", to=BOTH),
    function(SQL / "retired/facts_changed_hours_v1.sql", "facts_changed_hours_v1", to=BOTH[:1]),
)


class Migration(migrations.Migration):
    """Every book begins anew: until its facts are made, what is asked is read from the rows."""

    dependencies = [("analytics", "0010_buyers")]
    operations = [
        tenant("analytics_buyercount"),
        tenant("analytics_buyerday"),
        tenant("analytics_dirtyquarter"),
        tenant("analytics_paidhours"),
        *(migrations.RunSQL(old.reverse_sql, old.sql) for old in OLD),
        function(SQL / "facts_currency_changed_v2.sql", "facts_currency_changed_v2", to=BOTH),
        function(SQL / "facts_changed_quarters_v1.sql", "facts_changed_quarters_v1", to=BOTH[:1]),
        migrations.RunSQL(
            "CREATE TRIGGER facts_currency_changed AFTER UPDATE OF currency ON payments_paymentintent FOR EACH ROW"
            " WHEN (OLD.currency IS DISTINCT FROM NEW.currency) EXECUTE FUNCTION facts_currency_changed_v2()",
            "DROP TRIGGER facts_currency_changed ON payments_paymentintent",
        ),
        migrations.RunSQL("DELETE FROM analytics_projection", migrations.RunSQL.noop),
    ]
