"""/v1/payment_methods"""

from typing import Annotated, Any, Literal

from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import Id, InvalidParameter, ListParams, Metadata, Nested, Params, UpTo
from merchant_platform.kernel.errors import Forbidden
from payments.api import cards
from payments.api.addresses import not_here, origin, path_id
from payments.api.cards import CardData
from payments.api.fields import BillingDetails
from payments.customers import objects
from payments.customers import operations as customers
from payments.customers.models import PaymentMethod
from payments.wallets import operations as wallets
from payments.wallets.models import Mandate, Wallet


class WalletData(Nested):
    """In test books only: a live wallet is saved by its consumer's own act."""

    wallet: Id


class CreateMethod(Params):
    billing_details: BillingDetails | None = None
    card: CardData | None = None
    metadata: Metadata = {}
    type: Literal["card", "wallet"]
    wallet: WalletData | None = None


class UpdateMethod(Params):
    billing_details: BillingDetails | None = None
    metadata: Metadata = {}


class ListMethods(ListParams):
    customer: Id | None = None
    type: Annotated[str, UpTo(50)] | None = None


class Attach(Params):
    customer: Id


@endpoint(
    permission="payment_methods:write",
    params=CreateMethod,
    returns="payment_method",
    publishable=True,
    extra_statuses={402: "What stands on the card cannot be right."},
)
def create(call: Call) -> dict[str, Any]:
    """Create a payment method of a card, or of a test wallet"""
    params = call.params
    if getattr(params, params.type) is None:
        raise InvalidParameter(f"Missing required param: {params.type}.", code="parameter_missing", param=params.type)
    if (params.wallet if params.type == "card" else params.card) is not None:
        other = "wallet" if params.type == "card" else "card"
        raise InvalidParameter(f"A payment method of type '{params.type}' has no '{other}'.", param=other)
    if params.type == "wallet":
        return _create_wallet(call)
    cards.security_code(params.card)
    row = cards.save(call, params.card, billing=params.billing_details, metadata=params.metadata)
    return objects.payment_method(row, livemode=call.caller.livemode)


def _create_wallet(call: Call) -> dict[str, Any]:
    if call.caller.kind == "publishable":
        raise Forbidden("A wallet is saved with a secret key.", code="secret_key_required")
    if call.caller.livemode:
        raise InvalidParameter(
            "In live mode a wallet is saved by its consumer, on a page of ours, not by the merchant.",
            code="wallet_consent_required",
            param="wallet",
        )
    wallet_id = paging.identifier("wal", call.params.wallet.wallet, param="wallet[wallet]")
    # Only a wallet that this book has a mandate on already: another merchant's does not exist here.
    wallet = Wallet.objects.filter(
        pk=wallet_id, mode="test", pk__in=Mandate.objects.filter(wallet_id=wallet_id).values("wallet_id")
    ).first()
    if wallet is None:
        raise InvalidParameter(
            f"No such wallet: '{call.params.wallet.wallet}'", code="resource_missing", param="wallet[wallet]"
        )
    method = customers.save_wallet(
        customer=None, mandate=wallets.give_mandate(wallet=wallet, now=call.now), now=call.now, origin=origin(call)
    )
    fields = _fields(call.params)
    if fields:
        method = customers.update_method(method_id=method.pk, fields=fields, now=call.now, origin=origin(call))
    return objects.payment_method(method, livemode=False)


@endpoint(permission="payment_methods:read", returns="payment_method")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a payment method"""
    row = PaymentMethod.objects.filter(pk=path_id(call, "pm")).first()
    if row is None:
        raise not_here(call, "pm")
    return objects.payment_method(row, livemode=call.caller.livemode)


@endpoint(permission="payment_methods:write", params=UpdateMethod, returns="payment_method")
def update(call: Call) -> dict[str, Any]:
    """Update a payment method"""
    row = customers.update_method(
        method_id=path_id(call, "pm"), fields=_fields(call.params), now=call.now, origin=origin(call)
    )
    return objects.payment_method(row, livemode=call.caller.livemode)


@endpoint(permission="payment_methods:read", params=ListMethods, returns="payment_method", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List payment methods"""
    rows = PaymentMethod.objects.filter(detached_at__isnull=True)
    if call.params.customer:
        customer_id = paging.identifier("cus", call.params.customer, param="customer")
        rows = rows.filter(customer=customers.find(customer_id, param="customer"))
    if call.params.type:
        rows = rows.filter(type=call.params.type)
    return paging.page(
        rows,
        call.params,
        prefix="pm",
        url=call.url,
        render=lambda found: [objects.payment_method(row, livemode=call.caller.livemode) for row in found],
    )


@endpoint(permission="payment_methods:write", params=Attach, returns="payment_method")
def attach(call: Call) -> dict[str, Any]:
    """Attach a payment method to a customer"""
    named = call.path["id"]
    cards.check(call, named if named in cards.TEST_METHODS else None, None)
    row = customers.attach(
        method_id=cards.save_test(call, named).pk if named in cards.TEST_METHODS else path_id(call, "pm"),
        customer_id=paging.identifier("cus", call.params.customer, param="customer"),
        now=call.now,
        origin=origin(call),
    )
    return objects.payment_method(row, livemode=call.caller.livemode)


@endpoint(permission="payment_methods:write", returns="payment_method")
def detach(call: Call) -> dict[str, Any]:
    """Detach a payment method, which revokes its mandate or destroys its card"""
    row = customers.detach(method_id=path_id(call, "pm"), now=call.now, origin=origin(call))
    return objects.payment_method(row, livemode=call.caller.livemode)


def _fields(params: Any) -> dict[str, Any]:
    fields = params.given("type", "wallet", "card")
    if fields.get("billing_details") is not None:
        fields["billing_details"] = cards.shown_billing(params.billing_details)
    elif "billing_details" in fields:
        fields["billing_details"] = {}
    return fields


urlpatterns = [
    door("payment_methods", GET=list_, POST=create),
    door("payment_methods/<id>", GET=retrieve, POST=update),
    door("payment_methods/<id>/attach", POST=attach),
    door("payment_methods/<id>/detach", POST=detach),
]
