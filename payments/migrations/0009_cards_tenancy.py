from django.db import migrations

from merchant_platform.kernel.tables import constraint_name, tenant

FAILURE_ENTRY = constraint_name("payments_refund", "failure_entry_id")


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_cards_tables")]
    operations = [
        tenant("payments_setupintent", customer_id="payments_customer", payment_method_id="payments_paymentmethod"),
        tenant("payments_parkedreport"),
        migrations.RunSQL(
            f"ALTER TABLE payments_refund ADD CONSTRAINT {FAILURE_ENTRY} FOREIGN KEY (book_id, failure_entry_id) "
            "REFERENCES payments_entry (book_id, id)",
            f"ALTER TABLE payments_refund DROP CONSTRAINT {FAILURE_ENTRY}",
        ),
    ]
