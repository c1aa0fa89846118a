from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    """Every book begins anew: until its facts are made, what is asked is read from the rows."""

    dependencies = [("analytics", "0014_sold_hours")]
    operations = [
        tenant("analytics_soldhours"),
        migrations.RunSQL("DELETE FROM analytics_projection", migrations.RunSQL.noop),
    ]
