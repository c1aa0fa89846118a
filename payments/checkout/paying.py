"""Take the money of a session: from a wallet here and now, or by card through an outside provider.

The session's lock and the intent's state keep two tabs from paying twice: whoever comes
second finds the intent paid, or under way.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from merchant_platform.kernel import ids, money, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.errors import Conflict, Invalid, WrongState
from payments.checkout import operations, ports, pricing, queries, splitting
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.customers import operations as customers
from payments.intents import factors as intent_factors
from payments.intents import operations as intents
from payments.intents import provider_road, wallet_road
from payments.intents import states as intent_states
from payments.intents.models import PaymentIntent
from payments.ledger import queries as ledger
from payments.methods import authentication
from payments.orders import operations as orders
from payments.orders.models import Order
from payments.origin import Origin
from payments.tenders import operations as tenders
from payments.tenders.port import TenderGone
from payments.wallets import operations as wallets
from payments.wallets.models import Consumer, Wallet
from security.merchants.models import LIVE, TEST
from security.vault.cards import ClearCard

WALLET, CARD = "wallet", "card"
# A consent is for this payment: it is used at once and taken back, and ends by itself if a machine stops between.
CONSENT_LASTS = timedelta(minutes=10)


class PriceChanged(Conflict):
    """The amount that the payer saw is not what the order costs any more: nothing was charged."""


class NotSold(WrongState):
    """Something in the order is not sold any more."""


class NoWallet(Invalid):
    """The payer has no wallet in the session's currency."""


@dataclass(frozen=True, slots=True)
class Payer:
    """A consumer as they see themselves on the page. Nobody else is shown this."""

    consumer_id: UUID
    email: str
    balance_minor: int | None
    currency: str

    @property
    def has_wallet(self) -> bool:
        return self.balance_minor is not None


def methods_for(*, is_live: bool) -> tuple[str, ...]:
    """The ways to pay that a session offers where its request names none, in the order of the page."""
    mode = LIVE if is_live else TEST
    takes_cards = mode in settings.CARD_PROVIDERS and (not is_live or settings.VAULT_IN_LIVE)
    return (WALLET, CARD) if takes_cards else (WALLET,)


def payer(*, user_id: UUID, email: str, mode: str, currency: str) -> Payer | None:
    """Who pays from a wallet, and what is in it; None for a login that is no consumer in this mode."""
    wallets = Wallet.objects.select_related("consumer")
    wallet = wallets.filter(consumer__user_id=user_id, consumer__mode=mode, currency=currency, mode=mode).first()
    if wallet is not None:
        return Payer(wallet.consumer_id, email, ledger.guarded(wallet.account).available_minor, currency)
    consumer = Consumer.objects.filter(user_id=user_id, mode=mode).first()
    return Payer(consumer.pk, email, None, currency) if consumer else None


def consumer(*, user_id: UUID, is_live: bool) -> UUID | None:
    """Who a login is as a consumer in a mode, if anybody."""
    found = Consumer.objects.filter(user_id=user_id, mode=LIVE if is_live else TEST)
    return found.values_list("pk", flat=True).first()


def pay_by_tenders(
    *, session_id: UUID, consumer_id: UUID | None, mode: str, moment: Moment, origin: Origin
) -> CheckoutSession:
    """Pay a session that its tenders pay wholly. This will take them and end the session, in one transaction.

    A session that is over, or whose payment is under way, is returned as it is. Raises
    PriceChanged where they do not pay all of it any more, and NotSold.
    """
    session = operations.look_after(session_id=session_id, moment=moment, origin=origin)
    found = _ready(session, consumer_id=consumer_id, shown_minor=0, mode=mode, moment=moment)
    if found is None:
        return session
    intent, order = found
    if intent is not None:  # A try that failed: nothing is left for it to pay.
        intents.cancel(intent_id=intent.pk, reason="abandoned", now=moment.now, origin=origin)
    with _nothing_charged():
        tenders.secure(order=order, amount_minor=0, now=moment.now, origin=origin)
    tenders.complete(order=order, now=moment.now, origin=origin)
    paid = [tender.intent_id for tender in tenders.standing(order).tenders if tender.intent_id]
    session.intent_id = paid[0] if paid else None
    session.save(update_fields=["intent"])
    operations.complete(session, moment=moment, origin=origin)
    return session


