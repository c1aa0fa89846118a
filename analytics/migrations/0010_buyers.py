import django.contrib.postgres.fields
from django.db import migrations, models

from merchant_platform.kernel.tables import tenant

OLD = [tenant(f"analytics_{table}") for table in ("buyerday", "buyerquarter", "dirtyhour")]


class Migration(migrations.Migration):
    """Facts alone, which are made again: what stood in the old tables is not carried over."""

    dependencies = [("analytics", "0009_facts_rest")]
    operations = [
        # Before the table that it writes to goes.
        migrations.RunSQL(
            "DROP TRIGGER facts_currency_changed ON payments_paymentintent",
            "CREATE TRIGGER facts_currency_changed AFTER UPDATE OF currency ON payments_paymentintent FOR EACH ROW"
            " WHEN (OLD.currency IS DISTINCT FROM NEW.currency) EXECUTE FUNCTION facts_currency_changed_v1()",
        ),
        *(migrations.RunSQL(old.reverse_sql, old.sql) for old in OLD),
        migrations.DeleteModel(name="BuyerDay"),
        migrations.DeleteModel(name="BuyerQuarter"),
        migrations.DeleteModel(name="DirtyHour"),
        migrations.CreateModel(
            name='BuyerCount',
            fields=[
                ('pk', models.CompositePrimaryKey('book_id', 'day', 'currency', blank=True, editable=False, primary_key=True, serialize=False)),
                ('book_id', models.UUIDField()),
                ('day', models.DateField()),
                ('currency', models.CharField(max_length=3)),
                ('buyers_count', models.IntegerField()),
                ('returned_counts', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
            ],
        ),
        migrations.CreateModel(
            name="PaidHours",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "book_id", "day", "currency", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("book_id", models.UUIDField()),
                ("day", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "succeeded_counts",
                    django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None),
                ),
            ],
        ),
        migrations.CreateModel(
            name='DirtyQuarter',
            fields=[
                ('pk', models.CompositePrimaryKey('book_id', 'quarter_at', blank=True, editable=False, primary_key=True, serialize=False)),
                ('book_id', models.UUIDField()),
                ('quarter_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='BuyerDay',
            fields=[
                ('pk', models.CompositePrimaryKey('book_id', 'day', 'currency', 'customer_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('book_id', models.UUIDField()),
                ('day', models.DateField()),
                ('currency', models.CharField(max_length=3)),
                ('customer_id', models.UUIDField()),
                ('previous_day', models.DateField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['book_id', 'customer_id', 'currency', 'day'], name='analytics_buyerday_customer')],
            },
        ),
    ]
