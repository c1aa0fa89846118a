from django.db import migrations

from merchant_platform.kernel.tables import append_only, tenant


class Migration(migrations.Migration):
    dependencies = [("members", "0009_offers"), ("kernel", "0003_tenancy"), ("payments", "0018_ledger_reserved")]
    operations = [
        tenant("members_offer"),
        tenant("members_offerversion", offer_id="members_offer"),
        append_only("members_offerversion"),
        tenant("members_promotioncode", offer_id="members_offer", customer_id="payments_customer"),
        tenant(
            "members_offerredemption",
            offer_id="members_offer",
            code_id="members_promotioncode",
            order_id="payments_order",
            customer_id="payments_customer",
        ),
        tenant(
            "members_discountshare",
            redemption_id="members_offerredemption",
            order_id="payments_order",
            line_id="payments_orderline",
        ),
    ]
