from django.db import migrations

from merchant_platform.kernel.tables import append_only, tenant


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_desk_tables"), ("kernel", "0003_tenancy")]
    operations = [
        tenant("payments_note", intent_id="payments_paymentintent"),
        tenant("payments_formernote", note_id="payments_note"),
        append_only("payments_formernote"),
        tenant("payments_savedview"),
        tenant("payments_bulkjob"),
        tenant("payments_bulkitem", job_id="payments_bulkjob", intent_id="payments_paymentintent"),
    ]
