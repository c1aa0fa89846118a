"""Plants the demo world: two merchants, their people and ninety days of trade, in the open transaction.

The platform's book, where wallets are topped up, and each merchant's are units of work of
their own. The one transaction around them makes the world all there or not there at all,
however it ends; and it gives every transfer the same transaction id, so that a wallet's
statement, which is read by that id and then by the transfer's, is in the order of time.
"""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from merchant_platform.demo import buyers, catalogue, payers, people, visits
from merchant_platform.demo.bulk import ahead, insert
from merchant_platform.demo.chronicle import RULE, Chapter, Chronicle
from merchant_platform.demo.history import History
from merchant_platform.demo.patterns import Counter
from merchant_platform.demo.people import Employee, Person
from merchant_platform.demo.shops import BOOKSHOP, CAFE, Shop
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.events.outbox import publish
from payments.customers.models import Customer
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.orders.states import PAID
from payments.wallets.models import Wallet
from security.identity.models import User
from security.merchants import operations as merchants
from security.merchants import queries as merchant_queries
from security.merchants.models import TEST, Merchant, Store

DAYS, ORDERS = 90, 15_000
# Events are kept for as long as Stripe keeps them.
TOLD = timedelta(days=30)

_VISITS_AN_ORDER = 1.022
_CUSTOMERS_MIN, _ORDERS_A_CUSTOMER, _ORDERS_A_PASSER_BY = 30, 50, 25
_BOOKSHOP_SHARE = 1 / 60


