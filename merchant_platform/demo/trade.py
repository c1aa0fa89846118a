"""One shop's ninety days: who buys there, when, and what comes of it, worked out and written in its test book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from merchant_platform.demo import buyers, catalogue, members, payers, people, points, visits
from merchant_platform.demo.bulk import ahead, insert
from merchant_platform.demo.chronicle import Chronicle
from merchant_platform.demo.history import History
from merchant_platform.demo.patterns import Counter
from merchant_platform.demo.people import Person
from merchant_platform.demo.stage import Stage
from merchant_platform.kernel import tenancy
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.orders.states import PAID
from payments.wallets.models import Wallet
from security.merchants.models import TEST

# Events are kept for as long as Stripe keeps them.
TOLD = timedelta(days=30)

_STOCKED_BEFORE = timedelta(days=7)
# Some visits end without a payment.
_VISITS_AN_ORDER = 1.018
_CUSTOMERS_MIN, _ORDERS_A_CUSTOMER, _ORDERS_A_PASSER_BY = 30, 50, 25


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it."""

    orders: int
    customers: int


def unfold(stage: Stage, *, wallets: Mapping[Person, Wallet]) -> Told:
    """Work out a shop's history and write it, in units of work of its own. Known people pay from `wallets`."""
    counter = Counter(stage.shop.goods, stage.shop.taste)
    chronicle = Chronicle(book_id=stage.book_id, mode=TEST, told_since=stage.now - TOLD)
    stocked = catalogue.stock(stage.shop, chronicle=chronicle, now=stage.start - _STOCKED_BEFORE)
    cast, diary = _cast(stage, counter)
    register = payers.register(stage, chronicle=chronicle, buyers=cast, visits=diary, wallets=wallets)
    open_wallets(register.wallets, platform_book_id=stage.bank.owner_id)
    with tenancy.within(stage.book_id):
        insert([product for product, _ in stocked])
        insert([price for _, price in stocked])
        insert(register.customers)
        insert(register.mandates)
        insert(register.methods)
        earned = chart.merchant(stage.book_id, stage.currency, TEST)
        ledger.open_accounts([stage.bank, earned, chart.fees(stage.book_id, stage.currency, TEST)])
        members.enrol(stage, chronicle=chronicle, customers=register.customers)
    history = History(stage, counter=counter, chronicle=chronicle, catalogue=stocked, payers=register.payers)
    orders_count = _write(history, diary, stage)
    with tenancy.within(stage.book_id):
        members.look_at(stage)
        points.start(stage)
    return Told(orders_count, len(register.customers))


def open_wallets(wallets: Sequence[Wallet], *, platform_book_id: UUID) -> None:
    """Write consumers with their wallets and accounts, in the platform's book, as wallets.open_test_wallet does."""
    with tenancy.within(platform_book_id):
        insert([wallet.consumer for wallet in wallets])
        ledger.open_accounts([wallet.account for wallet in wallets])
        insert(wallets)


def _cast(stage: Stage, counter: Counter) -> tuple[list[buyers.Buyer], list[visits.Visit]]:
    places = len(stage.stores)
    customers = buyers.cast(
        counter=counter,
        places=places,
        days=stage.days,
        customers=max(_CUSTOMERS_MIN, stage.orders // _ORDERS_A_CUSTOMER),
        known=people.CONSUMERS,
        rng=stage.chance("customers"),
    )
    passers_by = buyers.passers_by(
        counter=counter,
        places=places,
        days=stage.days,
        count=max(1, stage.orders // _ORDERS_A_PASSER_BY),
        rng=stage.chance("passers-by"),
    )
    diary = visits.diary(
        rhythm=stage.shop.rhythm,
        customers=customers,
        passers_by=passers_by,
        places=places,
        count=round(stage.orders * _VISITS_AN_ORDER),
        start=stage.start,
        now=stage.now,
        zone=stage.merchant.zone,
        rng=stage.chance("visits"),
    )
    return [*customers, *passers_by], diary


def _write(history: History, diary: Sequence[visits.Visit], stage: Stage) -> int:
    orders_count = 0
    for chapter in ahead(history.chapters(diary)):
        with tenancy.within(stage.bank.owner_id):
            chapter.write_top_ups()
        with tenancy.within(stage.book_id):
            chapter.write()
        orders_count += sum(order.status == PAID for order in chapter.orders)
    return orders_count
