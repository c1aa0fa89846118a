"""Plants the demo world: two merchants, their people and ninety days of trade, in the open transaction.

The platform's book, where wallets are topped up, and each merchant's are units of work of
their own. The one transaction around them makes the world all there or not there at all,
however it ends; and it gives every transfer the same transaction id, so that a wallet's
statement, which is read by that id and then by the transfer's, is in the order of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from merchant_platform.demo import payers, people
from merchant_platform.demo.people import Employee, Person
from merchant_platform.demo.shops import BOOKSHOP, CAFE, Shop
from merchant_platform.demo.stage import Stage
from merchant_platform.demo.trade import Told, open_wallets, unfold
from merchant_platform.kernel import ids
from payments.ledger import chart
from payments.wallets.models import Wallet
from security.identity.models import User
from security.merchants import operations as merchants
from security.merchants import queries as merchant_queries
from security.merchants.models import TEST, Merchant, Store

DAYS, ORDERS = 90, 15_000
_BOOKSHOP_SHARE = 1 / 60
_FOUNDED_BEFORE = timedelta(days=14)


class AddressTaken(Exception):
    """Somebody real has an e-mail address of the demo world; the text is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Planted:
    """What there is now."""

    days: int
    told: Sequence[Told]

    @property
    def in_words(self) -> str:
        orders, customers = sum(told.orders for told in self.told), sum(told.customers for told in self.told)
        return f"{orders:,} orders, {customers:,} customers, {self.days} days"


def is_planted() -> bool:
    """Whether the world is there. It is written in one transaction, so its first row says so of all."""
    return Merchant.objects.filter(slug=CAFE.slug).exists()


def plant(*, now: datetime, days: int = DAYS, orders: int = ORDERS) -> Planted:
    """Write the whole world in the open transaction, ending at `now`. Nobody can sign in yet (access.grant).

    Raises AddressTaken, since a login that exists is nobody's to give a password to.
    """
    _refuse_taken_addresses()
    start = now - timedelta(days=days)
    founded_at = start - _FOUNDED_BEFORE
    platform_book_id = merchant_queries.platform_book_id(mode=TEST)
    _user(people.OPERATOR, is_operator=True, now=founded_at)
    wallets = _known_wallets(now=founded_at)
    open_wallets(list(wallets.values()), platform_book_id=platform_book_id)
    told = []
    for shop, staff, count in (
        (CAFE, people.STAFF, orders),
        (BOOKSHOP, people.OTHER_STAFF, max(round(orders * _BOOKSHOP_SHARE), 1)),
    ):
        merchant, stores = _found(shop, staff, now=founded_at)
        stage = Stage(
            shop=shop,
            merchant=merchant,
            stores=stores,
            book_id=merchant.books.get(mode=TEST).pk,
            bank=chart.bank(platform_book_id, shop.currency, TEST),
            orders=count,
            start=start,
            now=now,
        )
        told.append(unfold(stage, wallets=wallets))
    return Planted(days, told)


def _refuse_taken_addresses() -> None:
    cast = [people.OPERATOR, *people.CONSUMERS, *(each.person for each in (*people.STAFF, *people.OTHER_STAFF))]
    taken = User.objects.filter(email__in=[person.email for person in cast]).values_list("email", flat=True).first()
    if taken is not None:
        raise AddressTaken(f"{taken} signs in here already, so there is no place for the demo world: set DEMO=0.")


def _known_wallets(*, now: datetime) -> dict[Person, Wallet]:
    """The wallets of the people who can sign in; they pay at both shops."""
    return {
        person: payers.open_wallet(currency=CAFE.currency, mode=TEST, user_id=_user(person, now=now).pk, now=now)
        for person in people.CONSUMERS
    }


def _user(person: Person, *, is_operator: bool = False, now: datetime) -> User:
    """A login that nobody has the password of."""
    return User.objects.create_user(
        person.email, id=ids.new(now), name=person.name, is_operator=is_operator, created_at=now
    )


def _found(shop: Shop, staff: Sequence[Employee], *, now: datetime) -> tuple[Merchant, list[Store]]:
    """The merchant with its stores, a till in each, and its staff."""
    merchant = merchants.found(
        slug=shop.slug,
        name=shop.name,
        country=shop.country,
        time_zone=shop.time_zone,
        currency=shop.currency,
        now=now,
    )
    stores = []
    for place in shop.places:
        store = merchants.open_store(merchant=merchant, name=place.name, city=place.city, now=now)
        merchants.add_device(store=store, name="收银台 1", now=now)
        stores.append(store)
    for employee in staff:
        merchants.hire(
            user=_user(employee.person, now=now),
            merchant=merchant,
            role=employee.role,
            stores=[stores[place] for place in employee.stores],
            now=now,
        )
    return merchant, stores
