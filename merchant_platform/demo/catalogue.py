"""A shop's products and prices, as catalog.operations would have written them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from merchant_platform.demo.chronicle import Chronicle
from merchant_platform.demo.shops import Shop
from merchant_platform.kernel import ids
from payments.catalog import objects
from payments.catalog.models import Price, Product, name_key

_PACE = timedelta(seconds=40)


def stock(shop: Shop, *, chronicle: Chronicle, now: datetime) -> Sequence[tuple[Product, Price]]:
    """Each thing that is sold, with its one price, unsaved: added, priced, and the price made its default."""
    return [_added(shop, place, chronicle, now + place * _PACE) for place in range(len(shop.goods))]


def _added(shop: Shop, place: int, chronicle: Chronicle, now: datetime) -> tuple[Product, Price]:
    goods = shop.goods[place]
    product = Product(
        id=ids.new(now),
        book_id=chronicle.book_id,
        name=goods.name,
        name_key=name_key(goods.name),
        description=goods.description,
        category=goods.category,
        cost_minor=goods.cost_minor,
        created_at=now,
        updated_at=now,
    )
    price = Price(
        id=ids.new(now),
        book_id=chronicle.book_id,
        product=product,
        currency=shop.currency,
        unit_amount_minor=goods.price_minor,
        created_at=now,
    )
    livemode = chronicle.livemode
    chronicle.tell("product.created", lambda: objects.product(product, livemode=livemode), now=now)
    chronicle.tell("price.created", lambda: objects.price(price, livemode=livemode), now=now)
    product.default_price_id = price.pk
    shown, previous = objects.product(product, livemode=livemode), {"default_price": None}
    chronicle.tell("product.updated", lambda: shown, previous=previous, now=now)
    return product, price
