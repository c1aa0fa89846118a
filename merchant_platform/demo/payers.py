"""What buyers have before they pay: a wallet, a mandate for the shop, a saved method, and for most a customer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from merchant_platform.demo.buyers import REVOKED, Buyer
from merchant_platform.demo.chronicle import Chronicle
from merchant_platform.demo.people import Person
from merchant_platform.demo.purses import Purse
from merchant_platform.demo.stage import Stage
from merchant_platform.demo.visits import Visit
from merchant_platform.kernel import ids
from payments.customers import finding, objects
from payments.customers.models import Customer, PaymentMethod
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
    stage: Stage,
    *,
    chronicle: Chronicle,
    buyers: Sequence[Buyer],
    visits: Sequence[Visit],
    wallets: Mapping[Person, Wallet],
) -> Register:
    """Everybody who comes becomes known just before the first visit. Who has a wallet in `wallets` pays from that."""
    times: dict[Buyer, list[datetime]] = {}
    for visit in visits:
        times.setdefault(visit.buyer, []).append(visit.at)
    made, rng = Register(), stage.chance("payers")
    for buyer in buyers:
        came = times.get(buyer, [])
        if came:
            joined_at = came[0] - timedelta(seconds=rng.uniform(150, 360))
        else:
            joined_at = stage.start + (stage.now - stage.start) * rng.random()
        if came or buyer.is_known:
            _add_payer(stage, chronicle, made, buyer, came, wallets, now=joined_at, rng=rng)
        elif buyer.person is not None:
            # Gave a name and never came back to buy.
            made.customers.append(_customer(chronicle, buyer.person, consumer_id=None, now=joined_at))
    return made


def _add_payer(
    stage: Stage,
    chronicle: Chronicle,
    made: Register,
    buyer: Buyer,
    came: Sequence[datetime],
    wallets: Mapping[Person, Wallet],
    *,
    now: datetime,
    rng: Random,
) -> None:
    wallet = wallets.get(buyer.person) if buyer.person else None
    if wallet is None:
        wallet = open_wallet(currency=stage.currency, mode=chronicle.mode, now=now - timedelta(days=rng.uniform(0, 45)))
        made.consumers.append(wallet.consumer)
        made.wallets.append(wallet)
    customer = None
    if buyer.person:
        is_linked = buyer.is_known or rng.random() < _LINKED_SHARE
        consumer_id = wallet.consumer_id if is_linked else None
        customer = _customer(chronicle, buyer.person, consumer_id=consumer_id, now=now)
        made.customers.append(customer)
    saved_at = now + timedelta(seconds=rng.uniform(30, 60))
    mandate = _mandate(chronicle, buyer, wallet, came, now=saved_at)
    method = _method(chronicle, customer, mandate, now=saved_at)
    made.mandates.append(mandate)
    made.methods.append(method)
    made.payers[buyer] = Payer(customer, method, Purse(wallet, mandate, stage.bank, buyer.top_up_minor))


def _customer(chronicle: Chronicle, person: Person, *, consumer_id: UUID | None, now: datetime) -> Customer:
    customer = Customer(
        id=ids.new(now),
        book_id=chronicle.book_id,
        consumer_id=consumer_id,
        name=person.name,
        email=person.email,
        preferred_locales=[person.locale],
        created_at=now,
        **finding.keys_of({"name": person.name, "email": person.email}),
    )
    chronicle.tell("customer.created", lambda: objects.customer(customer, livemode=chronicle.livemode), now=now)
    return customer


def _mandate(chronicle: Chronicle, buyer: Buyer, wallet: Wallet, came: Sequence[datetime], *, now: datetime) -> Mandate:
    """Where the buyer lets it end, it ends between the last two visits: the last one is declined."""
    mandate = Mandate(
        id=ids.new(now), book_id=chronicle.book_id, wallet=wallet, limit_minor=buyer.limit_minor, created_at=now
    )
    if buyer.ending and len(came) > 1:
        end = came[-2] + (came[-1] - came[-2]) / 2
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