def pay_by_wallet(
    *,
    session_id: UUID,
    consumer_id: UUID,
    factors: Sequence[str],
    shown_minor: int,
    mode: str,
    moment: Moment,
    origin: Origin,
) -> CheckoutSession:
    """Pay what tenders leave of a session from a wallet. This will write consent, payment and the session's end.

    `shown_minor` is the amount on the page that the consumer said yes to: the mandate's
    limit; `factors` are the classes that they showed. One transaction. A session that is
    over, or whose payment is under way, is returned as it is. A decline is an outcome: the
    intent then has `last_error`. Raises PriceChanged, NotSold and NoWallet.
    """
    session = operations.look_after(session_id=session_id, moment=moment, origin=origin)
    intent = _payable(
        session, consumer_id=consumer_id, shown_minor=shown_minor, mode=mode, moment=moment, origin=origin
    )
    if intent is None:
        return session
    # Locked, so that two payments at once are counted as two.
    wallet = wallets.lock(consumer_id=consumer_id, currency=intent.currency, mode=mode)
    if wallet is None:
        raise NoWallet(f"There is no wallet in {intent.currency}.")
    mandate = wallets.give_mandate(
        wallet=wallet, limit_minor=shown_minor, expires_at=moment.now + CONSENT_LASTS, now=moment.now
    )
    method = customers.save_wallet(customer=None, mandate=mandate, now=moment.now, origin=origin)
    inputs = {
        "is_present": True,
        "classes": list(factors),
        "amount_minor": intent.amount_minor,
        "currency": intent.currency,
        "count": wallet.exempt_count,
        "sum_minor": wallet.exempt_minor,
    }
    with _nothing_charged():
        intent = wallet_road.confirm(
            intent_id=intent.pk,
            payment_method_id=method.pk,
            mode=mode,
            now=moment.now,
            origin=origin,
            authentication=intent_factors.kept(inputs),
        )
    wallets.revoke_mandate(mandate_id=mandate.pk, now=moment.now)
    if intent.status == intent_states.SUCCEEDED:
        _count(wallet, inputs)
        operations.complete(session, moment=moment, origin=origin)
    return session


def _count(wallet: Wallet, inputs: Mapping[str, Any]) -> None:
    """Count a payment that was exempt as low; one with two factors begins anew."""
    verdict = rules.evaluate(authentication.RULE, inputs)
    if verdict.verdict == authentication.STRONG:
        wallets.count_exempt(wallet=wallet, count=0, sum_minor=0)
    elif verdict.reasons[0].code in authentication.BOUNDS:
        wallets.count_exempt(
            wallet=wallet,
            count=wallet.exempt_count + 1,
            sum_minor=wallet.exempt_minor + inputs["amount_minor"],
        )


def pay_by_card(
    *,
    session_id: UUID,
    card: ClearCard,
    cvc: str,
    shown_minor: int,
    return_url: str,
    payee: str,
    book_id: UUID,
    mode: str,
    moment: Moment,
    origin: Origin,
    consumer_id: UUID | None = None,
) -> CheckoutSession:
    """Pay what tenders leave of a session by card. This will keep the card, ask the provider, and end what was paid.

    The tenders are held before the provider is asked, and taken or given back with its
    answer. Call it outside a transaction. The session's intent then says how it went: succeeded,
    declined, to be confirmed at the bank, or not known yet. The card is kept for this
    payment, for no customer. Raises PriceChanged, NotSold, customers.CardRefused,
    provider_road.ProviderNotConfigured and vault.VaultOff.
    """
    with tenancy.within(book_id):
        session = operations.look_after(session_id=session_id, moment=moment, origin=origin)
        intent = _payable(
            session, consumer_id=consumer_id, shown_minor=shown_minor, mode=mode, moment=moment, origin=origin
        )
        if intent is None:
            return session
        method = customers.save_card(
            card=card,
            customer=None,
            billing_details={"name": card.holder} if card.holder else {},
            now=moment.now,
            origin=origin,
        )
    with suppress(intents.UnexpectedState), _nothing_charged():  # another tab was faster
        provider_road.pay(
            intent_id=intent.pk,
            method_id=method.pk,
            cvc=cvc,
            return_url=return_url,
            is_off_session=False,
            payee=payee,
            mode=mode,
            now=moment.now,
            origin=origin,
            book_id=book_id,
        )
    with tenancy.within(book_id):
        return operations.look_after(session_id=session_id, moment=moment, origin=origin)


