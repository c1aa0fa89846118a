from django.db import migrations

from merchant_platform.kernel.tables import constraint_name, tenant


def reference(table: str, column: str, target: str) -> migrations.RunSQL:
    """The composite reference of a column that came later than its table."""
    name = constraint_name(table, column)
    return migrations.RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (book_id, {column}) REFERENCES {target} (book_id, id)",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("payments", "0019_tenders")]
    operations = [
        tenant(
            "payments_tender",
            order_id="payments_order",
            customer_id="payments_customer",
            hold_id="payments_hold",
            entry_id="payments_entry",
            intent_id="payments_paymentintent",
        ),
        tenant("payments_tenderrefund", tender_id="payments_tender", entry_id="payments_entry"),
        tenant("payments_storedvaluecard", customer_id="payments_customer"),
        tenant(
            "payments_storedvalueload",
            card_id="payments_storedvaluecard",
            order_line_id="payments_orderline",
            entry_id="payments_entry",
        ),
        reference("payments_refundline", "tender_refund_id", "payments_tenderrefund"),
        reference("payments_receipt", "order_id", "payments_order"),
    ]
