from pathlib import Path

from django.db import migrations

from merchant_platform.kernel.tables import app_role, function, tenant

SQL = Path(__file__).parents[1] / "wallets" / "sql"


class Migration(migrations.Migration):
    dependencies = [("payments", "0021_top_ups")]
    operations = [
        tenant("payments_topup", intent_id="payments_paymentintent"),
        function(SQL / "consumer_links_v1.sql", "consumer_links_v1", to=[app_role()]),
        function(SQL / "consumer_permissions_v1.sql", "consumer_permissions_v1", to=[app_role()]),
        function(SQL / "wallet_receipts_v1.sql", "wallet_receipts_v1", to=[app_role()]),
    ]
