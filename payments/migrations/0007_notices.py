from django.db import migrations, models

from merchant_platform.kernel.tables import tenant


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0006_webhooks_tenancy'),
    ]

    operations = [
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('book_id', models.UUIDField()),
                ('provider', models.TextField()),
                ('notice_id', models.TextField()),
                ('body', models.TextField()),
                ('received_at', models.DateTimeField()),
                ('applied_at', models.DateTimeField(null=True)),
                ('parked_reason', models.TextField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('applied_at__isnull', True), ('parked_reason__isnull', False)), fields=['book_id', 'id'], name='payments_notice_parked')],
                'constraints': [models.UniqueConstraint(fields=('book_id', 'id'), name='payments_notice_book_id_is_unique'), models.UniqueConstraint(fields=('book_id', 'provider', 'notice_id'), name='payments_notice_is_stored_once')],
            },
        ),
        tenant("payments_notice"),
    ]
