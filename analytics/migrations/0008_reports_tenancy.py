from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0007_reports"),
        ("kernel", "0008_request_log_tenancy"),
    ]
    operations = [
        tenant("analytics_reportschedule"),
        tenant("analytics_report", schedule_id="analytics_reportschedule"),
    ]
