"""Coupons, promotion codes, offers and prices as the API shows them. Pure: from rows to plain objects."""

from datetime import datetime
from typing import Any

from members.offers import frames, why
from members.offers.frames import Priced
from members.offers.models import Offer, OfferRedemption, PromotionCode
from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix


def coupon(row: Offer, *, now: datetime, livemode: bool) -> dict[str, Any]:
    """An offer that codes lead to, as Stripe's coupon. What Stripe has no word for stands in `offer`."""
    effect = row.terms["effect"]
    amount_off = effect["off_minor"] if row.kind == frames.AMOUNT else None
    products = list(row.terms.get("products", ()))
    return {
        "id": row.coupon,
        "object": "coupon",
        "amount_off": amount_off,
        "applies_to": {"products": products} if products else None,
        "created": unix(row.created_at),
        "currency": row.terms["currency"].lower() if amount_off is not None else None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": livemode,
        "max_redemptions": row.redemptions_max,
        "metadata": row.metadata,
        "name": row.name,
        "offer": ids.show("offer", row.pk),
        "percent_off": _percent(effect["off_ppm"]) if row.kind == frames.PERCENT else None,
        "redeem_by": unix(row.ends) if row.ends else None,
        "times_redeemed": row.redeemed_count,
        "valid": is_valid(row, now),
    }


def is_valid(row: Offer, now: datetime) -> bool:
    """Whether an offer can be used at a time."""
    return row.problem(now) is None and row.uses_left != 0


def promotion_code(row: PromotionCode, *, now: datetime, livemode: bool) -> dict[str, Any]:
    """A code with `row.offer` at hand. It is active where its coupon is valid too."""
    is_usable = row.expires_at is None or row.expires_at > now
    has_uses = row.redemptions_max is None or row.redeemed_count < row.redemptions_max
    return {
        "id": ids.show("promo", row.pk),
        "object": "promotion_code",
        "active": row.is_active and is_usable and has_uses and is_valid(row.offer, now),
        "code": row.code,
        "created": unix(row.created_at),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "customer_account": None,
        "expires_at": unix(row.expires_at) if row.expires_at else None,
        "livemode": livemode,
        "max_redemptions": row.redemptions_max,
        "metadata": row.metadata,
        "promotion": {"coupon": row.offer.coupon, "type": "coupon"},
        "restrictions": {
            "first_time_transaction": row.is_first_only,
            "minimum_amount": row.minimum_minor,
            "minimum_amount_currency": row.minimum_currency.lower() or None,
        },
        "times_redeemed": row.redeemed_count,
    }


def offer(row: Offer, *, livemode: bool) -> dict[str, Any]:
    """An offer of any kind: its present version, and what was used of it."""
    return {
        "id": ids.show("offer", row.pk),
        "object": "offer",
        "budget": row.budget_minor,
        "coupon": row.coupon,
        "created": unix(row.created_at),
        "ends": unix(row.ends) if row.ends else None,
        "given": row.given_minor,
        "kind": row.kind,
        "livemode": livemode,
        "max_redemptions": row.redemptions_max,
        "max_redemptions_per_customer": row.customer_max,
        "max_units": row.units_max,
        "metadata": row.metadata,
        "name": row.name,
        "starts": unix(row.starts_at),
        "status": row.status,
        "terms": row.terms,
        "times_redeemed": row.redeemed_count,
        "trigger": row.trigger,
        "units": row.units_count,
        "version": row.version,
    }


def redemption(row: OfferRedemption, *, livemode: bool) -> dict[str, Any]:
    """One use of an offer."""
    return {
        "id": ids.show("redm", row.pk),
        "object": "offer.redemption",
        "amount_discount": row.discount_minor,
        "bonus_points": row.bonus_points,
        "costs": row.costs,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "livemode": livemode,
        "offer": ids.show("offer", row.offer_id),
        "offer_version": row.version,
        "order": ids.show("ord", row.order_id),
        "promotion_code": ids.show("promo", row.code_id) if row.code_id else None,
        "status": row.status,
        "units": row.units,
    }


def preview(priced: Priced, *, livemode: bool) -> dict[str, Any]:
    """A priced cart with its reasons, in the words of the reader's language. Nothing of it is held."""
    return {
        "object": "offer.preview",
        "amount_discount": priced.discount_minor,
        "amount_subtotal": priced.subtotal_minor,
        "amount_tax": priced.tax_minor,
        "amount_total": priced.total_minor,
        "applied": [
            {
                "amount_discount": each.discount_minor,
                "bonus_points": each.bonus_points,
                "costs": dict(each.costs),
                "name": each.name,
                "offer": each.offer,
                "offer_version": each.version,
                "promotion_code": each.code,
                "reasons": [_reason(reason) for reason in each.reasons],
                "units": each.units,
            }
            for each in priced.applied
        ],
        "bonus_points": priced.bonus_points,
        "currency": priced.currency.lower(),
        "lines": [
            {
                "amount_discount": line.discount_minor,
                "amount_subtotal": line.subtotal_minor,
                "amount_tax": line.tax_minor,
                "amount_total": line.amount_minor,
                "discounts": [
                    {"amount": each.shares[line.key], "offer": each.offer}
                    for each in priced.applied
                    if line.key in each.shares
                ],
            }
            for line in priced.lines
        ],
        "livemode": livemode,
        "near_misses": [
            {
                "amount_discount": near.discount_minor or None,
                "amount_missing": near.missing_minor or None,
                "name": near.name,
                "offer": near.offer,
                "quantity_missing": near.missing_count or None,
                "text": why.say_near_miss(near),
            }
            for near in priced.near_misses
        ],
        "refused": [_reason(reason) for reason in priced.refused],
    }


def _reason(reason: Any) -> dict[str, Any]:
    return {
        "code": reason.code,
        "offer": reason.values.get("offer"),
        "promotion_code": reason.values.get("code"),
        "text": {
            audience: why.say(reason, audience=audience) for audience in (why.CUSTOMER, why.CASHIER, why.MERCHANT)
        },
    }


def _percent(ppm: int) -> float:
    """What Stripe writes as a number: 12.5, exact for every rate that a decimal of four places names."""
    return round(ppm / 10_000, 4)
