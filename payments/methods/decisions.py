"""Why a payment was declined: the rules of the methods, and their words."""

from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel.decisions.rules import Inputs, Reason, Verdict, rule, words

ALLOWED, DECLINED = "allowed", "declined"


@rule("wallet_payment", version=1)
def wallet_payment(inputs: Inputs) -> Verdict:
    """Whether a mandate covers a payment, and whether the wallet had the money (`has_funds`, once tried)."""
    if inputs["is_revoked"]:
        return Verdict(DECLINED, [Reason("mandate_revoked")], remedy="ask_for_mandate")
    if inputs["is_expired"]:
        return Verdict(DECLINED, [Reason("mandate_expired")], remedy="ask_for_mandate")
    if inputs["wallet_currency"] != inputs["currency"]:
        return Verdict(
            DECLINED,
            [Reason("currency_mismatch", {"wallet": inputs["wallet_currency"], "payment": inputs["currency"]})],
            remedy="use_another_method",
        )
    limit = inputs["limit_minor"]
    if limit is not None and inputs["amount_minor"] > limit:
        return Verdict(
            DECLINED,
            [Reason("mandate_limit_exceeded", {"limit_minor": limit})],
            near_miss={"over_by_minor": inputs["amount_minor"] - limit},
            remedy="raise_limit",
        )
    if not inputs.get("has_funds", True):
        # By how much is the consumer's own affair: a merchant never learns a balance.
        return Verdict(DECLINED, [Reason("insufficient_funds")], remedy="top_up")
    return Verdict(ALLOWED)


words(
    "insufficient_funds",
    customer=_("Your wallet does not hold enough for this payment. Top it up or choose another way to pay."),
    cashier=_("The customer's wallet does not hold enough. Ask for another way to pay."),
    merchant=_("The wallet did not hold enough. Nothing was charged."),
)
words(
    "mandate_revoked",
    customer=_("You withdrew this merchant's permission to charge your wallet."),
    cashier=_("The customer withdrew the permission. Ask for another way to pay."),
    merchant=_("The customer withdrew the permission to charge the wallet."),
)
words(
    "mandate_expired",
    customer=_("Your permission for this merchant has expired. Give it again to pay from your wallet."),
    cashier=_("The customer's permission has expired. Ask for it again."),
    merchant=_("The customer's permission to charge the wallet has expired."),
)
words(
    "mandate_limit_exceeded",
    customer=_("This payment is over the limit that you set for this merchant."),
    cashier=_("The payment is over the customer's own limit."),
    merchant=_("The payment is over the limit that the customer set."),
)
words(
    "currency_mismatch",
    customer=_("Your wallet holds {wallet}, this payment is in {payment}."),
    cashier=_("The wallet holds {wallet}, the payment is in {payment}."),
    merchant=_("The wallet holds {wallet}, the payment is in {payment}."),
)
