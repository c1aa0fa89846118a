from django.db import migrations

from merchant_platform.kernel.tables import app_role, platform, read_only, tenant


class Migration(migrations.Migration):
    dependencies = [("members", "0003_features")]
    operations = [
        tenant("members_features", member_id="members_member"),
        platform("members_featurescursor"),
        read_only("members_featurescursor", app_role()),
    ]
