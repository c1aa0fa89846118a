from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [("analytics", "0001_setup_guide"), ("kernel", "0003_tenancy")]
    operations = [tenant("analytics_guidedismissal")]
