"""/v1/promotion_codes: the words that people type, as Stripe knows them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import F, Q

from members.api import coupons
from members.api.fields import Positive
from members.offers import codes, objects, queries, states
from members.offers.models import PromotionCode
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Amount,
    Boolean,
    Currency,
    Emptied,
    Id,
    Integer,
    InvalidParameter,
    ListParams,
    Metadata,
    Nested,
    Params,
    UpTo,
    check_step,
)
from payments.api.addresses import not_here, origin, path_id

Text = Annotated[str, UpTo(codes.CODE_LENGTH_MAX)]


class Promotion(Nested):
    coupon: Id
    type: Literal["coupon"]


class Restrictions(Nested):
    first_time_transaction: Boolean = False
    minimum_amount: Emptied[Amount] = None
    minimum_amount_currency: Emptied[Currency] = None


class CreateCode(Params):
    active: Boolean = True
    code: Emptied[Text] = None
    customer: Emptied[Id] = None
    expires_at: Integer | None = None
    max_redemptions: Positive | None = None
    metadata: Metadata = {}
    promotion: Promotion
    restrictions: Restrictions | None = None


class UpdateCode(Params):
    active: Boolean = True
    metadata: Metadata = {}


class ListCodes(ListParams):
    active: Boolean | None = None
    code: Text | None = None
    coupon: Id | None = None
    customer: Id | None = None


@endpoint(permission="promotion_codes:write", params=CreateCode, returns="promotion_code")
def create(call: Call) -> dict[str, Any]:
    """Create a promotion code"""
    params = call.params
    limits = params.restrictions or Restrictions()
    if limits.minimum_amount is not None and limits.minimum_amount_currency is not None:
        check_step(limits.minimum_amount, limits.minimum_amount_currency, param="restrictions[minimum_amount]")
    elif limits.minimum_amount is not None or limits.minimum_amount_currency is not None:
        raise InvalidParameter(
            "minimum_amount and minimum_amount_currency go together.",
            code="parameter_missing",
            param="restrictions[minimum_amount]",
        )
    row = codes.create(
        offer=coupons.find(params.promotion.coupon, param="promotion[coupon]"),
        draft=codes.CodeDraft(
            code=params.code,
            customer_id=paging.identifier("cus", params.customer, param="customer") if params.customer else None,
            expires_at=coupons.later(params.expires_at, call.now, param="expires_at"),
            redemptions_max=params.max_redemptions,
            minimum_minor=limits.minimum_amount,
            minimum_currency=limits.minimum_amount_currency or "",
            is_first_only=limits.first_time_transaction,
            is_active=params.active,
            metadata=params.metadata,
        ),
        now=call.now,
        origin=origin(call),
    )
    return _shown(row, call)


@endpoint(permission="promotion_codes:read", returns="promotion_code")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a promotion code"""
    row = queries.promotion_codes().filter(pk=path_id(call, "promo")).first()
    if row is None:
        raise not_here(call, "promo")
    return _shown(row, call)


@endpoint(permission="promotion_codes:write", params=UpdateCode, returns="promotion_code")
def update(call: Call) -> dict[str, Any]:
    """Update a promotion code"""
    given = call.params.model_fields_set
    row = codes.update(
        code_id=path_id(call, "promo"),
        is_active=call.params.active if "active" in given else None,
        metadata=call.params.metadata if "metadata" in given else None,
        now=call.now,
        origin=origin(call),
    )
    return _shown(row, call)


@endpoint(permission="promotion_codes:read", params=ListCodes, returns="promotion_code", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all promotion codes"""
    params, rows = call.params, queries.promotion_codes()
    if params.code:
        rows = rows.filter(code_key=codes.key(params.code))
    if params.coupon:
        rows = rows.filter(offer=coupons.find(params.coupon, param="coupon"))
    if params.customer:
        rows = rows.filter(customer_id=paging.identifier("cus", params.customer, param="customer"))
    if params.active is not None:
        rows = rows.filter(_usable(call.now)) if params.active else rows.exclude(_usable(call.now))
    return paging.page(
        rows, params, prefix="promo", url=call.url, render=lambda found: [_shown(row, call) for row in found]
    )


def _usable(now: datetime) -> Q:
    """What `active` shows, as a condition."""
    return (
        Q(is_active=True, offer__status=states.ACTIVE, offer__starts_at__lte=now, offer__ends_at__gt=now)
        & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
        & (Q(redemptions_max__isnull=True) | Q(redeemed_count__lt=F("redemptions_max")))
        & (Q(offer__redemptions_max__isnull=True) | Q(offer__redeemed_count__lt=F("offer__redemptions_max")))
    )


def _shown(row: PromotionCode, call: Call) -> dict[str, Any]:
    return objects.promotion_code(row, now=call.now, livemode=call.caller.livemode)


urlpatterns = [
    door("promotion_codes", GET=list_, POST=create),
    door("promotion_codes/<id>", GET=retrieve, POST=update),
]
