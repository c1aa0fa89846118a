from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0005_datasets"),
        ("kernel", "0008_request_log_tenancy"),
    ]
    operations = [
        tenant("analytics_dataset"),
        tenant("analytics_dataseterasure"),
        tenant("analytics_datasetfile"),
        tenant("analytics_movedday"),
    ]
