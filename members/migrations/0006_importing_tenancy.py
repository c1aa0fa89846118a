from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [("members", "0005_importing")]
    operations = [
        tenant("members_memberimport"),
        tenant("members_importrow", job_id="members_memberimport", member_id="members_member"),
    ]
