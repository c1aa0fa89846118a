from django.db import migrations

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):
    dependencies = [("members", "0001_directory"), ("kernel", "0003_tenancy"), ("payments", "0018_ledger_reserved")]
    operations = [
        tenant("members_household"),
        tenant(
            "members_member",
            customer_id="payments_customer",
            merged_into_id="members_member",
            household_id="members_household",
        ),
        tenant("members_contact", member_id="members_member"),
        tenant("members_tag"),
        tenant("members_membertag", member_id="members_member", tag_id="members_tag"),
        tenant("members_correction", member_id="members_member"),
        tenant("members_merge", loser_id="members_member", winner_id="members_member"),
        tenant(
            "members_duplicate", member_id="members_member", other_id="members_member", merge_id="members_merge"
        ),
    ]
