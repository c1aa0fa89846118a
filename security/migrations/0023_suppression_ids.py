"""Addresses that nothing is sent to get ids: a list of them is read by pages, and one of them is lifted by its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("security", "0022_second_person")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    """
                    ALTER TABLE security_suppression ADD COLUMN id uuid NOT NULL DEFAULT uuidv7();
                    ALTER TABLE security_suppression ALTER COLUMN id DROP DEFAULT;
                    ALTER TABLE security_suppression
                        ADD CONSTRAINT security_suppression_once_an_address UNIQUE (channel, digest);
                    ALTER TABLE security_suppression DROP CONSTRAINT security_suppression_pkey;
                    ALTER TABLE security_suppression ADD PRIMARY KEY (id);
                    """,
                    """
                    ALTER TABLE security_suppression DROP CONSTRAINT security_suppression_pkey;
                    ALTER TABLE security_suppression DROP COLUMN id;
                    ALTER TABLE security_suppression DROP CONSTRAINT security_suppression_once_an_address;
                    ALTER TABLE security_suppression ADD PRIMARY KEY (channel, digest);
                    """,
                )
            ],
            state_operations=[
                migrations.RemoveField("suppression", "pk"),
                migrations.AddField(
                    "suppression",
                    "id",
                    models.UUIDField(default=None, editable=False, primary_key=True, serialize=False),
                    preserve_default=False,
                ),
                migrations.AddConstraint(
                    "suppression",
                    models.UniqueConstraint(
                        fields=["channel", "digest"], name="security_suppression_once_an_address"
                    ),
                ),
            ],
        )
    ]
