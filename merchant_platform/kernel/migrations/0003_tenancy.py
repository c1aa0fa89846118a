from django.db import migrations

from merchant_platform.kernel.tables import append_only, tenant


class Migration(migrations.Migration):
    dependencies = [("kernel", "0002_tables")]
    operations = [
        tenant("kernel_event"),
        tenant("kernel_delivery", event_id="kernel_event"),
        tenant("kernel_idempotencykey"),
        tenant("kernel_decision"),
        append_only("kernel_decision", "kernel_event"),
        # Whole JSON documents up to a page stay in the row: no second table, no compression, one write.
        migrations.RunSQL(
            [
                "ALTER TABLE kernel_event SET (toast_tuple_target = 8160)",
                "ALTER TABLE kernel_idempotencykey SET (toast_tuple_target = 8160)",
            ],
            [
                "ALTER TABLE kernel_idempotencykey RESET (toast_tuple_target)",
                "ALTER TABLE kernel_event RESET (toast_tuple_target)",
            ],
        ),
    ]
