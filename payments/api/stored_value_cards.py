"""/v1/stored_value_cards: gift cards and stored-value cards, ours in the same style."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import (
    LIMIT_DEFAULT,
    Currency,
    Emptied,
    Id,
    Integer,
    InvalidParameter,
    Limit,
    ListParams,
    Metadata,
    Params,
    check_step,
)
from payments.api.addresses import not_here, origin, path_id
from payments.customers import operations as customers
from payments.stored_value import objects, operations, queries
from payments.stored_value.models import StoredValueCard


def _value(value: int) -> int:
    if not 0 <= value <= operations.LOAD_MAX:
        raise PydanticCustomError(
            "parameter_invalid_integer", "This value must be between 0 and {n}.", {"n": operations.LOAD_MAX}
        )
    return value


Value = Annotated[Integer, AfterValidator(_value)]


class CreateCard(Params):
    amount: Value = 0
    bonus_amount: Value = 0
    currency: Currency
    customer: Id | None = None
    expires_at: Integer | None = None
    kind: Literal["gift", "stored"] = "gift"
    metadata: Metadata = {}
    order_line: Id | None = None


class UpdateCard(Params):
    metadata: Metadata = {}


class Reload(Params):
    amount: Value = 0
    bonus_amount: Value = 0
    order_line: Id | None = None


class ListCards(ListParams):
    customer: Id | None = None
    status: Emptied[Literal["inactive", "active", "frozen", "expired"]] = None


class Movements(Params):
    limit: Limit = LIMIT_DEFAULT
    starting_after: Id | None = None


@endpoint(permission="stored_value_cards:write", params=CreateCard, returns="stored_value_card")
def create(call: Call) -> dict[str, Any]:
    """Create a card; its number and PIN are shown this once"""
    params = call.params
    expires_at = paging.moment(params.expires_at) if params.expires_at is not None else None
    customer_id = None
    if params.customer:
        customer_id = customers.find(paging.identifier("cus", params.customer, param="customer"), param="customer").pk
    card, number, pin = operations.issue(
        kind=params.kind,
        currency=params.currency,
        customer_id=customer_id,
        expires_at=expires_at,
        metadata=params.metadata,
        now=call.now,
        origin=origin(call),
    )
    if params.amount or params.bonus_amount:
        _load(call, card)
    return _shown([queries.find(card.pk)])[0] | {"number": number, "pin": pin}


@endpoint(permission="stored_value_cards:read", returns="stored_value_card")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a card with its balance"""
    return _shown([_card(call)])[0]


@endpoint(permission="stored_value_cards:write", params=UpdateCard, returns="stored_value_card")
def update(call: Call) -> dict[str, Any]:
    """Update a card"""
    operations.update(card_id=_card(call).pk, metadata=call.params.metadata or None, now=call.now, origin=origin(call))
    return _shown([_card(call)])[0]


@endpoint(permission="stored_value_cards:write", params=Reload, returns="stored_value_card")
def reload(call: Call) -> dict[str, Any]:
    """Load a card: at once, or when the order line that sells the value is paid"""
    card = _card(call)
    if not call.params.amount and not call.params.bonus_amount:
        raise InvalidParameter("Missing required param: amount.", code="parameter_missing", param="amount")
    _load(call, card)
    return _shown([queries.find(card.pk)])[0]


@endpoint(permission="stored_value_cards:write", returns="stored_value_card")
def freeze(call: Call) -> dict[str, Any]:
    """Freeze a card, so that nobody spends it"""
    return _shown([operations.freeze(card_id=_card(call).pk, now=call.now, origin=origin(call))])[0]


@endpoint(permission="stored_value_cards:write", returns="stored_value_card")
def unfreeze(call: Call) -> dict[str, Any]:
    """Let a frozen card be spent again"""
    return _shown([operations.unfreeze(card_id=_card(call).pk, now=call.now, origin=origin(call))])[0]


@endpoint(permission="stored_value_cards:read", params=ListCards, returns="stored_value_card", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all cards"""
    rows: QuerySet[StoredValueCard] = StoredValueCard.objects.all()
    if call.params.customer:
        rows = rows.filter(customer_id=paging.identifier("cus", call.params.customer, param="customer"))
    if call.params.status:
        rows = rows.filter(status=call.params.status)
    return paging.page(rows, call.params, prefix="svc", url=call.url, render=_shown)


@endpoint(permission="stored_value_cards:read", params=Movements, returns="stored_value_transaction", is_list=True)
def movements(call: Call) -> dict[str, Any]:
    """List a card's movements"""
    card, limit = _card(call), call.params.limit
    found = queries.statement(card, before=before(call.params.starting_after), limit=limit + 1)
    return {
        "object": "list",
        "data": [
            objects.movement(each.line, is_bonus=each.is_bonus, livemode=call.caller.livemode) for each in found[:limit]
        ],
        "has_more": len(found) > limit,
        "url": call.url,
    }


def before(cursor: str | None) -> tuple[str, UUID] | None:
    """Where a statement goes on: the id of the last movement that was seen."""
    if cursor is None:
        return None
    xid, _, line_id = cursor.partition("_")
    if not (xid.isascii() and xid.isdecimal() and len(xid) <= 19):
        raise InvalidParameter(
            f"No such stored_value_transaction: '{cursor[:100]}'", code="resource_missing", param="starting_after"
        )
    return xid, paging.identifier("tr", line_id, param="starting_after")


def _load(call: Call, card: StoredValueCard) -> None:
    params = call.params
    for name in ("amount", "bonus_amount"):
        check_step(getattr(params, name), card.currency, param=name)
    operations.load(
        card_id=card.pk,
        amount_minor=params.amount,
        bonus_minor=params.bonus_amount,
        order_line_id=paging.identifier("li", params.order_line, param="order_line") if params.order_line else None,
        now=call.now,
        origin=origin(call),
    )


def _card(call: Call) -> StoredValueCard:
    card = StoredValueCard.objects.filter(pk=path_id(call, "svc")).first()
    if card is None:
        raise not_here(call, "svc")
    return card


def _shown(rows: Sequence[StoredValueCard]) -> list[dict[str, Any]]:
    """Cards with what is on them: one statement for a page."""
    return [
        objects.card(row, balance.paid, balance.bonus)
        for row, balance in zip(rows, queries.balances(rows), strict=True)
    ]


urlpatterns = [
    door("stored_value_cards", GET=list_, POST=create),
    door("stored_value_cards/<id>", GET=retrieve, POST=update),
    door("stored_value_cards/<id>/reload", POST=reload),
    door("stored_value_cards/<id>/freeze", POST=freeze),
    door("stored_value_cards/<id>/unfreeze", POST=unfreeze),
    door("stored_value_cards/<id>/transactions", GET=movements),
]
