from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [("security", "0018_privacy")]
    operations = [tenant("security_consent")]
