"""Fewer constraints on the rows of every payment, and the call that writes them with less to read (docs/adr/0006)."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import payments
from merchant_platform.kernel.tables import app_role, constraint_name, function, platform_role

ROOT = Path(payments.__file__).parent
BOTH = (app_role(), platform_role())


def drop_reference(table: str, column: str, target: str) -> migrations.RunSQL:
    name = constraint_name(table, column)
    return migrations.RunSQL(
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (book_id, {column}) REFERENCES {target} (book_id, id)",
    )


def unconstrained_account(column: str) -> migrations.AlterField:
    return migrations.AlterField(
        "transfer",
        column,
        models.ForeignKey(
            "payments.account",
            django.db.models.deletion.PROTECT,
            db_constraint=False,
            db_index=False,
            related_name="+",
        ),
    )


def found(folder: Path, name: str) -> Path:
    """The file of a function, which moves when a later one takes its place."""
    present, retired = folder / f"{name}.sql", folder / f"retired/{name}.sql"
    return present if present.exists() else retired


def replaced(path: str, old: str, new: str, *, to: tuple[str, ...]) -> list[migrations.RunSQL]:
    """The new version of a function instead of the old one."""
    there, back = (function(found(ROOT / path, name), name, to=to) for name in (new, old))
    return [migrations.RunSQL(back.reverse_sql, back.sql), there]


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_functions")]
    operations = [
        unconstrained_account("debit_account"),
        unconstrained_account("credit_account"),
        drop_reference("payments_transfer", "entry_id", "payments_entry"),
        drop_reference("payments_attempt", "entry_id", "payments_entry"),
        drop_reference("payments_attempt", "customer_id", "payments_customer"),
        drop_reference("payments_attempt", "payment_method_id", "payments_paymentmethod"),
        drop_reference("payments_paymentintent", "customer_id", "payments_customer"),
        drop_reference("payments_orderline", "order_id", "payments_order"),
        *replaced("ledger/sql", "ledger_post_v1", "ledger_post_v2", to=BOTH),
        migrations.RunSQL(
            (ROOT / "intents/sql/types/wallet_payment_v2.sql").read_text(), "DROP TYPE wallet_payment_v2"
        ),
        *replaced("intents/sql", "pay_wallet_v1", "pay_wallet_v2", to=BOTH[:1]),
    ]
