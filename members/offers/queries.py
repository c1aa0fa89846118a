"""Questions about offers: what a cart may meet, what an order had, what is left.

Pricing a cart costs the same few statements however many lines and offers there are.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet

from members.directory import queries as directory
from members.offers import codes, engine, frames, personal, states
from members.offers.frames import Cart, Code, Line, Priced, Terms
from members.offers.frames import Offer as Frame
from members.offers.models import DiscountShare, Offer, OfferRedemption, OfferVersion, PromotionCode
from members.offers.spreading import returned
from merchant_platform.kernel import ids, tenancy
from payments.catalog.models import Product, name_key
from payments.orders.models import Order, OrderLine
from security.merchants import queries as merchants

CODES_MAX = 10
# What versions of offers say never changes, so that a process reads each of them once.
_KEPT = 20_000
_known: dict[tuple[UUID, int], Frame] = {}


class _Row(NamedTuple):
    """What a cart has to know of an offer as it stands: read by the hundred, so not as a model."""

    id: UUID
    kind: str
    version: int
    coupon: str | None
    status: str
    starts_at: datetime
    ends_at: datetime
    deleted_at: datetime | None
    customer_max: int | None
    uses_left: int | None
    budget_left_minor: int | None
    units_left: int | None


_UNLIMITED = (None, None, None, None)


@dataclass(frozen=True, slots=True)
class Asked:
    """A cart as its asker knows it: who, where, when, and which codes were typed."""

    currency: str
    lines: Sequence[Line]
    now: datetime
    customer_id: UUID | None = None
    store_id: UUID | None = None
    codes: Sequence[str] = ()
    # What the merchant attached: ids of coupons and of codes.
    coupons: Sequence[str] = ()
    promotion_codes: Sequence[str] = ()
    # What this order holds already counts as had.
    order_id: UUID | None = None
    least_minor: int = 0


def price(asked: Asked) -> tuple[Priced, Cart, list[Frame]]:
    """What a cart costs now, with the frames by which it was reckoned. Reads only.

    Two statements, one more where a version of an offer is new to the process, and more for
    what is asked for: codes (one), an order's holdings (one), limits for each customer
    (three), first purchases (three, or one beside limits), tiers of members (three), personal offers (three).
    """
    cart, offers = situation(asked)
    return engine.price(cart, offers), cart, offers


def situation(asked: Asked) -> tuple[Cart, list[Frame]]:
    """The frames of a cart and of all offers that may have a say in it."""
    zone = merchants.book(tenancy.book_id()).merchant.zone
    local = asked.now.astimezone(zone)
    held = _held(asked.order_id)
    typed = _typed(asked, held)
    wanted = {code.offer for code in typed if code.offer is not None}
    rows = _offers(asked, [ids.parse("offer", shown) for shown in wanted], list(held))
    typed += _attached(asked.coupons, rows)
    known = _versions(rows)
    limited = [row.id for row in rows if row.customer_max is not None]
    is_first = any(each.terms.is_first_only for each in known) or any(code.is_first_only for code in typed)
    own = people(asked.customer_id) if asked.customer_id is not None and (limited or is_first) else []
    used = uses(asked, own, limited) if limited else {}
    is_by_tier = any(each.terms.member_tiers for each in known)
    member_tiers, tier_names = personal.tiers(asked.customer_id) if is_by_tier else ({}, {})
    cart = Cart(
        currency=asked.currency,
        lines=tuple(asked.lines),
        weekday=local.weekday(),
        minute=local.hour * 60 + local.minute,
        store=ids.show("sto", asked.store_id) if asked.store_id else None,
        is_known=asked.customer_id is not None,
        has_bought=is_first and _has_bought(own),
        features=personal.features(asked.customer_id, now=asked.now)
        if any(row.kind == frames.PERSONAL for row in rows)
        else None,
        member_tiers=member_tiers,
        tier_names=tier_names,
        codes=tuple(typed),
        least_minor=asked.least_minor,
    )
    return cart, [
        _frame(row, version, asked.now, held.get(row.id), used.get(row.id, 0))
        for row, version in zip(rows, known, strict=True)
    ]


def listed(*, status: str | None = None) -> "QuerySet[Offer]":
    """The offers of the open book, of one state or of all."""
    rows = Offer.objects.filter(deleted_at__isnull=True)
    return rows.filter(status=status) if status else rows


def coupons() -> "QuerySet[Offer]":
    """The offers of the open book that codes lead to."""
    return Offer.objects.filter(coupon__isnull=False, deleted_at__isnull=True)


def promotion_codes() -> "QuerySet[PromotionCode]":
    """The codes of the open book, with their offers."""
    return PromotionCode.objects.select_related("offer")


def own_codes(customer_id: UUID, *, now: datetime) -> "QuerySet[PromotionCode]":
    """The codes that are a customer's own and can still be used, the newest first."""
    rows = promotion_codes().filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), is_active=True)
    rows = rows.filter(Q(redemptions_max__isnull=True) | Q(redeemed_count__lt=F("redemptions_max")))
    return rows.filter(customer_id=customer_id).order_by("-pk")


