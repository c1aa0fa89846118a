"""The proof of points: lots against the ledger and their moves, accruals against orders, lifetimes against accruals."""

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
        "lifetimes_are_what_was_earned",
        "A member's lifetime is the sum of what their orders earned, and of those of who was merged into them.",
        """
        WITH earned AS (
            SELECT a.book_id, a.programme_id, coalesce(m.merged_into_id, m.id) AS member_id, count(*) AS orders,
                sum(a.counted_minor - a.returned_minor) AS spend, sum(a.points - a.reversed_points) AS points
            FROM members_accrual a JOIN members_member m ON m.book_id = a.book_id AND m.id = a.member_id
            GROUP BY 1, 2, 3
        )
        SELECT 'standing ' || s.id || ': says ' || s.orders_count || ' orders, ' || s.lifetime_spend_minor
            || ' spent, ' || s.lifetime_points || ' points; orders say ' || coalesce(e.orders, 0) || ', '
            || coalesce(e.spend, 0) || ', ' || coalesce(e.points, 0)
        FROM members_standing s
        JOIN members_member m ON m.book_id = s.book_id AND m.id = s.member_id AND m.merged_into_id IS NULL
        LEFT JOIN earned e ON e.book_id = s.book_id AND e.programme_id = s.programme_id AND e.member_id = s.member_id
        WHERE (s.orders_count, s.lifetime_spend_minor, s.lifetime_points)
            <> (coalesce(e.orders, 0), coalesce(e.spend, 0), coalesce(e.points, 0))
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
