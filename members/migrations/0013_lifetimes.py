from django.db import migrations

# Lifetimes came out too low where an order was refunded between a merge of two members and its undoing.
_COUNT_AGAIN = """
UPDATE members_standing s
SET orders_count = e.orders, lifetime_spend_minor = e.spend, lifetime_points = e.points
FROM (
    SELECT a.book_id, a.programme_id, coalesce(m.merged_into_id, m.id) AS member_id, count(*) AS orders,
        sum(a.counted_minor - a.returned_minor)::bigint AS spend, sum(a.points - a.reversed_points)::bigint AS points
    FROM members_accrual a JOIN members_member m ON m.book_id = a.book_id AND m.id = a.member_id
    GROUP BY 1, 2, 3
) e
WHERE s.book_id = e.book_id AND s.programme_id = e.programme_id AND s.member_id = e.member_id
    AND (s.orders_count, s.lifetime_spend_minor, s.lifetime_points) <> (e.orders, e.spend, e.points)
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0012_bonuses_tenancy")]
    operations = [migrations.RunSQL(_COUNT_AGAIN, migrations.RunSQL.noop)]
