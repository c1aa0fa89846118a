from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [("security", "0010_approvals")]
    operations = [tenant("security_approval")]
