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
        "Every captured charge has its entries, in all of the same amount and fee, and no other charge has one.",
        """
        SELECT 'charge ' || a.id FROM payments_attempt a
        LEFT JOIN (SELECT book_id, source_id, sum(amount_minor) AS amount, sum(fee_minor) AS fee, count(*) AS n
                   FROM payments_entry WHERE kind = 'charge' GROUP BY book_id, source_id) AS e
            ON e.book_id = a.book_id AND e.source_id = a.id
        LEFT JOIN payments_entry f ON f.book_id = a.book_id AND f.id = a.entry_id
        WHERE (a.captured_minor > 0 AND a.status IN ('captured', 'authorized')) <> (e.n IS NOT NULL)
            OR (a.status = 'captured' AND a.captured_minor = 0) OR (a.entry_id IS NULL) <> (e.n IS NULL)
            OR (e.n IS NOT NULL AND (e.amount <> a.captured_minor OR e.fee <> a.fee_minor
                OR e.n <> CASE WHEN a.provider IS NULL THEN 1 ELSE a.captures_count END
                OR f.kind IS DISTINCT FROM 'charge' OR f.source_id IS DISTINCT FROM a.id))
        """,
    ),
    Check(
        "charges_are_known",
        "Every charge or refund entry belongs to a charge or a refund.",
        """
        SELECT 'entry ' || e.id || ' (' || e.reference || ')' FROM payments_entry e
        WHERE e.kind IN ('charge', 'refund', 'refund_failure')
            AND NOT EXISTS (SELECT 1 FROM payments_attempt a WHERE e.kind = 'charge' AND a.id = e.source_id
                            AND (a.entry_id = e.id OR a.provider IS NOT NULL))
            AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.id = e.source_id
                            AND ((e.kind = 'refund' AND r.entry_id = e.id)
                                 OR (e.kind = 'refund_failure' AND r.failure_entry_id = e.id)))
        """,
    ),
    Check(
        "intents_received",
        "An intent received what its captured charges took, and succeeded exactly if it received its amount, "
        "or what of it was captured last. A payment that came after the close counts nowhere.",
        """
        SELECT 'intent ' || i.id || ': says ' || i.received_minor || ', charges say ' || coalesce(c.captured, 0)
        FROM payments_paymentintent i
        LEFT JOIN (SELECT intent_id, sum(captured_minor) AS captured, count(*) FILTER (WHERE status = 'captured') AS n
                   FROM payments_attempt WHERE NOT is_late GROUP BY intent_id) AS c ON c.intent_id = i.id
        WHERE i.received_minor <> coalesce(c.captured, 0) OR coalesce(c.n, 0) > 1
            OR (i.status = 'succeeded') <> (i.received_minor = i.amount_minor
                OR (i.capture_method = 'manual' AND coalesce(c.n, 0) = 1))
            OR (i.capturable_minor > 0 AND i.status NOT IN ('requires_capture', 'processing'))
        """,
    ),
    Check(
        "late_is_given_back",
        "What came after its intent was closed was given back whole, or is on its way.",
        """
        SELECT 'charge ' || id FROM payments_attempt
        WHERE is_late AND status = 'captured' AND refunded_minor <> captured_minor
            AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.attempt_id = payments_attempt.id
                            AND r.status = 'failed')
        """,
    ),
    Check(
        "acquirer_owes_the_charges",
        "What an outside provider owes us is what it captured less what it gave back.",
        """
        WITH owed AS (
            SELECT a.book_id, a.currency, sum(a.captured_minor - a.refunded_minor) AS amount
            FROM payments_attempt a WHERE a.provider IS NOT NULL GROUP BY a.book_id, a.currency
        ), legs AS (
            SELECT debit_account_id AS account, amount_minor AS amount FROM payments_transfer
            UNION ALL SELECT credit_account_id, -amount_minor FROM payments_transfer
        ), kept AS (
            SELECT a.owner_id AS book_id, split_part(a.unit, '/', 1) AS currency, sum(l.amount) AS amount
            FROM payments_account a JOIN legs l ON l.account = a.id WHERE a.code = 'acquirer'
            GROUP BY a.owner_id, a.unit
        )
        SELECT 'book ' || coalesce(o.book_id, k.book_id) || ': charges say ' || coalesce(o.amount, 0)
            || ', the account says ' || coalesce(k.amount, 0)
        FROM owed o FULL JOIN kept k ON k.book_id = o.book_id AND k.currency = o.currency
        WHERE coalesce(o.amount, 0) <> coalesce(k.amount, 0)
        """,
    ),
    Check(
        "refunds_counted",
        "A charge counts its refunds; what they gave back of the fee is its share, half-even.",
        """
        SELECT 'charge ' || a.id || ': says ' || a.refunded_minor || ', refunds say ' || coalesce(r.refunded, 0)
        FROM payments_attempt a
        LEFT JOIN (SELECT attempt_id, sum(amount_minor) AS refunded, sum(fee_returned_minor) AS fee
                   FROM payments_refund WHERE status NOT IN ('failed', 'canceled') GROUP BY attempt_id) AS r
            ON r.attempt_id = a.id
        WHERE a.refunded_minor <> coalesce(r.refunded, 0)
            OR (a.refunded_minor = a.captured_minor AND a.captured_minor > 0 AND coalesce(r.fee, 0) <> a.fee_minor)
            OR coalesce(r.fee, 0) > a.fee_minor
        """,
    ),
    Check(
        "refunds_posted",
        "Every refund has its entry, of the same amount and fee share, and a failed one its mirror.",
        """
        SELECT 'refund ' || r.id FROM payments_refund r
        LEFT JOIN payments_entry e ON e.book_id = r.book_id AND e.id = r.entry_id
        LEFT JOIN payments_entry f ON f.book_id = r.book_id AND f.id = r.failure_entry_id
        WHERE e.id IS NULL OR e.amount_minor <> -r.amount_minor OR e.fee_minor <> -r.fee_returned_minor
            OR e.source_id <> r.id OR (r.status = 'failed') <> (f.id IS NOT NULL)
            OR f.amount_minor <> r.amount_minor OR f.fee_minor <> r.fee_returned_minor OR f.source_id <> r.id
        """,
    ),
    Check(
        "refund_lines",
        "A refund's lines sum to it, and an order line counts its refunds.",
        """
        SELECT 'refund ' || r.id FROM payments_refund r
        JOIN payments_attempt a ON a.id = r.attempt_id AND NOT a.is_late
        LEFT JOIN (SELECT refund_id, sum(amount_minor) AS amount FROM payments_refundline GROUP BY refund_id) AS l
            ON l.refund_id = r.id
        WHERE r.amount_minor <> coalesce(l.amount, 0)
        UNION ALL
        SELECT 'tender refund ' || r.id FROM payments_tenderrefund r
        LEFT JOIN (SELECT tender_refund_id, sum(amount_minor) AS amount FROM payments_refundline
                   GROUP BY tender_refund_id) AS l ON l.tender_refund_id = r.id
        WHERE r.amount_minor <> coalesce(l.amount, 0)
        UNION ALL
        SELECT 'order line ' || ol.id FROM payments_orderline ol
        LEFT JOIN (SELECT rl.order_line_id, sum(rl.amount_minor) AS amount, sum(rl.quantity) AS quantity
                   FROM payments_refundline rl LEFT JOIN payments_refund r ON r.id = rl.refund_id
                   WHERE coalesce(r.status, 'succeeded') NOT IN ('failed', 'canceled') GROUP BY rl.order_line_id) AS l
            ON l.order_line_id = ol.id
        WHERE ol.refunded_minor <> coalesce(l.amount, 0) OR ol.refunded_quantity <> coalesce(l.quantity, 0)
        """,
    ),
    Check(
        "orders_add_up",
        "An order totals its lines, counts what its intents received, what other tenders paid and what was refunded.",
        """
        SELECT 'order ' || o.id FROM payments_order o
        LEFT JOIN (SELECT order_id, sum(amount_minor) AS total, sum(refunded_minor) AS refunded
                   FROM payments_orderline GROUP BY order_id) AS l ON l.order_id = o.id
        LEFT JOIN (SELECT order_id, sum(received_minor) AS paid FROM payments_paymentintent GROUP BY order_id) AS i
            ON i.order_id = o.id
        LEFT JOIN (SELECT order_id, sum(amount_minor) AS paid FROM payments_tender
                   WHERE status = 'completed' AND intent_id IS NULL GROUP BY order_id) AS t ON t.order_id = o.id
        WHERE o.total_minor <> coalesce(l.total, 0) OR o.paid_minor <> coalesce(i.paid, 0) + coalesce(t.paid, 0)
            OR o.refunded_minor <> coalesce(l.refunded, 0)
            OR (o.status = 'paid') <> (o.paid_minor = o.total_minor)
        """,
    ),
)
