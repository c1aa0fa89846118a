from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [("kernel", "0007_request_log_tables")]
    operations = [tenant("kernel_loggedrequest")]
