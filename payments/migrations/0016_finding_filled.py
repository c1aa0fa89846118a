from django.db import migrations

# As finding.keys_of and catalog.models.name_key make them of what is written from now on.
_NAME = r"left(lower(btrim(regexp_replace(name, '\s+', ' ', 'g'))), 200)"
_FILL = [
    f"UPDATE payments_customer SET name_key = NULLIF({_NAME}, '') WHERE name IS NOT NULL",
    "UPDATE payments_customer SET phone_key = NULLIF(reverse(regexp_replace(phone, '[^0-9]', '', 'g')), '')"
    " WHERE phone IS NOT NULL",
    f"UPDATE payments_product SET name_key = {_NAME}",
]


class Migration(migrations.Migration):
    dependencies = [("payments", "0015_finding")]
    operations = [migrations.RunSQL(_FILL, migrations.RunSQL.noop)]
