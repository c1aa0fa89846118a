"""Pay a part of an order from a consumer's wallet, beside a card: new money for the merchant.

It is held first and becomes a payment of its own, with its own charge and fee, when the
rest is paid: what the merchant is owed, and what is reported and refunded, is counted
from charges, wherever they come from.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from merchant_platform.kernel import ids
from merchant_platform.kernel.events.outbox import publish, row
from merchant_platform.kernel.writes import writing
from payments.customers import operations as customers
from payments.intents import objects, operations, states
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.ledger import queries as balances
from payments.origin import Origin
from payments.search import terms
from payments.tenders.port import Completed, Due, GivenBack, Offered, Part, TenderGone
from payments.wallets import operations as wallets
from payments.wallets.models import Wallet

NAME = "wallet"


class WalletTender:
    """The tender behind settings.CHECKOUT_TENDERS["wallet"]."""

    name = NAME

    def offered(self, due: Due) -> Sequence[Offered]:
        """The wallet of a consumer who signed in."""
        if due.payer.consumer_id is None:
            return []
        wallet = Wallet.objects.filter(consumer_id=due.payer.consumer_id, currency=due.currency, mode=due.mode).first()
        offered = wallet and _offer(wallet)
        return [offered] if offered and offered.available_minor else []

    def look_up(self, due: Due, source_id: UUID) -> Offered | None:
        """Of the consumer who chose it, and nobody else's."""
        wallet = Wallet.objects.filter(pk=source_id, mode=due.mode, currency=due.currency).first()
        return _offer(wallet) if wallet and wallet.consumer_id == due.payer.consumer_id else None

    def reserve(self, part: Part, *, now: datetime) -> UUID:
        account = chart.wallet(part.source_id, part.currency, part.mode)
        try:
            hold = ledger.reserve(account=account, amount_minor=part.amount_minor, reference=part.reference, now=now)
        except ledger.InsufficientFunds as error:
            raise TenderGone(_("There is less in your wallet now. Nothing was charged.")) from error
        return hold.pk

    def complete(self, part: Part, *, now: datetime, origin: Origin) -> Completed:
        """The consent is for this payment: the mandate is used at once and taken back."""
        wallet = Wallet.objects.get(pk=part.source_id)
        mandate = wallets.give_mandate(wallet=wallet, limit_minor=part.amount_minor, expires_at=now, now=now)
        method = customers.save_wallet(customer=None, mandate=mandate, now=now, origin=origin)
        wallets.revoke_mandate(mandate_id=mandate.pk, now=now)
        intent = operations.draft(
            operations.Terms(
                amount_minor=part.amount_minor,
                currency=part.currency,
                customer_id=part.payer.customer_id,
                payment_method_id=method.pk,
                order_reference=ids.show("ord", part.order_id),
                details={"payment_method_types": [NAME]},
            ),
            order_id=part.order_id,
            now=now,
            book_id=method.book_id,
        )
        attempt = operations.draft_attempt(intent, method=NAME, now=now)
        entry = operations.draft_capture(attempt, source=wallet.account, mode=part.mode, now=now)
        hold = balances.holds(part.reference)[part.reference]
        ledger.open_accounts([line.credit for line in entry.lines])
        ledger.complete(hold=hold, account=wallet.account, draft=entry, now=now)
        created = objects.payment_intent(intent, livemode=origin.livemode)
        attempt.status, attempt.captured_minor, attempt.entry_id = states.CAPTURED, part.amount_minor, entry.id
        intent.status, intent.received_minor, intent.latest_attempt_id = states.SUCCEEDED, part.amount_minor, attempt.pk
        attempt.payment_method = method
        with writing(None) as writes:
            writes.insert(intent, attempt)
            terms.add("charge", attempt.pk, attempt.metadata, into=writes)
            publish(
                row("payment_intent.created", created, now=now, **origin.tags),
                row("charge.succeeded", objects.charge(attempt, livemode=origin.livemode), now=now, **origin.tags),
                row(
                    "payment_intent.succeeded",
                    objects.payment_intent(intent, livemode=origin.livemode),
                    now=now,
                    **origin.tags,
                ),
                into=writes,
            )
        return Completed(entry_id=entry.id, intent_id=intent.pk)

    def void(self, part: Part, *, now: datetime) -> None:
        hold = balances.holds(part.reference)[part.reference]
        ledger.void(hold=hold, account=chart.wallet(part.source_id, part.currency, part.mode), now=now)

    def refund(self, part: Part, *, refund_id: UUID, amount_minor: int, now: datetime, origin: Origin) -> GivenBack:
        raise AssertionError("a wallet's part is a payment of its own, and refunded as one")


def _offer(wallet: Wallet) -> Offered:
    available = balances.guarded(wallet.account).available_minor
    return Offered(tender=NAME, source_id=wallet.pk, label=_("Wallet"), available_minor=available)
