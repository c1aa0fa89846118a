import django.db.models.deletion
import merchant_platform.kernel.tables
from django.db import migrations, models

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):

    dependencies = [
        ('security', '0002_tenancy'),
    ]

    operations = [
        migrations.CreateModel(
            name='DataKey',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('book_id', models.UUIDField()),
                ('wrapped_by', models.TextField()),
                ('nonce', models.BinaryField()),
                ('wrapped', models.BinaryField()),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('book_id', 'id'), name='security_datakey_book_id_is_unique'), models.UniqueConstraint(fields=('book_id',), name='security_datakey_one_a_book')],
            },
        ),
        migrations.CreateModel(
            name='CardToken',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('book_id', models.UUIDField()),
                ('nonce', models.BinaryField(null=True)),
                ('ciphertext', models.BinaryField(null=True)),
                ('brand', models.TextField()),
                ('funding', models.TextField()),
                ('last4', models.CharField(max_length=4)),
                ('exp_month', models.PositiveSmallIntegerField()),
                ('exp_year', models.PositiveSmallIntegerField()),
                ('fingerprint', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('data_key', merchant_platform.kernel.tables.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='security.datakey')),
            ],
            options={
                'indexes': [models.Index(fields=['book_id', 'fingerprint'], name='security_cardtoken_fingerprint')],
                'constraints': [models.UniqueConstraint(fields=('book_id', 'id'), name='security_cardtoken_book_id_is_unique'), models.UniqueConstraint(fields=('book_id', 'nonce'), name='security_cardtoken_nonce_is_used_once'), models.CheckConstraint(condition=models.Q(models.Q(('ciphertext__isnull', True), ('nonce__isnull', True)), models.Q(('ciphertext__isnull', False), ('nonce__isnull', False)), _connector='OR'), name='security_cardtoken_nonce_goes_with_its_text')],
            },
        ),
        tenant("security_datakey"),
        tenant("security_cardtoken", data_key_id="security_datakey"),
    ]
