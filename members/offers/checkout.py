"""The discounts of a checkout: the port payments/checkout/ports.py, answered by offers."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from members.offers import frames, queries, redeeming, why
from members.offers.queries import Asked
from merchant_platform.kernel import ids, money
from merchant_platform.kernel.decisions.rules import Reason
from payments.checkout import ports
from payments.origin import Origin


class Offers:
    """What offers take off a cart on the payer's way."""

    def price(self, cart: ports.Cart) -> ports.Priced:
        """What applies now. Reads only; what is held for this order counts as had."""
        priced, frame, offers = queries.price(_asked(cart))
        by_offer = {code.offer: code.text for code in frame.codes if code.offer}
        # A session has either: what the payer typed, or what the merchant attached, which no payer takes off.
        typed = {} if cart.grants else {code.id: code.text for code in frame.codes if code.id}
        coupons = {offer.id: offer.coupon for offer in offers}
        return ports.Priced(
            lines=[ports.PricedLine(UUID(line.key), line.discount_minor) for line in priced.lines],
            applied=[_applied(each, typed, coupons[each.offer]) for each in priced.applied],
            refused=list(_refused(priced.refused, by_offer, is_granted=bool(cart.grants))),
            near_misses=[
                ports.NearMiss(why.say_near_miss(near), near.missing_minor or None) for near in priced.near_misses
            ],
        )

    def hold(self, cart: ports.Cart, priced: ports.Priced, *, expires_at: datetime) -> None:
        """Keep what the cart uses for this order. Raises DiscountGone, and then nothing is held."""
        if not priced.applied:
            redeeming.release(order_id=cart.order_id, now=cart.now)
            return
        expected = {str(line.line_id): line.discount_minor for line in priced.lines}
        try:
            redeeming.hold(order_id=cart.order_id, asked=_asked(cart), expected=expected, expires_at=expires_at)
        except redeeming.OfferGone as gone:
            raise ports.DiscountGone(gone.message) from gone

    def take(self, order_id: UUID, *, now: datetime, origin: Origin) -> None:
        """The order was paid."""
        redeeming.take(order_id=order_id, now=now, origin=origin)

    def release(self, order_id: UUID, *, now: datetime) -> None:
        """The order will not be paid."""
        redeeming.release(order_id=order_id, now=now)


def _asked(cart: ports.Cart) -> Asked:
    return Asked(
        currency=cart.currency,
        lines=[
            frames.Line(
                key=str(line.line_id),
                quantity=line.quantity,
                unit_minor=line.unit_price_minor,
                product=ids.show("prod", line.product_id) if line.product_id else None,
                category=line.category,
                cost_minor=line.unit_cost_minor,
            )
            for line in cart.lines
        ],
        now=cart.now,
        customer_id=cart.payer.customer_id,
        store_id=cart.store_id,
        codes=cart.codes,
        coupons=[grant.coupon for grant in cart.grants if grant.coupon is not None],
        promotion_codes=[grant.promotion_code for grant in cart.grants if grant.promotion_code is not None],
        order_id=cart.order_id,
        least_minor=money.step(cart.currency),
    )


def _applied(applied: frames.Applied, typed: dict[str, str], coupon: str | None) -> ports.Applied:
    told = [reason for reason in applied.reasons if reason.code != "offer_applied"]
    return ports.Applied(
        offer_id=ids.parse("offer", applied.offer),
        title=applied.name,
        amount_minor=applied.discount_minor,
        reason=" ".join(why.say(reason, audience=why.CUSTOMER) for reason in told),
        code=typed.get(applied.code) if applied.code else None,
        coupon=coupon,
        promotion_code=applied.code,
        shares={UUID(key): amount_minor for key, amount_minor in applied.shares.items()},
    )


def _refused(refused: Iterable[Reason], by_offer: dict[str, str], *, is_granted: bool) -> Iterable[ports.Refused]:
    """What the payer should know: of codes and grants, and of offers that another one drove out."""
    for reason in refused:
        code = reason.values.get("code") or by_offer.get(reason.values.get("offer", ""))
        if code is None and reason.code != "offer_not_combined":
            continue
        yield ports.Refused(
            title=reason.values.get("name") or code or "",
            reason=why.say(reason, audience=why.CUSTOMER),
            reason_code=reason.code.partition("_")[2],
            code=None if is_granted else code,
            is_granted=is_granted and code is not None,
        )
