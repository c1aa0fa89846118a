from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [("payments", "0010_checkout_tables"), ("kernel", "0003_tenancy")]
    operations = [
        tenant(
            "payments_checkoutsession",
            order_id="payments_order",
            intent_id="payments_paymentintent",
            customer_id="payments_customer",
        ),
        tenant("payments_receipt", intent_id="payments_paymentintent"),
        tenant("payments_receiptcounter"),
    ]
