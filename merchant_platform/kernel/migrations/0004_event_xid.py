from django.db import migrations, models

import merchant_platform.kernel.tables
from merchant_platform.kernel.tables import current_xid


class Migration(migrations.Migration):
    dependencies = [("kernel", "0003_tenancy")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                # The default apart from the column: events that are there keep null, and no table is rewritten.
                migrations.RunSQL(
                    [
                        "ALTER TABLE kernel_event ADD COLUMN xid xid8",
                        "ALTER TABLE kernel_event ALTER COLUMN xid SET DEFAULT pg_current_xact_id()",
                    ],
                    "ALTER TABLE kernel_event DROP COLUMN xid",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="event",
                    name="xid",
                    field=merchant_platform.kernel.tables.XidField(db_default=current_xid(), editable=False, null=True),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(condition=models.Q(("is_public", True)), fields=["xid"], name="kernel_event_xid"),
        ),
    ]
