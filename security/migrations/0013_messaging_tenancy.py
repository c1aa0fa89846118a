from django.db import migrations

from merchant_platform.kernel.tables import platform


class Migration(migrations.Migration):
    dependencies = [("security", "0012_messaging")]
    operations = [platform("security_message", "security_suppression")]
