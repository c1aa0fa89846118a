from pathlib import Path

from django.db import migrations

import security
from merchant_platform.kernel.tables import app_role, append_only, function, platform, platform_role, read_only

SQL = Path(security.__file__).parent / "audit" / "sql"
BOTH = (app_role(), platform_role())


class Migration(migrations.Migration):
    dependencies = [("security", "0006_audit")]
    operations = [
        platform("security_auditrecord"),
        append_only("security_auditrecord"),
        read_only("security_auditchain", *BOTH),
        read_only("security_auditlink", *BOTH),
        function(SQL / "audit_text_v1.sql", "audit_text_v1", to=BOTH),
        function(SQL / "audit_chain_v1.sql", "audit_chain_v1", to=BOTH),
        migrations.RunSQL(
            "CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON security_auditrecord DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION audit_chain_v1()",
            "DROP TRIGGER chain ON security_auditrecord",
        ),
    ]
