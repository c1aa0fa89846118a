"""/v1/charges: the attempts of payment intents."""

from typing import Annotated, Any

from django.db.models import QuerySet

from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import Emptied, Id, ListParams, Metadata, Params, SearchParams, UpTo
from payments.api.addresses import not_here, origin, path_id
from payments.api.customers import Email
from payments.api.fields import Shipping
from payments.intents import factors, objects, states
from payments.intents import operations as intents
from payments.intents.models import Attempt
from payments.receipts import queries as receipts
from payments.search import queries as search


class UpdateCharge(Params):
    description: Emptied[Annotated[str, UpTo(1000)]] = None
    metadata: Metadata = {}
    receipt_email: Emptied[Email] = None
    shipping: Emptied[Shipping] = None


class ListCharges(ListParams):
    customer: Id | None = None
    payment_intent: Id | None = None


@endpoint(permission="charges:read", returns="charge")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a charge"""
    row = rows().filter(pk=path_id(call, "ch")).first()
    if row is None:
        raise not_here(call, "ch")
    return shown(row, livemode=call.caller.livemode)


@endpoint(permission="charges:write", params=UpdateCharge, returns="charge")
def update(call: Call) -> dict[str, Any]:
    """Update a charge"""
    changes = call.params.given("metadata")
    if changes.get("shipping") is not None:
        changes["shipping"] = call.params.shipping.model_dump()
    intents.update_charge(
        attempt_id=path_id(call, "ch"),
        changes=changes,
        metadata=call.params.metadata if "metadata" in call.params.model_fields_set else None,
        now=call.now,
        origin=origin(call),
    )
    return shown(rows().get(pk=path_id(call, "ch")), livemode=call.caller.livemode)


@endpoint(permission="charges:read", params=ListCharges, returns="charge", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all charges"""
    asked = rows()
    if call.params.customer:
        asked = asked.filter(customer_id=paging.identifier("cus", call.params.customer, param="customer"))
    if call.params.payment_intent:
        asked = asked.filter(intent_id=paging.identifier("pi", call.params.payment_intent, param="payment_intent"))
    return paging.page(
        asked,
        call.params,
        prefix="ch",
        url=call.url,
        render=lambda found: [shown(row, livemode=call.caller.livemode) for row in found],
    )


@endpoint(permission="charges:read", params=SearchParams, returns="charge", is_list=True)
def search_(call: Call) -> dict[str, Any]:
    """Search charges"""
    return search.page(
        "charge",
        rows(),
        call.params,
        url=call.url,
        render=lambda found: [shown(row, livemode=call.caller.livemode) for row in found],
    )


def rows() -> QuerySet[Attempt]:
    """Charges as they are shown: with their receipts."""
    return receipts.with_codes(Attempt.objects.all())


def shown(row: Attempt, *, livemode: bool) -> dict[str, Any]:
    """A charge that `rows` read."""
    return objects.charge(
        row,
        livemode=livemode,
        receipt_url=receipts.address_of(row),
        authentication=factors.shown(row) if row.status in states.PAID else None,
    )


urlpatterns = [
    door("charges", GET=list_),
    door("charges/search", GET=search_),
    door("charges/<id>", GET=retrieve, POST=update),
]
