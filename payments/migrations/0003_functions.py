from pathlib import Path

from django.db import migrations

import payments
from merchant_platform.kernel.tables import app_role, function, platform_role

ROOT = Path(payments.__file__).parent
BOTH = (app_role(), platform_role())


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_tenancy")]
    operations = [
        migrations.RunSQL(
            "INSERT INTO payments_cluster (id, system_identifier) SELECT 1, system_identifier FROM pg_control_system()",
            "DELETE FROM payments_cluster",
        ),
        function(
            ROOT / "ledger/sql/ledger_refuse_foreign_cluster_v1.sql", "ledger_refuse_foreign_cluster_v1", to=BOTH
        ),
        migrations.RunSQL(
            "CREATE TRIGGER this_cluster BEFORE INSERT ON payments_transfer "
            "FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_foreign_cluster_v1()",
            "DROP TRIGGER this_cluster ON payments_transfer",
        ),
        function(ROOT / "ledger/sql/retired/ledger_post_v1.sql", "ledger_post_v1", to=BOTH),
        function(ROOT / "ledger/sql/wallet_statement_v1.sql", "wallet_statement_v1", to=BOTH),
        function(ROOT / "intents/sql/retired/pay_wallet_v1.sql", "pay_wallet_v1", to=BOTH[:1]),
    ]
