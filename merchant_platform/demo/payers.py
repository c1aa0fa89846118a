"""What buyers have before they pay: a wallet, a mandate for the shop, a saved method, and for most a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from merchant_platform.demo.buyers import REVOKED, Buyer
from merchant_platform.demo.chronicle import Chronicle
from merchant_platform.demo.people import Person
from merchant_platform.demo.purses import Purse
from merchant_platform.demo.visits import Visit
from merchant_platform.kernel import ids
from payments.customers import objects
from payments.customers.models import Customer, PaymentMethod
from payments.ledger import chart
from payments.wallets.models import Consumer, Mandate, Wallet

_LINKED_SHARE = 0.6


@dataclass(slots=True)
class Payer:
    """A buyer as the shop's book knows it."""

    customer: Customer | None
    method: PaymentMethod
    purse: Purse


@dataclass(slots=True)
class Register:
    """The rows of a shop's payers, unsaved. Consumers and wallets stand in no book."""

    payers: dict[Buyer, Payer] = field(default_factory=dict)
    consumers: list[Consumer] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    mandates: list[Mandate] = field(default_factory=list)
    methods: list[PaymentMethod] = field(default_factory=list)


def open_wallet(*, currency: str, mode: str, user_id: UUID | None = None, now: datetime) -> Wallet:
    """A consumer with an empty wallet, unsaved."""
    consumer = Consumer(id=ids.new(now), user_id=user_id, mode=mode, created_at=now)
    wallet = Wallet(id=ids.new(now), consumer=consumer, currency=currency, mode=mode, created_at=now)
    wallet.account_id = wallet.account.id
    return wallet


def register(
    *,
    chronicle: Chronicle,
    buyers: Sequence[Buyer],
    visits: Sequence[Visit],
    wallets: Mapping[Person, Wallet],
    bank: chart.AccountRef,
    currency: str,
    start: datetime,
    now: datetime,
    rng: Random,
) -> Register:
    """Everybody who comes becomes known just before the first visit. Who has a wallet in `wallets` pays from that."""
    times: dict[Buyer, list[datetime]] = {}
    for visit in visits:
        times.setdefault(visit.buyer, []).append(visit.at)
    made = Register()
    for buyer in buyers:
        came = times.get(buyer, [])
        if came:
            joined_at = came[0] - timedelta(seconds=rng.uniform(150, 360))
        elif buyer.person:
            joined_at = start + (now - start) * rng.random()
        else:
            continue
        if not came and not buyer.is_known:
            made.customers.append(_customer(chronicle, buyer.person, consumer_id=None, now=joined_at))
            continue
        wallet = wallets.get(buyer.person) if buyer.person else None
        if wallet is None:
            opened_at = joined_at - timedelta(days=rng.uniform(0, 45))
            wallet = open_wallet(currency=currency, mode=chronicle.mode, now=opened_at)
            made.consumers.append(wallet.consumer)
            made.wallets.append(wallet)
        customer = None
        if buyer.person:
            is_linked = buyer.is_known or rng.random() < _LINKED_SHARE
            linked_id = wallet.consumer_id if is_linked else None
            customer = _customer(chronicle, buyer.person, consumer_id=linked_id, now=joined_at)
            made.customers.append(customer)
        saved_at = joined_at + timedelta(seconds=rng.uniform(30, 60))
        mandate = _mandate(chronicle, buyer, wallet, came, now=saved_at)
        method = _method(chronicle, customer, mandate, now=saved_at)
        made.mandates.append(mandate)
        made.methods.append(method)
        made.payers[buyer] = Payer(customer, method, Purse(wallet, mandate, bank, buyer.top_up_minor))
    return made


def _customer(chronicle: Chronicle, person: Person, *, consumer_id: UUID | None, now: datetime) -> Customer:
    customer = Customer(
        id=ids.new(now),
        book_id=chronicle.book_id,
        consumer_id=consumer_id,
        name=person.name,
        email=person.email,
        email_key=person.email.lower(),
        preferred_locales=[person.locale],
        created_at=now,
    )
    chronicle.tell("customer.created", lambda: objects.customer(customer, livemode=chronicle.livemode), now=now)
    return customer


def _mandate(
    chronicle: Chronicle, buyer: Buyer, wallet: Wallet, times: Sequence[datetime], *, now: datetime
) -> Mandate:
    """Where the buyer lets it end, it ends between the last two visits: the last one is declined."""
    mandate = Mandate(
        id=ids.new(now), book_id=chronicle.book_id, wallet=wallet, limit_minor=buyer.limit_minor, created_at=now
    )
    if buyer.ending and len(times) > 1:
        end = (times[-2] + (times[-1] - times[-2]) / 2).astimezone(UTC)
        if buyer.ending == REVOKED:
            mandate.revoked_at = end
        else:
            mandate.expires_at = end
    return mandate


def _method(chronicle: Chronicle, customer: Customer | None, mandate: Mandate, *, now: datetime) -> PaymentMethod:
    method = PaymentMethod(
        id=ids.new(now),
        book_id=chronicle.book_id,
        type="wallet",
        customer=customer,
        mandate=mandate,
        created_at=now,
    )
    if customer is not None:
        chronicle.tell(
            "payment_method.attached",
            lambda: objects.payment_method(method, livemode=chronicle.livemode),
            now=now,
        )
    return method
