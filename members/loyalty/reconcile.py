"""The proof of points: lots against the ledger, moves against lots, accruals against orders."""

from payments.ledger.reconcile import Check

CHECKS = (
    Check(
        "lots_are_the_ledger",
        "What lots have left is the ledger's balance: pending lots of what waits, the others of what can be spent.",
        """
        WITH held AS (
            SELECT b.account_id, a.owner_id, a.unit, a.code, b.posted_minor AS points
            FROM payments_account a JOIN payments_accountbalance b ON b.account_id = a.id
            WHERE a.code IN ('points', 'points_pending')
        ), lots AS (
            SELECT a.id AS account_id, sum(l.remaining_points) AS points
            FROM members_lot l
            JOIN payments_entry e ON e.book_id = l.book_id AND e.id = l.entry_id
            JOIN payments_account a ON a.owner_id = l.member_id AND a.unit = e.unit
                AND a.code = CASE WHEN l.is_pending THEN 'points_pending' ELSE 'points' END
            WHERE l.remaining_points > 0
            GROUP BY a.id
        )
        SELECT held.code || ' ' || held.owner_id || ' ' || held.unit || ': ledger says ' || held.points
            || ', lots say ' || coalesce(lots.points, 0)
        FROM held LEFT JOIN lots USING (account_id)
        WHERE held.points <> coalesce(lots.points, 0)
        """,
    ),
    Check(
        "lots_have_their_account",
        "Every lot with something left stands on an account of its member.",
        """
        SELECT 'lot ' || l.id FROM members_lot l
        JOIN payments_entry e ON e.book_id = l.book_id AND e.id = l.entry_id
        WHERE l.remaining_points > 0 AND NOT EXISTS (
            SELECT 1 FROM payments_account a WHERE a.owner_id = l.member_id AND a.unit = e.unit AND a.code = 'points')
        """,
    ),
    Check(
        "lots_add_up",
        "A lot's points and what moved since are what remains of it.",
        """
        SELECT 'lot ' || l.id || ': says ' || l.remaining_points || ', moves say '
            || l.points + coalesce(m.points, 0)
        FROM members_lot l
        LEFT JOIN (SELECT lot_id, sum(points) AS points FROM members_lotmove GROUP BY lot_id) AS m ON m.lot_id = l.id
        WHERE l.remaining_points <> l.points + coalesce(m.points, 0)
        """,
    ),
    Check(
        "accruals_follow_their_orders",
        "What an order earned is kept in the share of its money that was kept, rounded down.",
        """
        SELECT 'accrual ' || a.id || ': took back ' || a.reversed_points || ' of ' || a.points
        FROM members_accrual a
        WHERE a.reversed_points <> a.points - a.points * (a.counted_minor - a.returned_minor) / a.counted_minor
        """,
    ),
    Check(
        "bonuses_follow_their_orders",
        "Of an offer's bonus no more is left than the share of its order that was kept, rounded down.",
        """
        SELECT 'bonus ' || b.id || ': took back ' || b.reversed_points || ' of ' || b.points
        FROM members_offerbonus b JOIN payments_order o ON o.book_id = b.book_id AND o.id = b.order_id
        WHERE b.reversed_points > b.points - b.points * (o.total_minor - o.refunded_minor) / o.total_minor
        """,
    ),
)
