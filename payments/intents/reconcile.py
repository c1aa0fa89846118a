"""The second half of the books proof: what intents, charges, refunds and orders say agrees with the ledger."""

from payments.ledger.reconcile import Check

CHECKS = (
    Check(
        "references_hold",
        "What intents, charges and order lines name is there, in their book.",
        """
        SELECT 'intent ' || i.id || ': customer ' || i.customer_id FROM payments_paymentintent i
        WHERE i.customer_id IS NOT NULL AND NOT EXISTS
            (SELECT FROM payments_customer c WHERE c.book_id = i.book_id AND c.id = i.customer_id)
        UNION ALL
        SELECT 'charge ' || a.id || ': customer ' || a.customer_id FROM payments_attempt a
        WHERE a.customer_id IS NOT NULL AND NOT EXISTS
            (SELECT FROM payments_customer c WHERE c.book_id = a.book_id AND c.id = a.customer_id)
        UNION ALL
        SELECT 'charge ' || a.id || ': payment method ' || a.payment_method_id FROM payments_attempt a
        WHERE NOT EXISTS
            (SELECT FROM payments_paymentmethod m WHERE m.book_id = a.book_id AND m.id = a.payment_method_id)
        UNION ALL
        SELECT 'order line ' || l.id || ': order ' || l.order_id FROM payments_orderline l
        WHERE NOT EXISTS (SELECT FROM payments_order o WHERE o.book_id = l.book_id AND o.id = l.order_id)
        """,
    ),
    Check(
        "captured_is_posted",
        "Every captured charge has its entry, of the same amount and fee, and no other charge has one.",
        """
        SELECT 'charge ' || a.id FROM payments_attempt a
        LEFT JOIN payments_entry e ON e.book_id = a.book_id AND e.id = a.entry_id
        WHERE (a.status = 'captured') <> (e.id IS NOT NULL)
            OR (e.id IS NOT NULL AND (e.amount_minor <> a.captured_minor OR e.fee_minor <> a.fee_minor
                OR e.kind <> 'charge' OR e.source_id <> a.id))
        """,
    ),
    Check(
        "charges_are_known",
        "Every charge or refund entry belongs to a charge or a refund.",
        """
        SELECT 'entry ' || e.id || ' (' || e.reference || ')' FROM payments_entry e
        WHERE e.kind IN ('charge', 'refund')
            AND NOT EXISTS (SELECT 1 FROM payments_attempt a WHERE e.kind = 'charge' AND a.id = e.source_id
                            AND a.entry_id = e.id)
            AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE e.kind = 'refund' AND r.id = e.source_id
                            AND r.entry_id = e.id)
        """,
    ),
    Check(
        "intents_received",
        "An intent received what its captured charges took, and succeeded exactly if it received its amount.",
        """
        SELECT 'intent ' || i.id || ': says ' || i.received_minor || ', charges say ' || coalesce(c.captured, 0)
        FROM payments_paymentintent i
        LEFT JOIN (SELECT intent_id, sum(captured_minor) AS captured, count(*) FILTER (WHERE status = 'captured') AS n
                   FROM payments_attempt GROUP BY intent_id) AS c ON c.intent_id = i.id
        WHERE i.received_minor <> coalesce(c.captured, 0) OR coalesce(c.n, 0) > 1
            OR (i.status = 'succeeded') <> (i.received_minor = i.amount_minor)
        """,
    ),
    Check(
        "refunds_counted",
        "A charge counts its refunds; what they gave back of the fee is its share, half-even.",
        """
        SELECT 'charge ' || a.id || ': says ' || a.refunded_minor || ', refunds say ' || coalesce(r.refunded, 0)
        FROM payments_attempt a
        LEFT JOIN (SELECT attempt_id, sum(amount_minor) AS refunded, sum(fee_returned_minor) AS fee
                   FROM payments_refund WHERE status = 'succeeded' GROUP BY attempt_id) AS r ON r.attempt_id = a.id
        WHERE a.refunded_minor <> coalesce(r.refunded, 0)
            OR (a.refunded_minor = a.captured_minor AND a.captured_minor > 0 AND coalesce(r.fee, 0) <> a.fee_minor)
            OR coalesce(r.fee, 0) > a.fee_minor
        """,
    ),
    Check(
        "refunds_posted",
        "Every refund has its entry, of the same amount and fee share.",
        """
        SELECT 'refund ' || r.id FROM payments_refund r
        LEFT JOIN payments_entry e ON e.book_id = r.book_id AND e.id = r.entry_id
        WHERE e.id IS NULL OR e.amount_minor <> -r.amount_minor OR e.fee_minor <> -r.fee_returned_minor
            OR e.source_id <> r.id
        """,
    ),
    Check(
        "refund_lines",
        "A refund's lines sum to it, and an order line counts its refunds.",
        """
        SELECT 'refund ' || r.id FROM payments_refund r
        LEFT JOIN (SELECT refund_id, sum(amount_minor) AS amount FROM payments_refundline GROUP BY refund_id) AS l
            ON l.refund_id = r.id
        WHERE r.amount_minor <> coalesce(l.amount, 0)
        UNION ALL
        SELECT 'order line ' || ol.id FROM payments_orderline ol
        LEFT JOIN (SELECT order_line_id, sum(amount_minor) AS amount, sum(quantity) AS quantity
                   FROM payments_refundline GROUP BY order_line_id) AS l ON l.order_line_id = ol.id
        WHERE ol.refunded_minor <> coalesce(l.amount, 0) OR ol.refunded_quantity <> coalesce(l.quantity, 0)
        """,
    ),
    Check(
        "orders_add_up",
        "An order totals its lines, counts what its intents received and what was refunded.",
        """
        SELECT 'order ' || o.id FROM payments_order o
        LEFT JOIN (SELECT order_id, sum(amount_minor) AS total, sum(refunded_minor) AS refunded
                   FROM payments_orderline GROUP BY order_id) AS l ON l.order_id = o.id
        LEFT JOIN (SELECT order_id, sum(received_minor) AS paid FROM payments_paymentintent GROUP BY order_id) AS i
            ON i.order_id = o.id
        WHERE o.total_minor <> coalesce(l.total, 0) OR o.paid_minor <> coalesce(i.paid, 0)
            OR o.refunded_minor <> coalesce(l.refunded, 0)
            OR (o.status = 'paid') <> (o.paid_minor = o.total_minor)
        """,
    ),
)
