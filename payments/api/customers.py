"""/v1/customers"""

from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Emptied,
    Id,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    SearchParams,
    UpTo,
)
from payments.api.addresses import not_here, origin, path_id
from payments.api.fields import Address, Shipping
from payments.customers import objects
from payments.customers import operations as customers
from payments.customers.models import Customer, PaymentMethod
from payments.search import queries as search


def _email(value: str) -> str:
    local, at, domain = value.rpartition("@")
    if not (at and local and "." in domain) or any(character.isspace() for character in value):
        raise PydanticCustomError("email_invalid", "Invalid email address: {given}", {"given": value[:100]})
    return value


Email = Annotated[str, UpTo(320), AfterValidator(_email)]


class InvoiceSettings(Nested):
    default_payment_method: Emptied[Id] = None


class CustomerFields(Params):
    address: Emptied[Address] = None
    description: Emptied[Annotated[str, UpTo(5000)]] = None
    email: Emptied[Email] = None
    invoice_settings: InvoiceSettings | None = None
    metadata: Metadata = {}
    name: Emptied[Annotated[str, UpTo(256)]] = None
    phone: Emptied[Annotated[str, UpTo(30)]] = None
    preferred_locales: Listed[Annotated[str, UpTo(20)]] = []
    shipping: Emptied[Shipping] = None

    def columns(self) -> dict[str, Any]:
        columns = {
            name: value.model_dump() if name in ("address", "shipping") and value is not None else value
            for name, value in self.given("invoice_settings").items()
        }
        settings = self.invoice_settings
        if settings is not None and "default_payment_method" in settings.model_fields_set:
            named = settings.default_payment_method
            columns["default_method_id"] = named and paging.identifier("pm", named, param=customers.DEFAULT_METHOD)
        return columns


class ListCustomers(ListParams):
    email: Annotated[str, UpTo(320)] | None = None


class ListMethods(ListParams):
    type: Annotated[str, UpTo(50)] | None = None


@endpoint(permission="customers:write", params=CustomerFields, returns="customer")
def create(call: Call) -> dict[str, Any]:
    """Create a customer"""
    row = customers.create(fields=call.params.columns(), now=call.now, origin=origin(call))
    return objects.customer(row, livemode=call.caller.livemode)


@endpoint(permission="customers:read", returns="customer")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a customer"""
    row = Customer.objects.filter(pk=path_id(call, "cus")).first()
    if row is None:
        raise not_here(call, "cus")
    if row.deleted_at is not None:
        return objects.deleted("customer", call.path["id"])
    return objects.customer(row, livemode=call.caller.livemode)


@endpoint(permission="customers:write", params=CustomerFields, returns="customer")
def update(call: Call) -> dict[str, Any]:
    """Update a customer"""
    row = customers.update(
        customer_id=path_id(call, "cus"), fields=call.params.columns(), now=call.now, origin=origin(call)
    )
    return objects.customer(row, livemode=call.caller.livemode)


@endpoint(permission="customers:write", returns="deleted_customer")
def delete(call: Call) -> dict[str, Any]:
    """Delete a customer"""
    customers.delete(customer_id=path_id(call, "cus"), now=call.now, origin=origin(call))
    return objects.deleted("customer", call.path["id"])


@endpoint(permission="customers:read", params=ListCustomers, returns="customer", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all customers"""
    rows = Customer.objects.filter(deleted_at__isnull=True)
    if call.params.email:
        rows = rows.filter(email_key=call.params.email.lower(), email=call.params.email)
    return paging.page(
        rows,
        call.params,
        prefix="cus",
        url=call.url,
        render=lambda found: [objects.customer(row, livemode=call.caller.livemode) for row in found],
    )


@endpoint(permission="customers:read", params=SearchParams, returns="customer", is_list=True)
def search_(call: Call) -> dict[str, Any]:
    """Search customers"""
    return search.page(
        "customer",
        Customer.objects.filter(deleted_at__isnull=True),
        call.params,
        url=call.url,
        render=lambda found: [objects.customer(row, livemode=call.caller.livemode) for row in found],
    )


@endpoint(permission="payment_methods:read", params=ListMethods, returns="payment_method", is_list=True)
def list_methods(call: Call) -> dict[str, Any]:
    """List a customer's payment methods"""
    customer = customers.find(path_id(call, "cus"))
    rows = PaymentMethod.objects.filter(customer=customer, detached_at__isnull=True)
    if call.params.type:
        rows = rows.filter(type=call.params.type)
    return paging.page(
        rows,
        call.params,
        prefix="pm",
        url=call.url,
        render=lambda found: [objects.payment_method(row, livemode=call.caller.livemode) for row in found],
    )


urlpatterns = [
    door("customers", GET=list_, POST=create),
    door("customers/search", GET=search_),
    door("customers/<id>", GET=retrieve, POST=update, DELETE=delete),
    door("customers/<id>/payment_methods", GET=list_methods),
]