def ask_provider(
    *, session_id: UUID, book_id: UUID, mode: str, moment: Moment, origin: Origin, is_back: bool = False
) -> CheckoutSession:
    """Ask what became of a payment that is under way. This will write what the provider says.

    The session is returned as it was before. Call it outside a transaction. Asked seldom,
    however many ask here; `is_back` says that the payer comes from their bank, which is
    always worth a question. Without the cache the sweep alone asks.
    """
    with tenancy.within(book_id):
        session = queries.find(session_id)
        intent = session.intent
        is_awaited = intent is not None and intent.status in intent_states.AWAITED
        attempt = provider_road.under_way(intent) if intent is not None and is_awaited else None
    if intent is None or attempt is None or not (is_back or provider_road.may_ask(intent)):
        return session
    # The intent was read before it and may say less: a bank that asks in between is heard of here.
    was_challenged = attempt.status == intent_states.AUTHENTICATING
    intent = provider_road.look_at(intent, attempt, mode=mode, now=moment.now, origin=origin)
    if was_challenged and intent.status == intent_states.SUCCEEDED:
        with tenancy.within(book_id):
            operations.record_authenticated(session_id=session_id, moment=moment)
    return session


def _payable(
    session: CheckoutSession,
    *,
    consumer_id: UUID | None,
    shown_minor: int,
    mode: str,
    moment: Moment,
    origin: Origin,
) -> PaymentIntent | None:
    """The intent of a locked session, ready to be tried for what the payer saw; None where there is nothing to pay."""
    found = _ready(session, consumer_id=consumer_id, shown_minor=shown_minor, mode=mode, moment=moment)
    if found is None:
        return None
    intent, order = found
    if not shown_minor:
        raise PriceChanged("Nothing is left to pay in this way.")
    with _nothing_charged():
        if intent is None:
            return _first_intent(session, order, shown_minor, moment=moment, origin=origin)
        if intent.amount_minor != shown_minor:
            return intents.update(
                intent_id=intent.pk, changes={"amount_minor": shown_minor}, metadata=None, now=moment.now, origin=origin
            )
    return intent


def _ready(
    session: CheckoutSession, *, consumer_id: UUID | None, shown_minor: int, mode: str, moment: Moment
) -> tuple[PaymentIntent | None, Order] | None:
    """The intent, if there is one, and the order of a locked session that may be paid now, at what the payer saw.

    Its discounts are held from here on. None where there is nothing to pay. Raises
    NotSold and PriceChanged.
    """
    if not session.is_open:
        return None
    intent = intents.lock(session.intent_id) if session.intent_id else None
    if intent is not None and intent.status not in intent_states.CONFIRMABLE:
        return None
    payer = splitting.who(session, consumer_id)
    buyer = pricing.Buyer(session, payer, moment.now)
    quote = pricing.quote(buyer)
    order = quote.order
    if order.customer_id != payer.customer_id:
        # Whoever tries last: the order is theirs once it is paid (payments/checkout/joining.py).
        orders.name_customer(order=order, customer_id=payer.customer_id)
    if not quote.is_sold:
        raise NotSold("Something in this order is not sold any more.")
    if order.tendered_minor:
        tenders.fit(order=order, mode=mode, now=moment.now)
    if quote.has_changed or order.total_minor - order.tendered_minor != shown_minor:
        raise PriceChanged("The price changed meanwhile. Nothing was charged.")
    pricing.note_discounts(quote, buyer)
    giver = ports.discounts()
    # Also where nothing applies any more: what an earlier try held is let go.
    if giver and quote.cart and quote.priced:
        with _nothing_charged():
            giver.hold(quote.cart, quote.priced, expires_at=session.expires_at)
    return intent, order


@contextmanager
def _nothing_charged() -> Iterator[None]:
    """What the payer saw is not to be had: a tender or a discount is gone, or the merchant took the money otherwise."""
    try:
        yield
    except (TenderGone, ports.DiscountGone, orders.NothingOwed) as gone:
        raise PriceChanged(gone.message) from gone


def _first_intent(
    session: CheckoutSession, order: Order, amount_minor: int, *, moment: Moment, origin: Origin
) -> PaymentIntent:
    assert amount_minor % money.step(order.currency) == 0, "the lines were checked when they were offered"
    details: dict[str, Any] = {"payment_method_types": session.payment_method_types, **session.payment_details}
    intent = intents.create(
        terms_=intents.Terms(
            amount_minor=amount_minor,
            currency=order.currency,
            customer_id=session.customer_id,
            order_reference=ids.show("ord", session.order_id),
            metadata=session.payment_metadata,
            details=details,
        ),
        now=moment.now,
        origin=origin,
    )
    session.intent = intent
    session.save(update_fields=["intent"])
    return intent
