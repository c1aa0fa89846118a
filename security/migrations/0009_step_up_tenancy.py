from django.db import migrations

from merchant_platform.kernel.tables import platform


class Migration(migrations.Migration):
    dependencies = [("security", "0008_step_up")]
    operations = [platform("security_stepup")]
