"""A merchant's long history, loaded by the owner in a few statements: what plans are tried on."""

from datetime import timedelta
from uuid import UUID

from payments.ledger import chart
from security.merchants.models import Book
from tests.architecture.asking import as_owner
from tests.cast import NOW, found

CUSTOMERS = 40
TAIL = 5
BEGAN = NOW - timedelta(days=1)

# The id of row n of a kind, in the form of ids.py: the milliseconds of its time, then version and variant.
_ID = """
CREATE OR REPLACE FUNCTION pg_temp.millisecond(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT 1772357400000 + n * %(spacing)s
$$;
CREATE OR REPLACE FUNCTION pg_temp.id(kind text, book int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(pg_temp.millisecond(n)), 12, '0') || '7000' || '8' || left(md5(kind), 3)
            || lpad(to_hex(book), 4, '0') || lpad(to_hex(n), 8, '0'))::uuid
$$
"""
_BEGIN = """
INSERT INTO payments_consumer (id, mode, created_at) VALUES (pg_temp.id('consumer', %(nr)s, 1), 'test', %(at)s);
INSERT INTO payments_wallet (id, consumer_id, currency, mode, account_id, created_at)
VALUES (pg_temp.id('wallet', %(nr)s, 1), pg_temp.id('consumer', %(nr)s, 1), 'CNY', 'test', %(wallet)s, %(at)s);
INSERT INTO payments_account (id, code, owner_id, unit, mode, book_id)
VALUES (%(wallet)s, 'wallet', pg_temp.id('wallet', %(nr)s, 1), 'CNY/2', 'test', NULL),
       (%(merchant)s, 'merchant', %(book)s, 'CNY/2', 'test', %(book)s);
INSERT INTO payments_mandate (id, book_id, wallet_id, created_at)
VALUES (pg_temp.id('mandate', %(nr)s, 1), %(book)s, pg_temp.id('wallet', %(nr)s, 1), %(at)s);
INSERT INTO payments_webhookendpoint (id, book_id, url, enabled_events, metadata, status, disabled_reason,
    sealed_secret, created_at)
VALUES (pg_temp.id('hook', %(nr)s, 1), %(book)s, 'https://example.com', '["*"]', '{}', 'enabled', '', '', %(at)s);
INSERT INTO payments_customer (id, book_id, name, email, email_key, phone, preferred_locales, metadata, created_at)
SELECT pg_temp.id('customer', %(nr)s, n), %(book)s, 'regular ' || n, 'R' || n || '@example.com',
    'r' || n || '@example.com', '+86' || n, '[]', '{}', %(at)s
FROM generate_series(1, %(customers)s) AS n;
INSERT INTO members_member (id, book_id, customer_id, number, joined_at, source, status, created_at)
SELECT pg_temp.id('member', %(nr)s, n), %(book)s, pg_temp.id('customer', %(nr)s, n), 'R' || n, %(at)s, 'api', 'active',
    %(at)s
FROM generate_series(1, %(customers)s) AS n;
INSERT INTO payments_paymentmethod (id, book_id, type, customer_id, mandate_id, billing_details, metadata, created_at)
VALUES (pg_temp.id('method', %(nr)s, 1), %(book)s, 'wallet', pg_temp.id('customer', %(nr)s, 1),
    pg_temp.id('mandate', %(nr)s, 1), '{}', '{}', %(at)s);
"""
_GROW = """
CREATE TEMP TABLE paid ON COMMIT DROP AS
SELECT n, pg_temp.id('customer', %(nr)s, n %% %(customers)s + 1) AS customer, pg_temp.id('order', %(nr)s, n) AS "order",
    pg_temp.id('intent', %(nr)s, n) AS intent, pg_temp.id('attempt', %(nr)s, n) AS attempt,
    pg_temp.id('entry', %(nr)s, n) AS entry, pg_temp.id('event', %(nr)s, n) AS event,
    to_timestamp(pg_temp.millisecond(n) / 1000.0) AS at,
    CASE WHEN NOT %(has_losses)s OR n %% 20 > 2 THEN 'succeeded'
         ELSE (ARRAY['canceled', 'requires_payment_method', 'requires_action'])[n %% 20 + 1] END AS status,
    CASE WHEN n %% 10 = 5
         THEN jsonb_build_object('brand', 'visa', 'last4', lpad((n %% 10000)::text, 4, '0')) END AS card
FROM generate_series(%(first)s, %(last)s) AS n;

INSERT INTO payments_customer (id, book_id, name, email, email_key, phone, preferred_locales, metadata, created_at)
SELECT pg_temp.id('guest', %(nr)s, n), %(book)s, 'guest ' || n, 'G' || n || '@example.com', 'g' || n || '@example.com',
    '+1' || n, '[]', '{}', %(at)s
FROM paid;
INSERT INTO members_member (id, book_id, customer_id, number, joined_at, source, status, created_at)
SELECT pg_temp.id('joined', %(nr)s, n), %(book)s, pg_temp.id('guest', %(nr)s, n), 'G' || n, at, 'qr', 'active', at
FROM paid;
INSERT INTO payments_paymentmethod (id, book_id, type, customer_id, mandate_id, billing_details, metadata, created_at)
SELECT pg_temp.id('saved', %(nr)s, n), %(book)s, 'wallet', pg_temp.id('guest', %(nr)s, n),
    pg_temp.id('mandate', %(nr)s, 1), '{}', '{}', %(at)s
FROM paid;
INSERT INTO payments_storedvaluecard (id, book_id, kind, status, currency, is_live, number_digest, last4, pin_digest,
    failed_pins_count, metadata, created_at)
SELECT pg_temp.id('svcard', %(nr)s, n), %(book)s, 'gift', 'active', 'CNY', false, 'digest ' || n,
    lpad((n %% 10000)::text, 4, '0'), '', 0, '{}', at
FROM paid;
INSERT INTO payments_order (id, book_id, customer_id, status, is_implicit, currency, total_minor, paid_minor,
    refunded_minor, metadata, created_at)
SELECT "order", %(book)s, customer, 'paid', true, 'CNY', 100, 100, 1, '{}', at FROM paid;
INSERT INTO payments_paymentintent (id, book_id, order_id, customer_id, payment_method_id, status, amount_minor,
    received_minor, currency, capture_method, confirmation_method, payment_method_types, latest_attempt_id, metadata,
    created_at)
SELECT intent, %(book)s, "order", customer, pg_temp.id('method', %(nr)s, 1), status, 100,
    CASE WHEN status = 'succeeded' THEN 100 ELSE 0 END, 'CNY', 'automatic_async', 'automatic', '["wallet"]', attempt,
    '{}', at
FROM paid;
INSERT INTO payments_entry (id, book_id, reference, kind, source_id, unit, amount_minor, fee_minor, effective_at,
    available_at)
SELECT entry, %(book)s, 'capture:' || n, 'charge', attempt, 'CNY/2', 100, 0, at, at FROM paid;
INSERT INTO payments_attempt (id, book_id, intent_id, customer_id, payment_method_id, method, status, amount_minor,
    captured_minor, refunded_minor, currency, fee_rate_ppm, fee_minor, entry_id, billing_details, metadata, card,
    created_at)
SELECT attempt, %(book)s, intent, customer, pg_temp.id('method', %(nr)s, 1),
    CASE WHEN card IS NULL THEN 'wallet' ELSE 'card' END, 'captured', 100, 100, 1, 'CNY', 0, 0, entry, '{}', '{}', card,
    at
FROM paid;
INSERT INTO payments_refund (id, book_id, attempt_id, intent_id, status, amount_minor, fee_returned_minor, currency,
    entry_id, metadata, created_at)
SELECT pg_temp.id('refund', %(nr)s, n), %(book)s, attempt, intent, 'succeeded', 1, 0, 'CNY', entry, '{}', at
FROM paid;
INSERT INTO payments_orderline (id, book_id, order_id, description, category, quantity, unit_price_minor,
    discount_minor, tax_minor, amount_minor, refunded_minor, refunded_quantity)
SELECT pg_temp.id('line', %(nr)s, n), %(book)s, "order", 'Espresso', '', 1, 100, 0, 0, 100, 1, 0 FROM paid;
INSERT INTO payments_refundline (id, book_id, refund_id, order_line_id, quantity, amount_minor)
SELECT pg_temp.id('refunded', %(nr)s, n), %(book)s, pg_temp.id('refund', %(nr)s, n), pg_temp.id('line', %(nr)s, n), 0, 1
FROM paid;
-- All but a few are below the checkpoint's transaction id.
INSERT INTO payments_transfer (id, book_id, entry_id, debit_account_id, credit_account_id, unit, amount_minor, xid)
SELECT pg_temp.id('transfer', %(nr)s, n), %(book)s, entry, %(wallet)s, %(merchant)s, 'CNY/2', 100,
    CASE WHEN n <= %(tail)s THEN '5'::xid8 ELSE '3'::xid8 END
FROM paid;
INSERT INTO payments_checkpoint (account_id, book_id, posted_minor, xid, cluster)
SELECT %(merchant)s, %(book)s, 100 * (%(last)s - %(tail)s), '4', system_identifier FROM pg_control_system()
ON CONFLICT (account_id) DO UPDATE SET posted_minor = excluded.posted_minor;
INSERT INTO payments_metadataterm (book_id, kind, object_id, key, value)
SELECT %(book)s, 'payment_intent', intent, key, value
FROM paid CROSS JOIN LATERAL (VALUES ('receipt', 'R' || n), ('channel', 'till')) AS pair (key, value);
INSERT INTO kernel_event (id, book_id, type, created_at, data, is_public)
SELECT event, %(book)s, (ARRAY['charge.succeeded', 'payment_intent.created', 'payment_intent.succeeded'])[n %% 3 + 1],
    %(at)s, '{}', true
FROM paid;
-- All but a few are done.
INSERT INTO kernel_delivery (id, book_id, event_id, target, due_at, attempts_count, done_at, last_error)
SELECT pg_temp.id('delivery', %(nr)s, n), %(book)s, event, 'somewhere', %(at)s, 1,
    CASE WHEN n > %(tail)s THEN %(at)s::timestamptz END, ''
FROM paid;
INSERT INTO payments_webhookdelivery (id, book_id, endpoint_id, event_id, status, attempts_count, due_at, created_at)
SELECT pg_temp.id('sent', %(nr)s, n), %(book)s, pg_temp.id('hook', %(nr)s, 1), event,
    CASE WHEN n > %(tail)s THEN 'succeeded' ELSE 'pending' END, 1, %(at)s, %(at)s
FROM paid;
INSERT INTO payments_webhookattempt (id, book_id, delivery_id, number, attempted_at, duration_ms, outcome, detail,
    response_body)
SELECT pg_temp.id('tried', %(nr)s, n), %(book)s, pg_temp.id('sent', %(nr)s, n), 1, %(at)s, 5, 'succeeded', '', ''
FROM paid;
INSERT INTO kernel_idempotencykey (book_id, key, fingerprint, status, body, request_id, moved_money)
SELECT %(book)s, 'key ' || n, '', 200, '{}', '', true FROM paid;
"""


