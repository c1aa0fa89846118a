"""Why a payment did not work, for the person who wanted to pay: what happened, and what to do about it."""

from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Text


class Words(NamedTuple):
    """`what` happened, and how the payer can `mend` it."""

    what: "Text"
    mend: "Text"


_ASK_BANK = _("Ask your bank, or pay in another way.")
_CHECK_CARD = _("Check what you typed against the card, and try again.")
# A card that was reported lost or stolen is refused in the same words as any other: whoever holds it learns nothing.
_REFUSED = Words(_("Your bank did not approve this payment."), _ASK_BANK)

WORDS: dict[str, Words] = {
    "insufficient_funds": Words(_("There is not enough money for this payment."), _("Top up, or pay in another way.")),
    "mandate_revoked": Words(_("The permission for this payment was withdrawn."), _("Give it again to pay.")),
    "mandate_expired": Words(_("The permission for this payment had run out."), _("Give it again to pay.")),
    "mandate_limit_exceeded": Words(
        _("The amount is over the limit that you allowed."), _("Look at the amount again, and give your permission.")
    ),
    "currency_mismatch": Words(_("Your wallet holds another currency."), _("Pay in another way.")),
    "generic_decline": _REFUSED,
    "card_declined": _REFUSED,
    "lost_card": _REFUSED,
    "stolen_card": _REFUSED,
    "fraudulent": _REFUSED,
    "expired_card": Words(_("This card has expired."), _("Use a card that is still valid, or pay in another way.")),
    "incorrect_cvc": Words(_("The security code is not that of this card."), _CHECK_CARD),
    "incorrect_number": Words(_("The card number is not a valid one."), _CHECK_CARD),
    "invalid_expiry_month": Words(_("The expiry date is not a valid one."), _CHECK_CARD),
    "invalid_expiry_year": Words(_("The expiry date is not a valid one."), _CHECK_CARD),
    "processing_error": Words(
        _("Something went wrong while the card was being charged. Nothing was taken."), _("Try again in a moment.")
    ),
    "authentication_required": Words(
        _("Your bank wants to be sure that it is you."), _("Try again, and confirm the payment with your bank.")
    ),
    "payment_intent_authentication_failure": Words(
        _("Your bank could not confirm that it is you. Nothing was taken."), _("Try again, or pay in another way.")
    ),
    "provider_not_configured": Words(_("Cards are not accepted here just now."), _("Pay in another way.")),
}
_UNKNOWN = Words(_("The payment did not go through. Nothing was taken."), _("Try again, or pay in another way."))


def words(code: str) -> Words:
    """The words for a decline's code, or honest ones for a code without any."""
    return WORDS.get(code, _UNKNOWN)
