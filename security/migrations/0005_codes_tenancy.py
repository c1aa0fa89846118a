from django.db import migrations

from merchant_platform.kernel.tables import platform


class Migration(migrations.Migration):
    dependencies = [("security", "0004_codes_tables")]
    operations = [platform("security_publiccode")]