def unknown_products(shown: Sequence[str]) -> list[str]:
    """Those of some ids that are no product of the open book."""
    wanted: dict[UUID, str] = {}
    unknown = []
    for text in shown:
        try:
            wanted[ids.parse("prod", text)] = text
        except ids.MalformedId:
            unknown.append(text)
    if wanted:
        known = Product.objects.filter(pk__in=list(wanted), deleted_at__isnull=True).values_list("pk", flat=True)
        unknown += [wanted[each] for each in set(wanted) - set(known)]
    return unknown


def products_named(names: Sequence[str]) -> dict[str, str]:
    """The ids of products by their names, as typed; of two with one name the newer."""
    keys = {name_key(name): name for name in names}
    rows = Product.objects.filter(name_key__in=list(keys), deleted_at__isnull=True).order_by("pk")
    return {keys[row.name_key]: ids.show("prod", row.pk) for row in rows}


def product_names(shown: Sequence[str]) -> dict[str, str]:
    """The names of products, by their ids."""
    rows = Product.objects.filter(pk__in=[ids.parse("prod", each) for each in shown])
    return {ids.show("prod", row.pk): row.name for row in rows}


def latest(offer_id: UUID) -> "QuerySet[OfferRedemption]":
    """The uses of an offer that count, the latest first."""
    return OfferRedemption.objects.filter(offer_id=offer_id).exclude(status=states.RELEASED).order_by("-pk")


def held_count(offer_id: UUID) -> int:
    """How many uses of an offer are held for orders that are being paid just now."""
    return OfferRedemption.objects.filter(offer_id=offer_id, status=states.HELD).count()


@dataclass(frozen=True, slots=True)
class Share:
    """What an offer took off a line of an order, and how much of that refunds took back so far."""

    offer_id: UUID
    line_id: UUID
    amount_minor: int
    returned_minor: int


def shares_of(order_id: UUID) -> list[Share]:
    """An order's discounts by line and offer, in the order of the lines. Two statements."""
    rows = DiscountShare.objects.select_related("redemption").filter(order_id=order_id).order_by("line", "pk")
    lines = {line.pk: line for line in OrderLine.objects.filter(order_id=order_id)}
    return [
        Share(
            offer_id=row.redemption.offer_id,
            line_id=row.line_id,
            amount_minor=row.amount_minor,
            returned_minor=returned(
                row.amount_minor,
                amount_minor=lines[row.line_id].amount_minor,
                refunded_minor=lines[row.line_id].refunded_minor,
            ),
        )
        for row in rows
    ]


def people(customer_id: UUID) -> list[UUID]:
    """All customers that are the same person as far as the merchant knows, member still or not."""
    return directory.same_person(customer_id) or [customer_id]


def _offers(asked: Asked, named: Sequence[UUID], held: Sequence[UUID]) -> list[_Row]:
    """What applies by itself and has not ended, and what codes, coupons or the order's own holdings name."""
    running = Q(status=states.ACTIVE, trigger=frames.AUTOMATIC, ends_at__gt=asked.now, starts_at__lte=asked.now)
    if named or held:
        running |= Q(pk__in=[*named, *held])
    if asked.coupons:
        running |= Q(coupon__in=list(filter(str.isprintable, asked.coupons)))
    rows = Offer.objects.filter(running).values_list(
        *("id", "kind", "version", "coupon", "status", "starts_at", "ends_at", "deleted_at"),
        *("customer_max", F("redemptions_max") - F("redeemed_count"), F("budget_minor") - F("given_minor")),
        F("units_max") - F("units_count"),
    )
    return list(map(_Row._make, rows))


def _versions(rows: Sequence[_Row]) -> list[Frame]:
    """What offers say, before anything is left of them or used; one statement where some were not met before."""
    unknown = [row for row in rows if (row.id, row.version) not in _known]
    if unknown:
        if len(_known) + len(unknown) > _KEPT:
            _known.clear()
            unknown = list(rows)
        coupons = {row.id: row.coupon for row in unknown}
        said = OfferVersion.objects.filter(offer_id__in=list(coupons), number__in={row.version for row in unknown})
        for offer_id, number, kept in said.values_list("offer_id", "number", "terms"):
            terms, shown = Terms.read(kept["terms"]), ids.show("offer", offer_id)
            _known[offer_id, number] = Frame(shown, number, terms, coupon=coupons[offer_id])
    return [_known[row.id, row.version] for row in rows]


