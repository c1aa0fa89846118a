"""What the rooms' codes are called on the pages of payments, and the colour of each state."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from payments.intents import states

_l = gettext_lazy

# A state of ours: the badge's colour, and the word that says it.
PAYMENT_STATES: dict[str, tuple[str, Any]] = {
    "succeeded": ("success", _l("Succeeded")),
    "partly_refunded": ("info", _l("Partly refunded")),
    "refunded": ("neutral", _l("Refunded")),
    "uncaptured": ("warning", _l("Uncaptured")),
    "processing": ("info", _l("Processing")),
    "failed": ("danger", _l("Failed")),
    "needs_payer": ("warning", _l("Waits for the payer")),
    "incomplete": ("neutral", _l("Incomplete")),
    "canceled": ("neutral", _l("Canceled")),
}
REFUND_STATES: dict[str, tuple[str, Any]] = {
    states.REFUND_SUCCEEDED: ("success", _l("Succeeded")),
    states.REFUND_PENDING: ("info", _l("Pending")),
    states.REFUND_FAILED: ("danger", _l("Failed")),
    states.REFUND_CANCELED: ("neutral", _l("Canceled")),
}
DELIVERY_STATES: dict[str, tuple[str, Any]] = {
    "pending": ("info", _l("Pending")),
    "succeeded": ("success", _l("Delivered")),
    "failed": ("danger", _l("Failed")),
    "canceled": ("neutral", _l("Canceled")),
}
ITEM_STATES: dict[str, tuple[str, Any]] = {
    "waiting": ("info", _l("Waiting")),
    "done": ("success", _l("Done")),
    "refused": ("danger", _l("Refused")),
}
TABS: dict[str, Any] = {
    "all": _l("All"),
    **{name: PAYMENT_STATES[name][1] for name in PAYMENT_STATES if name not in ("partly_refunded", "needs_payer")},
}
REFUND_TABS: dict[str, Any] = {"all": _l("All"), **{name: word for name, (_kind, word) in REFUND_STATES.items()}}
METHODS: dict[str, Any] = {"card": _l("Card"), "wallet": _l("Wallet")}
BRANDS = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "unionpay": "UnionPay"}
REASONS: dict[str, Any] = {
    "requested_by_customer": _l("Requested by the customer"),
    "duplicate": _l("Paid twice"),
    "fraudulent": _l("Fraudulent"),
    "expired_uncaptured_charge": _l("Came after the payment was closed"),
    "abandoned": _l("Given up by the customer"),
    "automatic": _l("Its time was over"),
}
REFUND_REASONS = ("requested_by_customer", "duplicate", "fraudulent")
CANCEL_REASONS = ("requested_by_customer", "duplicate", "fraudulent", "abandoned")
# The ledger's accounts in plain words, from where the merchant stands.
ACCOUNTS: dict[str, Any] = {
    "bank": _l("The platform's bank"),
    "wallet": _l("The customer's wallet"),
    "merchant": _l("Your balance"),
    "fees": _l("The platform's fees"),
    "acquirer": _l("The card acquirer"),
}
ENTRIES: dict[str, Any] = {
    "charge": _l("Payment"),
    "refund": _l("Refund"),
    "refund_failure": _l("Refund that failed"),
}
TRANSACTIONS: dict[str, Any] = {
    "payment": _l("Payment"),
    "payment_refund": _l("Refund"),
    "payment_failure_refund": _l("Refund that failed"),
}
ACTS: dict[str, Any] = {
    "refund": pgettext_lazy("act", "Refund"),
    "capture": pgettext_lazy("act", "Capture"),
    "cancel": pgettext_lazy("act", "Cancel"),
}
VERDICTS: dict[str, tuple[str, Any]] = {
    "allowed": ("success", _l("Allowed")),
    "declined": ("danger", _l("Declined")),
}
RULES: dict[str, Any] = {"wallet_payment": _l("May the wallet pay this?")}
ROUNDINGS: dict[str, Any] = {
    "exact": _l("It is a whole amount, so nothing was rounded."),
    "up": _l("It was rounded up to the nearest payable amount."),
    "down": _l("It was rounded down to the nearest payable amount."),
    "even": _l("It was exactly half, which is rounded to the even neighbour."),
}
# Why a card or a wallet was refused, by its code, for who sells.
DECLINES: dict[str, Any] = {
    "insufficient_funds": _l("There was not enough money."),
    "lost_card": _l("The card was reported lost."),
    "stolen_card": _l("The card was reported stolen."),
    "generic_decline": _l("The bank gave no reason."),
    "expired_card": _l("The card has expired."),
    "incorrect_cvc": _l("The security code was wrong."),
    "processing_error": _l("The payment could not be processed."),
    "authentication_required": _l("The bank wants the customer to confirm it."),
    "payment_intent_authentication_failure": _l("The customer did not confirm it with the bank."),
    "mandate_revoked": _l("The customer withdrew the permission."),
    "mandate_expired": _l("The customer's permission has expired."),
    "mandate_limit_exceeded": _l("It is over the customer's own limit."),
    "currency_mismatch": _l("The wallet holds another currency."),
}
# What a refused act says to staff, by its error's code.
REFUSALS: dict[str, Any] = {
    "charge_already_refunded": _l("It is refunded already."),
    "charge_not_refundable": _l("No money was taken, so there is nothing to refund."),
    "charge_refund_amount_exceeded": _l("That is more than is left to refund."),
    "refund_lines_mismatch": _l("The lines and the amount do not go together."),
    "payment_intent_unexpected_state": _l("The payment is not in a state that allows this."),
    "amount_too_large": _l("That is more than is left to capture."),
    "parameter_invalid_integer": _l("This amount cannot be paid in this currency."),
    "idempotency_error": _l("This form was sent before with other values. Open it again."),
    "idempotency_key_in_use": _l("This is being done at this very moment. Look again in a few seconds."),
    "lock_timeout": _l("Somebody else is at work on this payment. Try again in a moment."),
    "ledger_needs_rebase": _l("The ledger is being restored. Try again later."),
    "selection_invalid": _l("Select payments that are there, 200 at most."),
    "note_invalid": _l("Write between 1 and 2,000 characters."),
    "note_not_yours": _l("Only who wrote a note can change or remove it."),
    "view_name_invalid": _l("Give the view a name of up to 60 characters."),
    "view_name_taken": _l("You have a view of that name."),
    "view_limit_reached": _l("You have as many views as there can be. Remove one first."),
}


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
