"""A customer's days are found by the customer, also in a book of which statistics know nothing yet.

For a book that came after the last ANALYZE the planner expects one row, finds both indexes
equally good, and may read the whole book once for each buyer. Without statistics of
`book_id` it expects a share of the table as it is now, and takes the index of the customer.
What was gathered before stays until it is cleared.
"""

from django.db import migrations

_EXPECT_A_SHARE = """
ALTER TABLE analytics_buyerday ALTER COLUMN book_id SET STATISTICS 0;
SELECT pg_clear_attribute_stats(current_schema(), 'analytics_buyerday', 'book_id', false);
"""
_GATHER_AGAIN = "ALTER TABLE analytics_buyerday ALTER COLUMN book_id SET STATISTICS DEFAULT"


class Migration(migrations.Migration):
    dependencies = [("analytics", "0012_reports_finished")]

    operations = [migrations.RunSQL(_EXPECT_A_SHARE, _GATHER_AGAIN)]