class History:
    """A book with payments, refunds, customers and events; the same number of each.

    Payment n is made n × `spacing` after BEGAN: a negative one makes a history that grows
    into the past. With `has_losses`, some payments did not succeed.
    """

    def __init__(
        self, slug: str, number: int, *, spacing: timedelta = timedelta(milliseconds=1), has_losses: bool = False
    ) -> None:
        merchant = found(slug, slug)
        self.book = Book.objects.get(merchant=merchant, mode="test")
        self.number = number
        self.size = 0
        self.spacing, self.has_losses = spacing, has_losses
        self._run(_BEGIN)

    def grow_to(self, size: int) -> None:
        """This will load what is missing to `size` payments."""
        self._run(_GROW, first=self.size + 1, last=size)
        self.size = size

    def id(self, kind: str, n: int) -> UUID:
        """The id of row n of a kind."""
        self._define()
        return as_owner("SELECT pg_temp.id(%s, %s, %s)", [kind, self.number, n])[0][0]

    def _define(self) -> None:
        as_owner(_ID, {"spacing": self.spacing // timedelta(milliseconds=1)})

    def _run(self, script: str, **parameters: int) -> None:
        wallet = chart.wallet(self.id("wallet", 1), "CNY", "test").id
        as_owner(
            script,
            {
                "at": BEGAN,
                "book": self.book.pk,
                "customers": CUSTOMERS,
                "merchant": chart.merchant(self.book.pk, "CNY", "test").id,
                "nr": self.number,
                "tail": TAIL,
                "wallet": wallet,
                "has_losses": self.has_losses,
                **parameters,
            },
        )
