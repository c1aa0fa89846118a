"""Wallet payments that are asked for at the same moment go in one call (docs/adr/0006)."""

from pathlib import Path

from django.db import migrations

import payments
from merchant_platform.kernel.tables import app_role, function

SQL = Path(payments.__file__).parent / "intents/sql"
OLD = function(SQL / "retired/pay_wallet_v2.sql", "pay_wallet_v2", to=[app_role()])


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_checkout_tenancy")]
    operations = [
        migrations.RunSQL(OLD.reverse_sql, OLD.sql),
        function(SQL / "pay_wallets_v3.sql", "pay_wallets_v3", to=[app_role()]),
    ]
