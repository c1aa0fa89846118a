from django.db import migrations

from merchant_platform.kernel.tables import platform


class Migration(migrations.Migration):
    dependencies = [("security", "0015_invitations")]
    operations = [
        platform("security_invitation"),
        # Who sells in China is written in Chinese until it says otherwise.
        migrations.RunSQL(
            "UPDATE security_merchant SET language = 'zh-hans' WHERE country = 'CN'", migrations.RunSQL.noop
        ),
    ]
