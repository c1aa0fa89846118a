from django.db import migrations

from merchant_platform.kernel.tables import app_role, platform, read_only, tenant


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_webhooks_tables")]
    operations = [
        tenant("payments_webhookendpoint"),
        tenant("payments_webhookdelivery", endpoint_id="payments_webhookendpoint", event_id="kernel_event"),
        tenant("payments_webhookattempt", delivery_id="payments_webhookdelivery"),
        platform("payments_webhookcursor"),
        read_only("payments_webhookcursor", app_role()),
    ]
