"""Put money from a card into one's own wallet (docs/adr/0018).

A top-up is a card payment in the platform's own book. It goes the road of every card
payment and through its one gate; what the acquirer has captured the gate puts into the
wallet in the same transaction. The consumer gets the whole amount: what the acquirer
takes for the card is the platform's to pay.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, TooMany, missing
from payments.customers import operations as customers
from payments.customers.models import Customer, PaymentMethod
from payments.intents import operations as intents
from payments.intents import provider_road, states
from payments.intents.provider_road import Question
from payments.origin import Origin
from payments.wallets.models import Consumer, TopUp, Wallet
from security.merchants import queries as merchants
from security.vault.cards import ClearCard

HOUR = timedelta(hours=1)


class OutOfLimits(Invalid):
    """Too little, too much, or in a currency that cannot be topped up."""


class TooManyTopUps(TooMany):
    """Card after card is tried."""


@dataclass(frozen=True, slots=True)
class Limits:
    from_minor: int
    to_minor: int


@dataclass(frozen=True, slots=True)
class Means:
    """What the consumer pays with: a card that was just typed in, or one that they keep here."""

    card: ClearCard | None = field(default=None, repr=False)
    keeps_card: bool = False
    method_id: UUID | None = None
    cvc: str | None = field(default=None, repr=False)


def limits(currency: str) -> Limits | None:
    """From how much to how much a wallet is topped up at once; None where it cannot be."""
    found = settings.TOP_UP_LIMITS.get(currency)
    return Limits(*found) if found else None


def start(
    *, wallet: Wallet, amount_minor: int, means: Means, token: UUID, return_url: Callable[[str], str], now: datetime
) -> TopUp:
    """Top a wallet up from a card. This will write the payment, ask the provider, and write what came of it.

    Call it outside a transaction. The top-up's intent then says how it went: captured and
    in the wallet, declined, to be confirmed at the bank, or not known yet. A token that was
    used gives the top-up that it began, as it now is. `return_url` gives the address to
    which the bank sends the consumer back, by the top-up's id. Raises OutOfLimits, TooManyTopUps,
    NotFound for a card that is not the consumer's, customers.CardRefused,
    provider_road.ProviderNotConfigured and vault.VaultOff.
    """
    book_id = merchants.platform_book_id(mode=wallet.mode)
    origin = _origin(wallet)
    with tenancy.within(book_id):
        top_up, question = _begin(
            wallet, amount_minor=amount_minor, means=means, token=token, return_url=return_url, now=now, origin=origin
        )
    if question is not None:
        heard = provider_road.ask(question, now=now)
        with tenancy.within(book_id):
            top_up.intent = provider_road.conclude(question, heard, mode=wallet.mode, now=now, origin=origin)
    return top_up


def look(*, top_up: TopUp, wallet: Wallet, now: datetime, is_back: bool = False) -> TopUp:
    """Ask what became of a top-up that is under way. This will write what the provider says.

    Call it outside a transaction. Asked seldom, however many ask here; `is_back` says that
    the consumer comes from their bank, which is always worth a question. Without the cache
    the sweep alone asks.
    """
    with tenancy.within(top_up.book_id):
        attempt = provider_road.under_way(top_up.intent)
        if attempt is None and top_up.intent.status in states.AWAITED:
            top_up.intent.refresh_from_db()  # somebody else heard of it since it was read
    if attempt is not None and (is_back or provider_road.may_ask(top_up.intent)):
        top_up.intent = provider_road.look_at(top_up.intent, attempt, mode=wallet.mode, now=now, origin=_origin(wallet))
    return top_up


def give_up(*, top_up: TopUp, wallet: Wallet, now: datetime) -> None:
    """Leave a challenge of the bank unanswered. This will release the attempt: nothing is taken.

    Call it outside a transaction. One that is decided already stays so.
    """
    with suppress(intents.UnexpectedState):
        provider_road.abandon(
            intent_id=top_up.intent_id, book_id=top_up.book_id, mode=wallet.mode, now=now, origin=_origin(wallet)
        )


def forget_card(*, wallet: Wallet, method_id: UUID, now: datetime) -> None:
    """Keep a card no longer. This will destroy it in the vault. Raises NotFound for another's, MethodDetached."""
    with tenancy.within(merchants.platform_book_id(mode=wallet.mode)):
        _own_method(wallet.consumer_id, method_id)
        customers.detach(method_id=method_id, now=now, origin=_origin(wallet))


def cards(consumer: Consumer) -> Sequence[PaymentMethod]:
    """The cards that a consumer keeps here, newest first."""
    book_id = merchants.platform_book_id(mode=consumer.mode)
    with tenancy.within(book_id):
        kept = PaymentMethod.objects.filter(
            book_id=book_id, customer__consumer=consumer, type="card", detached_at__isnull=True
        )
        return list(kept.order_by("-pk")[:20])


