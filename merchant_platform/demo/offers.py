"""The café's offers: made by the very operations that make real ones, once the history is told."""

from datetime import datetime, timedelta

from members.loyalty import queries as loyalty
from members.offers import codes, frames, operations
from members.offers.codes import CodeDraft
from members.offers.frames import Hours, Terms
from members.offers.models import Offer
from members.offers.operations import Draft, Limits
from merchant_platform.demo.shops import BAKERY, CAFE, TEA
from merchant_platform.kernel import ids, tenancy
from payments.catalog.models import Product
from payments.customers.models import Customer
from payments.origin import Origin
from security.merchants.models import TEST, Book

BATCH = 20
_ORIGIN = Origin(livemode=False)
_WEEKDAYS = (0, 1, 2, 3, 4)


def make(*, now: datetime) -> int:
    """Let the café have its offers, if it has none. This will return how many were made."""
    book = Book.objects.select_related("merchant").get(merchant__slug=CAFE.slug, mode=TEST)
    with tenancy.within(book.pk):
        if Offer.objects.exists():
            return 0
        sold = Product.objects.filter(name__in=["美式", "黄油可颂", "手冲 耶加雪菲"])
        products = {product.name: ids.show("prod", product.pk) for product in sold}
        stores = [ids.show("sto", store.pk) for store in book.merchant.stores.order_by("name")]
        drafts = [*_automatic(products, stores, now), *_member_price(products), *_by_code(now)]
        made = [operations.create(draft=draft, is_active=True, now=now, origin=_ORIGIN) for draft in drafts]
        _hand_out(made, now)
    return len(made)


def _automatic(products: dict[str, str], stores: list[str], now: datetime) -> list[Draft]:
    half = tuple((store, 30) for store in stores)
    tiers = [{"from_minor": 10_000, "off_minor": 1_000}, {"from_minor": 20_000, "off_minor": 3_000}]
    set_of_two = [{"product": products["美式"], "quantity": 1}, {"product": products["黄油可颂"], "quantity": 1}]
    habits = [
        {"feature": "frequency", "at_least": 12, "off_ppm": 80_000, "bonus_points": 30},
        {"feature": "recency_days", "at_least": 30, "off_ppm": 120_000},
        {"feature": "favourite_category", "equals": TEA, "off_ppm": 50_000, "bonus_points": 10},
    ]
    afternoon = Hours(days=_WEEKDAYS, from_minute=14 * 60, to_minute=17 * 60)
    bearers = ((frames.MERCHANT, 40), *half)
    return [
        Draft(
            Terms("满百立减", frames.SPEND, {"tiers": tiers}, currency="CNY", priority=200, bearers=bearers),
            Limits(budget_minor=500_000),
        ),
        Draft(
            Terms(
                "下午茶八折",
                frames.PERCENT,
                {"off_ppm": 200_000},
                categories=(TEA,),
                hours=(afternoon,),
                margin_floor_ppm=400_000,
            )
        ),
        Draft(
            Terms(
                "烘焙买二送一",
                frames.BUY_GET,
                {"buy": 2, "get": 1, "off_ppm": 1_000_000, "times_max": 3},
                categories=(BAKERY,),
            )
        ),
        Draft(
            Terms(
                "早餐组合",
                frames.BUNDLE,
                {"parts": set_of_two, "price_minor": 3_200, "times_max": 4},
                currency="CNY",
                is_exclusive=True,
            )
        ),
        Draft(
            Terms(
                "手冲限量特价",
                frames.FLASH,
                {"unit_minor": 2_800, "units_per_order": 2},
                currency="CNY",
                products=(products["手冲 耶加雪菲"],),
            ),
            Limits(ends_at=now + timedelta(days=7), units_max=50),
        ),
        Draft(Terms("熟客专享", frames.PERSONAL, {"rules": habits}, margin_floor_ppm=300_000, priority=300)),
    ]


def _member_price(products: dict[str, str]) -> list[Draft]:
    """A price for members of the highest tier alone."""
    gold = [reference for reference in loyalty.tier_names() if reference.endswith("/gold")]
    effect = {"tiers": [{"from_quantity": 1, "unit_minor": 1_800}]}
    product = (products["美式"],)
    return [
        Draft(
            Terms("金卡会员价", frames.TIER_PRICE, effect, currency="CNY", products=product, member_tiers=tuple(gold))
        )
        for _ in gold[:1]
    ]


def _by_code(now: datetime) -> list[Draft]:
    return [
        Draft(
            Terms("新客见面礼", frames.PERCENT, {"off_ppm": 150_000}, trigger=frames.CODE, is_first_only=True),
            Limits(redemptions_max=1_000, customer_max=1),
            coupon="WELCOME15",
        ),
        Draft(
            Terms(
                "周年庆十元券",
                frames.AMOUNT,
                {"off_minor": 1_000},
                trigger=frames.CODE,
                currency="CNY",
                minimum_minor=5_000,
            ),
            Limits(ends_at=now + timedelta(days=60), budget_minor=200_000),
            coupon="ANNIVERSARY10",
        ),
    ]


def _hand_out(made: list[Offer], now: datetime) -> None:
    """One code for everybody, a batch for the counter, and one each for the people who have a wallet here."""
    welcome, anniversary = (
        next(each for each in made if each.coupon == coupon) for coupon in ("WELCOME15", "ANNIVERSARY10")
    )
    codes.create(offer=welcome, draft=CodeDraft(code="WELCOME"), now=now, origin=_ORIGIN)
    codes.generate(offer=anniversary, draft=CodeDraft(redemptions_max=1), count=BATCH, prefix="CG-", now=now)
    for customer in Customer.objects.filter(consumer__user__isnull=False).order_by("pk")[:5]:
        draft = CodeDraft(customer_id=customer.pk, redemptions_max=1)
        codes.create(offer=anniversary, draft=draft, now=now, origin=_ORIGIN)
