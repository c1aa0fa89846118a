"""What a consumer's wallets hold, by the ledger."""

from datetime import datetime

from django.utils.translation import gettext as _

from members.portal.port import Holding, Viewer
from payments.ledger import queries as ledger


def wallets(viewer: Viewer, now: datetime) -> list[Holding]:
    """Each wallet's whole balance, with what is reserved of it at this moment."""
    return [
        Holding(
            name=_("Wallet"),
            amount=ledger.guarded(wallet.account).posted_minor,
            unit=wallet.currency,
            kind="wallet",
        )
        for wallet in viewer.wallets
    ]