def find(*, consumer: Consumer, top_up_id: UUID) -> TopUp:
    """A consumer's own top-up with its intent and wallet. Raises NotFound, for another's too."""
    book_id = merchants.platform_book_id(mode=consumer.mode)
    with tenancy.within(book_id):
        mine = TopUp.objects.select_related("intent", "wallet").filter(book_id=book_id, wallet__consumer=consumer)
        found = mine.filter(pk=top_up_id).first()
    if found is None:
        raise missing("top-up", ids.show(TopUp.id_prefix, top_up_id))
    return found


def _begin(
    wallet: Wallet,
    *,
    amount_minor: int,
    means: Means,
    token: UUID,
    return_url: Callable[[str], str],
    now: datetime,
    origin: Origin,
) -> tuple[TopUp, Question | None]:
    """The first transaction: the payment is written, and what to ask. Of one form twice, the second asks nothing."""
    # Two forms of one consumer one after the other; payments, which only refer to this row, do not wait.
    consumer = Consumer.objects.select_for_update(no_key=True).get(pk=wallet.consumer_id)
    book_id = tenancy.book_id()
    begun = TopUp.objects.select_related("intent").filter(book_id=book_id, wallet=wallet, token=token).first()
    if begun is not None:
        return begun, None
    _check(wallet, amount_minor, now=now)
    customer = _customer(consumer, now=now, origin=origin)
    saved = _method(consumer.pk, means, now=now, origin=origin)
    keeps = means.keeps_card and not _is_kept(customer, saved)
    intent = intents.create(
        terms_=intents.Terms(
            amount_minor=amount_minor,
            currency=wallet.currency,
            customer_id=customer.pk,
            details={
                "description": "Wallet top-up",
                "payment_method_types": ["card"],
                "setup_future_usage": "on_session" if keeps else None,
            },
        ),
        now=now,
        origin=origin,
    )
    top_up = TopUp.objects.create(
        id=ids.new(now), book_id=book_id, wallet=wallet, intent=intent, token=token, created_at=now
    )
    question = provider_road.begin(
        intent=intent,
        saved=saved,
        cvc=means.cvc,
        return_url=return_url(ids.show(TopUp.id_prefix, top_up.pk)),
        is_off_session=False,
        payee=merchants.book(book_id).merchant.name,
        mode=wallet.mode,
        now=now,
        origin=origin,
    )
    return top_up, question


def _check(wallet: Wallet, amount_minor: int, *, now: datetime) -> None:
    allowed = limits(wallet.currency)
    if allowed is None or not allowed.from_minor <= amount_minor <= allowed.to_minor:
        raise OutOfLimits(f"{amount_minor} is not an amount that a wallet is topped up by.", param="amount")
    lately = TopUp.objects.filter(book_id=tenancy.book_id(), wallet=wallet, pk__gte=ids.first_at(now - HOUR))
    if lately.count() >= settings.TOP_UPS_AN_HOUR_MAX:
        raise TooManyTopUps("There were too many top-ups within an hour.", retry_after=int(HOUR.total_seconds()))


def _customer(consumer: Consumer, *, now: datetime, origin: Origin) -> Customer:
    """The consumer as the platform's own customer, who keeps their cards. The consumer is locked."""
    known = Customer.objects.filter(book_id=tenancy.book_id(), consumer=consumer).first()
    return known or customers.create(fields={"consumer": consumer}, now=now, origin=origin)


def _method(consumer_id: UUID, means: Means, *, now: datetime, origin: Origin) -> PaymentMethod:
    if means.card is not None:
        # It becomes the customer's own when it has paid, and only where they wished so.
        details = {"name": means.card.holder} if means.card.holder else {}
        return customers.save_card(card=means.card, customer=None, billing_details=details, now=now, origin=origin)
    assert means.method_id is not None, "a card, or one that is kept"
    return _own_method(consumer_id, means.method_id)


def _is_kept(customer: Customer, saved: PaymentMethod) -> bool:
    """Whether the consumer keeps this very card already."""
    kept = PaymentMethod.objects.filter(
        book_id=tenancy.book_id(), customer=customer, type="card", detached_at__isnull=True
    )
    return any(method.card == saved.card for method in kept)


def _own_method(consumer_id: UUID, method_id: UUID) -> PaymentMethod:
    kept = PaymentMethod.objects.select_related("customer").filter(
        book_id=tenancy.book_id(),
        pk=method_id,
        customer__consumer_id=consumer_id,
        type="card",
        detached_at__isnull=True,
    )
    found = kept.first()
    if found is None:
        raise missing("payment method", ids.show("pm", method_id))
    return found


def _origin(wallet: Wallet) -> Origin:
    return Origin(livemode=wallet.mode == "live")