def _frame(row: _Row, version: Frame, now: datetime, own: OfferRedemption | None, used_count: int) -> Frame:
    """What is left of an offer for this cart: what its own order holds is not used."""
    problem = states.problem(
        status=row.status, starts_at=row.starts_at, ends_at=row.ends_at, is_deleted=row.deleted_at is not None, now=now
    )
    if problem is None and row[-4:] == _UNLIMITED:
        return version
    uses, budget, units = (1, own.discount_minor, own.units) if own else (0, 0, 0)
    return replace(
        version,
        problem=problem,
        uses_left=None if row.uses_left is None else row.uses_left + uses,
        customer_uses_left=None if row.customer_max is None else row.customer_max - used_count,
        is_counted_by_customer=row.customer_max is not None,
        budget_left_minor=None if row.budget_left_minor is None else row.budget_left_minor + budget,
        units_left=None if row.units_left is None else row.units_left + units,
    )


def _held(order_id: UUID | None) -> dict[UUID, OfferRedemption]:
    if order_id is None:
        return {}
    rows = OfferRedemption.objects.filter(order_id=order_id).exclude(status=states.RELEASED)
    return {row.offer_id: row for row in rows}


def _typed(asked: Asked, held: dict[UUID, OfferRedemption]) -> list[Code]:
    """What the book knows of each code: of those attached by their ids, and of those typed.

    Of one spelling it is the active one, else the latest.
    """
    wanted: dict[str | UUID, str] = {}
    for shown in asked.promotion_codes:
        with suppress(ids.MalformedId):
            wanted[ids.parse("promo", shown)] = shown
    for text in asked.codes[:CODES_MAX]:
        wanted.setdefault(codes.key(text), text)
    unknown = [Code(shown[: codes.CODE_LENGTH_MAX]) for shown in asked.promotion_codes if shown not in wanted.values()]
    if not wanted:
        return unknown
    named = [key for key in wanted if isinstance(key, UUID)]
    typed = [key for key in wanted if isinstance(key, str)]
    found: dict[str | UUID, PromotionCode] = {}
    which = Q(pk__in=named) | Q(code_key__in=typed) if named else Q(code_key__in=typed)
    for row in PromotionCode.objects.filter(which).order_by("is_active", "pk"):
        found[row.pk] = found[row.code_key] = row
    own = {row.code_id for row in held.values()}
    return [
        _code(found[key], asked, is_had=found[key].pk in own) if key in found else Code(text[: codes.CODE_LENGTH_MAX])
        for key, text in wanted.items()
    ] + unknown


def _code(row: PromotionCode, asked: Asked, *, is_had: bool) -> Code:
    return Code(
        row.code,
        offer=ids.show("offer", row.offer_id),
        id=ids.show("promo", row.pk),
        problem=_problem(row, asked, is_had=is_had),
        minimum_minor=(row.minimum_minor or 0) if row.minimum_currency == asked.currency else 0,
        is_first_only=row.is_first_only,
    )


def _attached(coupons: Sequence[str], rows: Sequence[_Row]) -> list[Code]:
    """The coupons that the merchant attached, as codes that nobody had to type."""
    offers = {row.coupon: ids.show("offer", row.id) for row in rows if coupons and row.deleted_at is None}
    return [Code(coupon[: codes.CODE_LENGTH_MAX], offer=offers.get(coupon)) for coupon in coupons]


def _problem(row: PromotionCode, asked: Asked, *, is_had: bool) -> str | None:
    if row.customer_id is not None and not _is_for(row.customer_id, asked.customer_id):
        return "someone_else"
    if not row.is_active:
        return "inactive"
    if row.expires_at is not None and row.expires_at <= asked.now:
        return "expired"
    if row.redemptions_max is not None and row.redeemed_count - is_had >= row.redemptions_max:
        return "used_up"
    if row.minimum_minor and row.minimum_currency != asked.currency:
        return "other_currency"
    return None


def _is_for(customer_id: UUID, asker_id: UUID | None) -> bool:
    return asker_id is not None and (customer_id == asker_id or customer_id in people(asker_id))


def uses(asked: Asked, customers: Sequence[UUID], offer_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How often one person's customers used each of these, this order aside."""
    rows = OfferRedemption.objects.filter(
        customer_id__in=customers, offer_id__in=offer_ids, status__in=[states.HELD, states.TAKEN]
    )
    if asked.order_id is not None:
        rows = rows.exclude(order_id=asked.order_id)
    return dict(rows.values_list("offer_id").annotate(Count("pk")))


def _has_bought(customers: Sequence[UUID]) -> bool:
    # The order that is being paid has paid nothing yet.
    return Order.objects.filter(customer_id__in=customers, paid_minor__gt=0).exists()
