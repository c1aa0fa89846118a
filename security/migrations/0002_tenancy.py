from django.db import migrations

from merchant_platform.kernel.tables import platform


class Migration(migrations.Migration):
    dependencies = [("security", "0001_tables")]
    operations = [
        # Not security_staff_stores: a person's stores are a set that is replaced.
        platform(
            "security_apikey",
            "security_book",
            "security_credentialsversion",
            "security_device",
            "security_flag",
            "security_merchant",
            "security_staff",
            "security_store",
            "security_user",
        ),
    ]
