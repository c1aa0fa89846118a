"""Pay from a consumer's wallet, by the mandate that the consumer gave the merchant."""

from merchant_platform.kernel.errors import WrongState
from payments.customers.models import PaymentMethod as SavedMethod
from payments.methods.port import Payment, Readiness
from payments.wallets.models import Mandate


class NoMandate(WrongState):
    """The payment method lost its mandate."""

    code = "payment_method_unexpected_state"


class WalletMethod:
    """The mandate is the consumer's consent, so the merchant may start the payment."""

    name = "wallet"
    rule = "wallet_payment"

    def prepare(self, saved: SavedMethod, payment: Payment) -> Readiness:
        mandate = saved.mandate_id and Mandate.objects.select_related("wallet").filter(pk=saved.mandate_id).first()
        if not mandate:
            raise NoMandate("This payment method has no mandate any more.", param="payment_method")
        wallet = mandate.wallet
        is_expired = mandate.expires_at is not None and mandate.expires_at <= payment.now
        return Readiness(
            source=wallet.account,
            facts={
                "amount_minor": payment.amount_minor,
                "currency": payment.currency,
                "wallet_currency": wallet.currency,
                "is_revoked": mandate.revoked_at is not None,
                "is_expired": is_expired,
                "limit_minor": mandate.limit_minor,
            },
        )