@dataclass(slots=True)
class Summary:
    """What was planted, for one line of words."""

    days: int
    counts: Tally[str] = field(default_factory=Tally)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of a shop there is."""

    days: int
    orders: int

    @property
    def customers(self) -> int:
        return max(_CUSTOMERS_MIN, self.orders // _ORDERS_A_CUSTOMER)

    @property
    def passers_by(self) -> int:
        return max(1, self.orders // _ORDERS_A_PASSER_BY)


def is_planted() -> bool:
    """Whether the world is there. It is written in one transaction, so its first row says so of all."""
    return Merchant.objects.filter(slug=CAFE.slug).exists()


def plant(*, now: datetime, days: int = DAYS, orders: int = ORDERS) -> Summary:
    """Write the whole world in the open transaction, ending at `now`. Nobody can sign in yet (access.grant)."""
    start = now - timedelta(days=days)
    founded_at = start - timedelta(days=14)
    summary = Summary(days)
    wallets = _open_known_wallets(now=founded_at)
    _hire_operator(now=founded_at)
    for shop, staff, share in ((CAFE, people.STAFF, 1.0), (BOOKSHOP, people.OTHER_STAFF, _BOOKSHOP_SHARE)):
        merchant, stores = _found(shop, staff, now=founded_at)
        scale = Scale(days, max(int(orders * share), 1))
        _tell(shop, merchant, stores, wallets, scale, summary, start=start, now=now)
    return summary


def _open_known_wallets(*, now: datetime) -> dict[Person, Wallet]:
    users = {person: _user(person, now=now) for person in people.CONSUMERS}
    wallets = {
        person: payers.open_wallet(currency=CAFE.currency, mode=TEST, user_id=user.pk, now=now)
        for person, user in users.items()
    }
    _open(list(wallets.values()))
    return wallets


def _open(wallets: Sequence[Wallet]) -> None:
    with tenancy.within(merchant_queries.platform_book_id(mode=TEST)):
        insert([wallet.consumer for wallet in wallets])
        ledger.open_accounts([wallet.account for wallet in wallets])
        insert(wallets)


def _hire_operator(*, now: datetime) -> None:
    _user(people.OPERATOR, is_operator=True, now=now)


def _user(person: Person, *, is_operator: bool = False, now: datetime) -> User:
    """A login without a password."""
    return User.objects.create_user(
        person.email, id=ids.new(now), name=person.name, is_operator=is_operator, created_at=now
    )


def _found(shop: Shop, staff: Sequence[Employee], *, now: datetime) -> tuple[Merchant, list[Store]]:
    merchant = merchants.found(
        slug=shop.slug,
        name=shop.name,
        country=shop.country,
        time_zone=shop.time_zone,
        currency=shop.currency,
        now=now,
    )
    stores = [merchants.open_store(merchant=merchant, name=place.name, city=place.city, now=now) for place in shop.places]
    for store in stores:
        merchants.add_device(store=store, name="收银台 1", now=now)
    for employee in staff:
        merchants.hire(
            user=_user(employee.person, now=now),
            merchant=merchant,
            role=employee.role,
            stores=[stores[place] for place in employee.stores],
            now=now,
        )
    return merchant, stores


def _tell(
    shop: Shop,
    merchant: Merchant,
    stores: Sequence[Store],
    wallets: Mapping[Person, Wallet],
    scale: Scale,
    summary: Summary,
    *,
    start: datetime,
    now: datetime,
) -> None:
    """Cast a shop's buyers, work out their history in its test book, and write it."""

    def chance(purpose: str) -> Random:
        # A source of chance a purpose: a change in one leaves the others as they were.
        return Random(f"{shop.slug}:{purpose}")  # noqa: S311 (a believable world, not a secret)

    book_id = merchant.books.get(mode=TEST).pk
    bank = chart.bank(merchant_queries.platform_book_id(mode=TEST), shop.currency, TEST)
    chronicle = Chronicle(book_id=book_id, mode=TEST, told_since=now - TOLD)
    counter = Counter(shop.goods, shop.taste)
    stocked = catalogue.stock(shop, chronicle=chronicle, now=start - timedelta(days=7))
    scene = {"counter": counter, "places": len(stores), "days": scale.days}
    customers = buyers.cast(**scene, customers=scale.customers, known=people.CONSUMERS, rng=chance("customers"))
    passers_by = buyers.passers_by(**scene, count=scale.passers_by, rng=chance("passers-by"))
    diary = visits.diary(
        rhythm=shop.rhythm,
        customers=customers,
        passers_by=passers_by,
        places=len(stores),
        count=round(scale.orders * _VISITS_AN_ORDER),
        start=start,
        now=now,
        zone=merchant.zone,
        rng=chance("visits"),
    )
    register = payers.register(
        chronicle=chronicle,
        buyers=[*customers, *passers_by],
        visits=diary,
        wallets=wallets,
        bank=bank,
        currency=shop.currency,
        start=start,
        now=now,
        rng=chance("payers"),
    )
    _open(register.wallets)
    with tenancy.within(book_id):
        for rows in (
            [product for product, _ in stocked],
            [price for _, price in stocked],
            register.customers,
            register.mandates,
            register.methods,
        ):
            insert(rows)
        ledger.open_accounts(
            [bank, chart.merchant(book_id, shop.currency, TEST), chart.fees(book_id, shop.currency, TEST)]
        )
    history = History(
        shop=shop,
        counter=counter,
        chronicle=chronicle,
        catalogue=stocked,
        stores=stores,
        payers=register.payers,
        now=now,
        rng=chance("history"),
    )
    for chapter in ahead(history.chapters(diary)):
        with tenancy.within(bank.owner_id):
            ledger.post_many(chapter.top_ups)
        with tenancy.within(book_id):
            _write(chapter)
        summary.counts["orders"] += sum(order.status == PAID for order in chapter.orders)
    summary.counts["customers"] += len(register.customers)


def _write(chapter: Chapter) -> None:
    """The rows of a chapter, each after what it points at."""
    insert(chapter.orders)
    insert(chapter.lines)
    insert(chapter.intents)
    ledger.post_many(chapter.entries)
    insert(chapter.attempts)
    insert(chapter.refunds)
    insert(chapter.refund_lines)
    for declined in chapter.declined:
        rules.record(RULE, declined.facts, subject_id=declined.attempt_id, now=declined.now)
    if chapter.events:
        publish(*chapter.events)


def customers_of(merchant: Merchant, wallets: Mapping[Person, Wallet]) -> dict[Person, Customer]:
    """The known consumers' customers at a merchant."""
    with tenancy.within(merchant.books.get(mode=TEST).pk):
        by_email = {customer.email: customer for customer in Customer.objects.filter(consumer__isnull=False)}
    return {person: by_email[person.email] for person in wallets}
