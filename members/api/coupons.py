"""/v1/coupons: offers that codes lead to, as Stripe knows them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from members.api.fields import Positive, Ppm
from members.offers import frames, objects, queries
from members.offers import operations as offers
from members.offers.frames import Terms
from members.offers.models import Offer
from members.offers.terms import NAME_LENGTH
from merchant_platform.kernel import ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Amount,
    Currency,
    Emptied,
    Id,
    Integer,
    InvalidParameter,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    UpTo,
    check_step,
)
from merchant_platform.kernel.errors import missing
from payments.api.addresses import origin

Name = Annotated[str, UpTo(40)]


class AppliesTo(Nested):
    products: Listed[Id]


class CreateCoupon(Params):
    amount_off: Amount | None = None
    applies_to: AppliesTo | None = None
    currency: Currency | None = None
    # There is nothing that is paid again and again.
    duration: Literal["once"] = "once"
    id: Annotated[str, UpTo(200)] | None = None
    max_redemptions: Positive | None = None
    metadata: Metadata = {}
    name: Emptied[Name] = None
    percent_off: Ppm | None = None
    redeem_by: Integer | None = None


class UpdateCoupon(Params):
    metadata: Metadata = {}
    name: Emptied[Name] = None


@endpoint(permission="coupons:write", params=CreateCoupon, returns="coupon")
def create(call: Call) -> dict[str, Any]:
    """Create a coupon"""
    params = call.params
    identifier = params.id or offers.drawn_coupon()
    row = offers.create(
        draft=offers.Draft(
            terms=_terms(params, identifier),
            limits=offers.Limits(
                ends_at=later(params.redeem_by, call.now, param="redeem_by"), redemptions_max=params.max_redemptions
            ),
            coupon=identifier,
            metadata=params.metadata,
        ),
        is_active=True,
        now=call.now,
        origin=origin(call),
    )
    return _shown(row, call)


@endpoint(permission="coupons:read", returns="coupon")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a coupon"""
    return _shown(find(call.path["id"]), call)


@endpoint(permission="coupons:write", params=UpdateCoupon, returns="coupon")
def update(call: Call) -> dict[str, Any]:
    """Update a coupon"""
    row = find(call.path["id"])
    given = call.params.model_fields_set
    row = offers.rename(
        offer_id=row.pk,
        name=(call.params.name or row.coupon) if "name" in given else None,
        metadata=call.params.metadata if "metadata" in given else None,
        now=call.now,
        origin=origin(call),
    )
    return _shown(row, call)


@endpoint(permission="coupons:write", returns="deleted_coupon")
def delete(call: Call) -> dict[str, Any]:
    """Delete a coupon"""
    offers.delete_coupon(offer_id=find(call.path["id"]).pk, now=call.now, origin=origin(call))
    return {"id": call.path["id"], "object": "coupon", "deleted": True}


@endpoint(permission="coupons:read", params=ListParams, returns="coupon", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all coupons"""
    return paging.page(
        queries.coupons(),
        _by_row(call.params),
        prefix="offer",
        url=call.url,
        render=lambda found: [_shown(row, call) for row in found],
    )


def find(identifier: str, *, param: str | None = None) -> Offer:
    """The coupon of an id. Raises NotFound."""
    # What cannot be printed names nothing, and the database would not take it.
    row = queries.coupons().filter(coupon=identifier).first() if identifier.isprintable() else None
    if row is None:
        raise missing("coupon", identifier[:100], param=param)
    return row


def later(seconds: int | None, now: datetime, *, param: str) -> datetime | None:
    """A time to come. Raises InvalidParameter for one that is over."""
    if seconds is None:
        return None
    if paging.moment(seconds) <= now:
        raise InvalidParameter(f"The {param} timestamp must be in the future.", param=param)
    return paging.moment(seconds)


def _terms(params: CreateCoupon, identifier: str) -> Terms:
    """What the parameters say. Raises InvalidParameter."""
    if (params.amount_off is None) == (params.percent_off is None):
        raise InvalidParameter(
            "You must pass either percent_off or amount_off, and not both.",
            code="parameter_missing" if params.amount_off is None else "parameters_exclusive",
            param="percent_off",
        )
    effect: dict[str, Any] = {"off_ppm": params.percent_off}
    if params.amount_off is not None:
        if params.currency is None:
            raise InvalidParameter("Missing required param: currency.", code="parameter_missing", param="currency")
        check_step(params.amount_off, params.currency, param="amount_off")
        effect = {"off_minor": params.amount_off}
    products = tuple(params.applies_to.products) if params.applies_to else ()
    unknown = queries.unknown_products(products)
    if unknown:
        raise missing("product", unknown[0][:100], param="applies_to[products]")
    return Terms(
        name=params.name or identifier[:NAME_LENGTH],
        kind=frames.PERCENT if params.amount_off is None else frames.AMOUNT,
        effect=effect,
        trigger=frames.CODE,
        currency=params.currency if params.amount_off is not None else None,
        products=products,
    )


def _by_row(params: ListParams) -> ListParams:
    """The cursors of a list of coupons are coupons' own ids."""
    named = {
        name: ids.show("offer", find(cursor, param=name).pk)
        for name in ("starting_after", "ending_before")
        if (cursor := getattr(params, name)) is not None
    }
    return params.model_copy(update=named)


def _shown(row: Offer, call: Call) -> dict[str, Any]:
    return objects.coupon(row, now=call.now, livemode=call.caller.livemode)


urlpatterns = [
    door("coupons", GET=list_, POST=create),
    door("coupons/<id>", GET=retrieve, POST=update, DELETE=delete),
]
