"""The part of the books proof about tenders."""

from payments.ledger.reconcile import Check

CHECKS = (
    Check(
        "tenders_hold",
        "A reserved tender has an open hold, a completed one a completed hold, and no other holds anything.",
        """
        SELECT 'tender ' || t.id || ' is ' || t.status || ', its hold ' || coalesce(o.kind, 'is open')
        FROM payments_tender t LEFT JOIN payments_holdoutcome o ON o.book_id = t.book_id AND o.hold_id = t.hold_id
        WHERE (t.status = 'reserved' AND o.id IS NOT NULL)
            OR (t.status = 'completed' AND o.kind IS DISTINCT FROM 'complete')
        UNION ALL
        SELECT 'hold ' || h.id || ' (' || h.reference || ') is of no reserved tender' FROM payments_hold h
        WHERE h.reference LIKE 'tender:%'
            AND NOT EXISTS (SELECT FROM payments_holdoutcome o WHERE o.book_id = h.book_id AND o.hold_id = h.id)
            AND NOT EXISTS (SELECT FROM payments_tender t JOIN payments_hold first ON first.id = t.hold_id
                            WHERE t.book_id = h.book_id AND t.status = 'reserved'
                            AND h.reference LIKE first.reference || '%')
        """,
    ),
    Check(
        "tenders_wait_for_something",
        "What is reserved waits for a payment that is under way.",
        """
        SELECT 'tender ' || t.id FROM payments_tender t WHERE t.status = 'reserved' AND NOT EXISTS (
            SELECT FROM payments_paymentintent i JOIN payments_attempt a ON a.book_id = i.book_id AND a.intent_id = i.id
            WHERE i.book_id = t.book_id AND i.order_id = t.order_id
                AND a.status IN ('authorizing', 'authenticating', 'unknown', 'authorized'))
        """,
    ),
    Check(
        "tenders_counted",
        "An order says what its tenders come to, and a tender what was given back of it.",
        """
        SELECT 'order ' || o.id || ': says ' || o.tendered_minor || ', tenders say ' || coalesce(t.amount, 0)
        FROM payments_order o
        LEFT JOIN (SELECT order_id, sum(amount_minor) AS amount FROM payments_tender WHERE status <> 'dropped'
                   GROUP BY order_id) AS t ON t.order_id = o.id
        WHERE o.tendered_minor <> coalesce(t.amount, 0)
        UNION ALL
        SELECT 'tender ' || t.id || ': says ' || t.refunded_minor || ', refunds say ' || coalesce(r.amount, 0)
        FROM payments_tender t
        LEFT JOIN (SELECT tender_id, sum(amount_minor) AS amount, sum(coalesce(units, 0)) AS units
                   FROM payments_tenderrefund GROUP BY tender_id) AS r ON r.tender_id = t.id
        WHERE t.refunded_minor <> coalesce(r.amount, 0) OR t.refunded_units <> coalesce(r.units, 0)
            OR (t.refunded_minor = t.amount_minor AND t.units IS NOT NULL AND t.refunded_units <> t.units)
        """,
    ),
    Check(
        "tenders_of_money_are_payments",
        "A tender that became a payment of its own is one of the same amount.",
        """
        SELECT 'tender ' || t.id FROM payments_tender t
        JOIN payments_paymentintent i ON i.book_id = t.book_id AND i.id = t.intent_id
        WHERE i.received_minor <> t.amount_minor OR i.order_id <> t.order_id OR t.refunded_minor <> 0
        """,
    ),
)
