"""What the rooms' codes are called on the pages of payments, and the colour of each state."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from merchant_platform.kernel.errors import PlatformError
from payments.bulk.operations import SelectionInvalid
from payments.intents import states
from payments.notes.operations import EmptyNote, NotTheAuthor
from payments.orders.models import Order, OrderLine
from payments.saved_views.operations import NameInvalid, NameTaken, TooManyViews

# A state of ours: the badge's colour, and the word that says it.
PAYMENT_STATES: dict[str, tuple[str, Any]] = {
    "succeeded": ("success", _("Succeeded")),
    "partly_refunded": ("info", _("Partly refunded")),
    "refunded": ("neutral", _("Refunded")),
    "uncaptured": ("warning", _("Uncaptured")),
    "processing": ("info", _("Processing")),
    "failed": ("danger", _("Failed")),
    "needs_payer": ("warning", _("Waits for the payer")),
    "incomplete": ("neutral", _("Incomplete")),
    "canceled": ("neutral", _("Canceled")),
}
REFUND_STATES: dict[str, tuple[str, Any]] = {
    states.REFUND_SUCCEEDED: ("success", _("Succeeded")),
    states.REFUND_PENDING: ("info", _("Pending")),
    states.REFUND_FAILED: ("danger", _("Failed")),
    states.REFUND_CANCELED: ("neutral", _("Canceled")),
}
DELIVERY_STATES: dict[str, tuple[str, Any]] = {
    "pending": ("info", _("Pending")),
    "succeeded": ("success", _("Delivered")),
    "failed": ("danger", _("Failed")),
    "canceled": ("neutral", _("Canceled")),
}
ITEM_STATES: dict[str, tuple[str, Any]] = {
    "waiting": ("info", _("Waiting")),
    "done": ("success", _("Done")),
    "refused": ("danger", _("Refused")),
}
TABS: dict[str, Any] = {
    "all": _("All"),
    **{name: PAYMENT_STATES[name][1] for name in PAYMENT_STATES if name not in ("partly_refunded", "needs_payer")},
}
REFUND_TABS: dict[str, Any] = {"all": _("All"), **{name: word for name, (_kind, word) in REFUND_STATES.items()}}
METHODS: dict[str, Any] = {"card": _("Card"), "wallet": _("Wallet")}
BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "unionpay": "UnionPay"}
REASONS: dict[str, Any] = {
    "requested_by_customer": _("Requested by the customer"),
    "duplicate": _("Paid twice"),
    "fraudulent": _("Fraudulent"),
    "expired_uncaptured_charge": _("Came after the payment was closed"),
    "abandoned": _("Given up by the customer"),
    "automatic": _("Its time was over"),
}
REFUND_REASONS = ("requested_by_customer", "duplicate", "fraudulent")
CANCEL_REASONS = ("requested_by_customer", "duplicate", "fraudulent", "abandoned")
# The ledger's accounts in plain words, from where the merchant stands.
ACCOUNTS: dict[str, Any] = {
    "bank": _("The platform's bank"),
    "wallet": _("The customer's wallet"),
    "merchant": _("Your balance"),
    "fees": _("The platform's fees"),
    "acquirer": _("The card acquirer"),
    "stored_value": _("Paid-for value on the card"),
    "stored_bonus": _("Bonus on the card"),
    "stored_issued": _("What you owe on cards"),
    "bonus_issued": _("Bonus given on cards"),
}
ENTRIES: dict[str, Any] = {
    "charge": _("Payment"),
    "refund": _("Refund"),
    "refund_failure": _("Refund that failed"),
}
TRANSACTIONS: dict[str, Any] = {
    "payment": _("Payment"),
    "payment_refund": _("Refund"),
    "payment_failure_refund": _("Refund that failed"),
}
ACTS: dict[str, Any] = {
    "refund": pgettext_lazy("act", "Refund"),
    "capture": pgettext_lazy("act", "Capture"),
    "cancel": pgettext_lazy("act", "Cancel"),
}
CARD_STATES: dict[str, tuple[str, Any]] = {
    "inactive": ("neutral", _("Not paid for yet")),
    "active": ("success", _("Active")),
    "frozen": ("info", _("Frozen")),
    "expired": ("neutral", _("Expired")),
}
CARD_KINDS: dict[str, Any] = {"gift": _("Gift card"), "stored": _("Stored-value card")}
CARD_MOVEMENTS: dict[str, Any] = {
    "load": _("Loaded"),
    "payment": _("Payment"),
    "refund": _("Refund"),
    "unload": _("Taken off: the purchase was refunded"),
    "expiry": _("Expired"),
}
TENDER_STATES: dict[str, tuple[str, Any]] = {
    "chosen": ("neutral", _("Chosen")),
    "reserved": ("info", _("Reserved")),
    "completed": ("success", _("Paid")),
}
ORDER_STATES: dict[str, tuple[str, Any]] = {
    "open": ("warning", _("Open")),
    "paid": ("success", _("Paid")),
    "canceled": ("neutral", _("Canceled")),
}
VERDICTS: dict[str, tuple[str, Any]] = {
    "allowed": ("success", _("Allowed")),
    "declined": ("danger", _("Declined")),
    "strong": ("success", _("Two factors")),
    "exempt": ("neutral", _("Exempt")),
    "single_factor": ("warning", _("Fewer than two factors")),
}
# Classes of factor, as the payer showed them.
FACTORS: dict[str, Any] = {
    "knowledge": _("something they know"),
    "possession": _("something they have"),
    "inherence": _("something they are"),
}
RULES: dict[str, Any] = {"wallet_payment": _("May the wallet pay this?")}
ROUNDINGS: dict[str, Any] = {
    "exact": _("It is a whole amount, so nothing was rounded."),
    "up": _("It was rounded up to the nearest payable amount."),
    "down": _("It was rounded down to the nearest payable amount."),
    "even": _("It was exactly half, which is rounded to the even neighbour."),
}
# Why a card or a wallet was refused, by its code, for who sells.
DECLINES: dict[str, Any] = {
    "insufficient_funds": _("There was not enough money."),
    "lost_card": _("The card was reported lost."),
    "stolen_card": _("The card was reported stolen."),
    "generic_decline": _("The bank gave no reason."),
    "expired_card": _("The card has expired."),
    "incorrect_cvc": _("The security code was wrong."),
    "processing_error": _("The payment could not be processed."),
    "authentication_required": _("The bank wants the customer to confirm it."),
    "payment_intent_authentication_failure": _("The customer did not confirm it with the bank."),
    "mandate_revoked": _("The customer withdrew the permission."),
    "mandate_expired": _("The customer's permission has expired."),
    "mandate_limit_exceeded": _("It is over the customer's own limit."),
    "currency_mismatch": _("The wallet holds another currency."),
}
# What a refused act says to staff, by its error's code.
REFUSALS: dict[str, Any] = {
    "charge_already_refunded": _("It is refunded already."),
    "approval_required": _("So large a refund needs a second person. It waits under Approvals."),
    "charge_not_refundable": _("No money was taken, so there is nothing to refund."),
    "stored_value_spent": _("This line put value on a card that has been spent meanwhile."),
    "charge_refund_amount_exceeded": _("That is more than is left to refund."),
    "refund_lines_mismatch": _("The lines and the amount do not go together."),
    "payment_intent_unexpected_state": _("The payment is not in a state that allows this."),
    "amount_too_large": _("That is more than is left to capture."),
    "parameter_invalid_integer": _("This amount cannot be paid in this currency."),
    "idempotency_error": _("This form was sent before with other values. Open it again."),
    "idempotency_key_in_use": _("This is being done at this very moment. Look again in a few seconds."),
    "lock_timeout": _("Somebody else is at work on this payment. Try again in a moment."),
    "ledger_needs_rebase": _("The ledger is being restored. Try again later."),
}

# Refusals that the API never gives, by their kind.
REFUSED: dict[type[PlatformError], Any] = {
    SelectionInvalid: _("Select payments that are there, 200 at most."),
    EmptyNote: _("Write between 1 and 2,000 characters."),
    NotTheAuthor: _("Only who wrote a note can change or remove it."),
    NameInvalid: _("Give the view a name of up to 60 characters."),
    NameTaken: _("You have a view of that name."),
    TooManyViews: _("You have as many views as there can be. Remove one first."),
}


def refused(error: PlatformError) -> str:
    """The sentence for what a room refused to do."""
    return str(REFUSED.get(type(error)) or refusal(error.code))


def refusal(code: str) -> str:
    """The sentence for a refusal: what went wrong, in words for staff."""
    return str(REFUSALS.get(code) or _("It could not be done."))


def decline(code: str) -> str:
    return str(DECLINES.get(code) or DECLINES["generic_decline"])


def brand(name: str) -> str:
    """A card's brand as it is written on the card."""
    return BRANDS.get(name, name.title())


def method(name: str, brand_name: str = "", last4: str = "") -> str:
    """How somebody paid: `Visa •••• 4242`, `Wallet`."""
    if last4:
        return f"{brand(brand_name)} •••• {last4}"
    return str(METHODS.get(name, name))


def order_state(order: Order) -> tuple[str, Any]:
    """An order's state as a badge: what went back is told before that it was paid."""
    if not order.refunded_minor:
        return ORDER_STATES[order.status]
    return PAYMENT_STATES["refunded" if order.refunded_minor == order.paid_minor else "partly_refunded"]


def bought(things: Sequence[OrderLine]) -> str:
    """What somebody bought: `Espresso × 2`, `Espresso and 2 more`."""
    if not things:
        return ""
    first, count = things[0], len(things) - 1
    if count:
        return ngettext("{first} and {count} more", "{first} and {count} more", count).format(
            first=first.description, count=count
        )
    return f"{first.description} × {first.quantity}" if first.quantity > 1 else first.description
