"""/v1/products and /v1/prices"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import (
    AMOUNT_MAX,
    Boolean,
    Currency,
    Emptied,
    Id,
    Integer,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    UpTo,
    check_step,
)
from payments.api.addresses import not_here, origin, path_id
from payments.catalog import objects
from payments.catalog import operations as catalog
from payments.catalog.models import Price, Product


def _price_amount(value: int) -> int:
    if not 0 <= value <= AMOUNT_MAX:
        raise PydanticCustomError(
            "parameter_invalid_integer", "This value must be between 0 and {n}.", {"n": AMOUNT_MAX}
        )
    return value


PriceAmount = Annotated[Integer, AfterValidator(_price_amount)]


class PriceData(Nested):
    currency: Currency
    unit_amount: PriceAmount
    metadata: Metadata = {}
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] = "unspecified"


class ProductFields(Params):
    active: Boolean = True
    category: Emptied[Annotated[str, UpTo(100)]] = None
    cost_minor: Emptied[PriceAmount] = None
    description: Emptied[Annotated[str, UpTo(5000)]] = None
    images: Listed[Annotated[str, UpTo(2048)]] = []
    metadata: Metadata = {}
    name: Annotated[str, UpTo(250)] = ""
    shippable: Boolean | None = None
    statement_descriptor: Emptied[Annotated[str, UpTo(22)]] = None
    unit_label: Emptied[Annotated[str, UpTo(12)]] = None
    url: Emptied[Annotated[str, UpTo(2048)]] = None

    def columns(self) -> dict[str, Any]:
        columns = self.given("active", "category", "default_price", "default_price_data")
        if "active" in self.model_fields_set:
            columns["is_active"] = self.active
        if "category" in self.model_fields_set:
            columns["category"] = self.category or ""
        return columns


class CreateProduct(ProductFields):
    name: Annotated[str, UpTo(250)]
    default_price_data: PriceData | None = None


class UpdateProduct(ProductFields):
    default_price: Emptied[Id] = None


class ListProducts(ListParams):
    active: Boolean | None = None
    ids: Listed[Id] | None = None


class CreatePrice(Params):
    active: Boolean = True
    currency: Currency
    lookup_key: Emptied[Annotated[str, UpTo(200)]] = None
    metadata: Metadata = {}
    nickname: Emptied[Annotated[str, UpTo(5000)]] = None
    product: Id
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] = "unspecified"
    unit_amount: PriceAmount


class UpdatePrice(Params):
    active: Boolean = True
    lookup_key: Emptied[Annotated[str, UpTo(200)]] = None
    metadata: Metadata = {}
    nickname: Emptied[Annotated[str, UpTo(5000)]] = None
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] = "unspecified"


class ListPrices(ListParams):
    active: Boolean | None = None
    currency: Currency | None = None
    lookup_keys: Listed[Annotated[str, UpTo(200)]] | None = None
    product: Id | None = None


@endpoint(permission="products:write", params=CreateProduct, returns="product")
def create_product(call: Call) -> dict[str, Any]:
    """Create a product"""
    product = catalog.create_product(fields=call.params.columns(), now=call.now, origin=origin(call))
    data = call.params.default_price_data
    if data is not None:
        price = catalog.create_price(
            product_id=product.pk,
            fields={
                "currency": data.currency,
                "unit_amount_minor": data.unit_amount,
                "metadata": data.metadata,
                "tax_behavior": data.tax_behavior,
            },
            now=call.now,
            origin=origin(call),
        )
        product = catalog.update_product(
            product_id=product.pk, fields={"default_price_id": price.pk}, now=call.now, origin=origin(call)
        )
    return objects.product(product, livemode=call.caller.livemode)


@endpoint(permission="products:read", returns="product")
def retrieve_product(call: Call) -> dict[str, Any]:
    """Retrieve a product"""
    row = Product.objects.filter(pk=path_id(call, "prod"), deleted_at__isnull=True).first()
    if row is None:
        raise not_here(call, "prod")
    return objects.product(row, livemode=call.caller.livemode)


@endpoint(permission="products:write", params=UpdateProduct, returns="product")
def update_product(call: Call) -> dict[str, Any]:
    """Update a product"""
    columns = call.params.columns()
    if "default_price" in call.params.model_fields_set:
        named = call.params.default_price
        columns["default_price_id"] = named and paging.identifier("price", named, param="default_price")
    row = catalog.update_product(product_id=path_id(call, "prod"), fields=columns, now=call.now, origin=origin(call))
    return objects.product(row, livemode=call.caller.livemode)


@endpoint(permission="products:write", returns="deleted_product")
def delete_product(call: Call) -> dict[str, Any]:
    """Delete a product"""
    catalog.delete_product(product_id=path_id(call, "prod"), now=call.now, origin=origin(call))
    return {"id": call.path["id"], "object": "product", "deleted": True}


@endpoint(permission="products:read", params=ListProducts, returns="product", is_list=True)
def list_products(call: Call) -> dict[str, Any]:
    """List all products"""
    rows = Product.objects.filter(deleted_at__isnull=True)
    if call.params.active is not None:
        rows = rows.filter(is_active=call.params.active)
    if call.params.ids:
        rows = rows.filter(pk__in=[paging.identifier("prod", text, param="ids") for text in call.params.ids])
    return paging.page(
        rows,
        call.params,
        prefix="prod",
        url=call.url,
        render=lambda found: [objects.product(row, livemode=call.caller.livemode) for row in found],
    )


@endpoint(permission="prices:write", params=CreatePrice, returns="price")
def create_price(call: Call) -> dict[str, Any]:
    """Create a price"""
    check_step(call.params.unit_amount, call.params.currency, param="unit_amount")
    columns = call.params.given("active", "product", "unit_amount")
    row = catalog.create_price(
        product_id=paging.identifier("prod", call.params.product, param="product"),
        fields={**columns, "unit_amount_minor": call.params.unit_amount, "is_active": call.params.active},
        now=call.now,
        origin=origin(call),
    )
    return objects.price(row, livemode=call.caller.livemode)


@endpoint(permission="prices:read", returns="price")
def retrieve_price(call: Call) -> dict[str, Any]:
    """Retrieve a price"""
    row = Price.objects.filter(pk=path_id(call, "price")).first()
    if row is None:
        raise not_here(call, "price")
    return objects.price(row, livemode=call.caller.livemode)


@endpoint(permission="prices:write", params=UpdatePrice, returns="price")
def update_price(call: Call) -> dict[str, Any]:
    """Update a price"""
    columns = call.params.given("active")
    if "active" in call.params.model_fields_set:
        columns["is_active"] = call.params.active
    row = catalog.update_price(price_id=path_id(call, "price"), fields=columns, now=call.now, origin=origin(call))
    return objects.price(row, livemode=call.caller.livemode)


@endpoint(permission="prices:read", params=ListPrices, returns="price", is_list=True)
def list_prices(call: Call) -> dict[str, Any]:
    """List all prices"""
    rows = Price.objects.all()
    if call.params.active is not None:
        rows = rows.filter(is_active=call.params.active)
    if call.params.currency:
        rows = rows.filter(currency=call.params.currency)
    if call.params.lookup_keys:
        rows = rows.filter(lookup_key__in=call.params.lookup_keys)
    if call.params.product:
        rows = rows.filter(product_id=paging.identifier("prod", call.params.product, param="product"))
    return paging.page(
        rows,
        call.params,
        prefix="price",
        url=call.url,
        render=lambda found: [objects.price(row, livemode=call.caller.livemode) for row in found],
    )


urlpatterns = [
    door("products", GET=list_products, POST=create_product),
    door("products/<id>", GET=retrieve_product, POST=update_product, DELETE=delete_product),
    door("prices", GET=list_prices, POST=create_price),
    door("prices/<id>", GET=retrieve_price, POST=update_price),
]
