from django.db import migrations

from merchant_platform.kernel.tables import app_role, append_only, platform, platform_role, read_only, tenant


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_tables"), ("kernel", "0003_tenancy")]
    operations = [
        platform("payments_account", "payments_accountbalance", "payments_cluster", "payments_consumer", "payments_wallet"),
        tenant("payments_customer"),
        tenant("payments_mandate"),
        tenant("payments_paymentmethod", customer_id="payments_customer", mandate_id="payments_mandate"),
        tenant("payments_product"),
        tenant("payments_price", product_id="payments_product"),
        tenant("payments_order", customer_id="payments_customer"),
        tenant(
            "payments_orderline",
            order_id="payments_order",
            product_id="payments_product",
            price_id="payments_price",
        ),
        tenant(
            "payments_paymentintent",
            order_id="payments_order",
            customer_id="payments_customer",
            payment_method_id="payments_paymentmethod",
        ),
        tenant("payments_entry"),
        tenant(
            "payments_attempt",
            intent_id="payments_paymentintent",
            customer_id="payments_customer",
            payment_method_id="payments_paymentmethod",
            entry_id="payments_entry",
        ),
        tenant(
            "payments_refund",
            attempt_id="payments_attempt",
            intent_id="payments_paymentintent",
            entry_id="payments_entry",
        ),
        tenant("payments_refundline", refund_id="payments_refund", order_line_id="payments_orderline"),
        tenant("payments_transfer", entry_id="payments_entry"),
        tenant("payments_hold"),
        tenant("payments_holdoutcome", hold_id="payments_hold", entry_id="payments_entry"),
        # The outcome is written before its entry, so that a second completion meets the unique hold first.
        migrations.RunSQL(
            """
            DO $$
            DECLARE constraint_name text;
            BEGIN
                SELECT conname INTO STRICT constraint_name FROM pg_constraint
                WHERE conrelid = 'payments_holdoutcome'::regclass AND confrelid = 'payments_entry'::regclass;
                EXECUTE format('ALTER TABLE payments_holdoutcome ALTER CONSTRAINT %I DEFERRABLE INITIALLY DEFERRED',
                               constraint_name);
            END
            $$
            """,
            migrations.RunSQL.noop,
        ),
        tenant("payments_metadataterm"),
        tenant("payments_checkpoint"),
        read_only("payments_checkpoint", app_role()),
        read_only("payments_cluster", app_role(), platform_role()),
        append_only(
            "payments_account", "payments_entry", "payments_hold", "payments_holdoutcome", "payments_transfer"
        ),
    ]
