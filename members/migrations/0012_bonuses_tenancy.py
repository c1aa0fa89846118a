from django.db import migrations

from merchant_platform.kernel.tables import tenant

# What was given before there were rows of it; what has no lot all paid a debt, and stays as it is.
_FILL = """
INSERT INTO members_offerbonus (id, book_id, programme_id, member_id, order_id, redemption, lot_id, points,
    reversed_points, changes_count)
SELECT e.id, e.book_id, l.programme_id, l.member_id, d.subject_id, e.source_id, l.id, (d.inputs ->> 'points')::bigint,
    coalesce(-m.points, 0), coalesce(m.count, 0)
FROM payments_entry e
JOIN members_lot l ON l.book_id = e.book_id AND l.entry_id = e.id
JOIN kernel_decision d ON d.book_id = e.book_id AND d.rule = 'points_bonus' AND d.verdict = 'given'
    AND e.reference = 'bonus:' || (d.inputs ->> 'redemption')
LEFT JOIN (
    SELECT book_id, lot_id, source_id, sum(points) AS points, count(*) AS count FROM members_lotmove
    GROUP BY book_id, lot_id, source_id
) m ON m.book_id = e.book_id AND m.lot_id = l.id AND m.source_id = e.source_id
WHERE e.kind = 'points_bonus'
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0011_bonuses")]
    operations = [
        tenant(
            "members_offerbonus",
            programme_id="members_programme",
            member_id="members_member",
            order_id="payments_order",
            lot_id="members_lot",
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
