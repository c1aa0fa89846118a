from django.db import migrations

from merchant_platform.kernel.tables import platform


class Migration(migrations.Migration):
    dependencies = [("payments", "0023_payment_codes")]
    operations = [platform("payments_paymentcode")]
