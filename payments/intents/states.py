"""The life of a payment intent, of an attempt, of a refund and of a setup intent."""

from merchant_platform.kernel.states import Moves

REQUIRES_PAYMENT_METHOD = "requires_payment_method"
REQUIRES_CONFIRMATION = "requires_confirmation"
REQUIRES_ACTION = "requires_action"
PROCESSING = "processing"
REQUIRES_CAPTURE = "requires_capture"
SUCCEEDED = "succeeded"
CANCELED = "canceled"

INTENT_MOVES = Moves(
    {
        REQUIRES_PAYMENT_METHOD: [
            REQUIRES_CONFIRMATION, REQUIRES_ACTION, PROCESSING, REQUIRES_CAPTURE, SUCCEEDED, CANCELED,
        ],
        REQUIRES_CONFIRMATION: [
            REQUIRES_PAYMENT_METHOD, REQUIRES_ACTION, PROCESSING, REQUIRES_CAPTURE, SUCCEEDED, CANCELED,
        ],
        REQUIRES_ACTION: [REQUIRES_PAYMENT_METHOD, PROCESSING, REQUIRES_CAPTURE, SUCCEEDED, CANCELED],
        PROCESSING: [REQUIRES_PAYMENT_METHOD, REQUIRES_ACTION, REQUIRES_CAPTURE, SUCCEEDED, CANCELED],
        REQUIRES_CAPTURE: [PROCESSING, SUCCEEDED, CANCELED],
        SUCCEEDED: [],
        CANCELED: [],
    }
)  # fmt: skip
CONFIRMABLE = frozenset({REQUIRES_PAYMENT_METHOD, REQUIRES_CONFIRMATION})
# What a provider knows more of than we do.
AWAITED = frozenset({PROCESSING, REQUIRES_ACTION})
# Money is on its way: the order behind it neither ends nor costs another sum.
ASKED_FOR = AWAITED | {REQUIRES_CAPTURE}
CANCELABLE = frozenset({REQUIRES_PAYMENT_METHOD, REQUIRES_CONFIRMATION, REQUIRES_ACTION, REQUIRES_CAPTURE})

CREATED, AUTHENTICATING, AUTHORIZING, AUTHORIZED = "created", "authenticating", "authorizing", "authorized"
CAPTURED, DECLINED, UNKNOWN, VOIDED = "captured", "declined", "unknown", "voided"

# What is final here is so by the provider's own word. What we concluded ourselves (it never
# arrived) may be overturned by that word: see outcomes.py, which alone makes those moves.
ATTEMPT_MOVES = Moves(
    {
        CREATED: [AUTHORIZING, CAPTURED, DECLINED],
        AUTHORIZING: [AUTHENTICATING, AUTHORIZED, CAPTURED, DECLINED, UNKNOWN, VOIDED],
        AUTHENTICATING: [AUTHORIZED, CAPTURED, DECLINED, UNKNOWN, VOIDED],
        UNKNOWN: [AUTHORIZING, AUTHENTICATING, AUTHORIZED, CAPTURED, DECLINED, VOIDED],
        AUTHORIZED: [CAPTURED, VOIDED],
        CAPTURED: [],
        DECLINED: [AUTHORIZED, CAPTURED],
        VOIDED: [AUTHORIZED, CAPTURED],
    }
)
PAID = frozenset({AUTHORIZED, CAPTURED})
# A second attempt at an intent may not begin while one is in these.
UNDER_WAY = frozenset({AUTHORIZING, AUTHENTICATING, UNKNOWN, AUTHORIZED})

REFUND_PENDING, REFUND_SUCCEEDED, REFUND_FAILED, REFUND_CANCELED = "pending", "succeeded", "failed", "canceled"

# A refund that succeeded may fail later: the card's bank sends the money back.
REFUND_MOVES = Moves(
    {
        REFUND_PENDING: [REFUND_SUCCEEDED, REFUND_FAILED, REFUND_CANCELED],
        REFUND_SUCCEEDED: [REFUND_FAILED],
        REFUND_FAILED: [],
        REFUND_CANCELED: [],
    }
)

# These gave nothing back in the end.
REFUND_UNDONE = frozenset({REFUND_FAILED, REFUND_CANCELED})

SETUP_MOVES = Moves(
    {
        REQUIRES_PAYMENT_METHOD: [REQUIRES_CONFIRMATION, PROCESSING, CANCELED],
        REQUIRES_CONFIRMATION: [REQUIRES_PAYMENT_METHOD, PROCESSING, CANCELED],
        PROCESSING: [REQUIRES_PAYMENT_METHOD, REQUIRES_ACTION, SUCCEEDED, CANCELED],
        REQUIRES_ACTION: [REQUIRES_PAYMENT_METHOD, PROCESSING, SUCCEEDED, CANCELED],
        SUCCEEDED: [],
        CANCELED: [],
    }
)
