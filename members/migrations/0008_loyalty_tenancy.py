from django.db import migrations

from merchant_platform.kernel.tables import append_only, tenant


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0007_loyalty"),
        ("kernel", "0003_tenancy"),
        ("payments", "0018_ledger_reserved"),
    ]
    operations = [
        tenant("members_programme"),
        tenant("members_programmeterms", programme_id="members_programme"),
        append_only("members_programmeterms"),
        tenant("members_standing", programme_id="members_programme", member_id="members_member"),
        tenant(
            "members_lot", programme_id="members_programme", member_id="members_member", entry_id="payments_entry"
        ),
        tenant("members_lotmove", lot_id="members_lot", entry_id="payments_entry"),
        append_only("members_lotmove"),
        tenant(
            "members_accrual",
            programme_id="members_programme",
            member_id="members_member",
            order_id="payments_order",
            decision_id="kernel_decision",
            lot_id="members_lot",
        ),
        tenant("members_reward", programme_id="members_programme"),
        tenant("members_redemption", reward_id="members_reward", member_id="members_member"),
        tenant("members_run", programme_id="members_programme"),
    ]
