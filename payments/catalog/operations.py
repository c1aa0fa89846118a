"""Keep the catalogue: products and prices."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids, tenancy, versions
from merchant_platform.kernel.errors import Invalid, missing
from merchant_platform.kernel.events.outbox import changed, publish, row
from merchant_platform.kernel.metadata import merge
from payments.catalog import objects
from payments.catalog.models import Price, Product, name_key
from payments.origin import Origin


class ProductInUse(Invalid):
    """A product that has prices cannot be deleted, only made inactive."""

    code = "product_in_use"


class LookupKeyTaken(Invalid):
    """Another price has this lookup key."""

    code = "resource_already_exists"


def create_product(*, fields: dict[str, Any], now: datetime, origin: Origin) -> Product:
    """Add a product. This will write it and tell `product.created`."""
    metadata = merge({}, fields.pop("metadata", None))
    product = Product.objects.create(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        created_at=now,
        updated_at=now,
        metadata=metadata,
        name_key=name_key(fields["name"]),
        **fields,
    )
    publish(row("product.created", objects.product(product, livemode=origin.livemode), now=now, **origin.tags))
    return product


def create_priced(
    *, fields: dict[str, Any], prices: Sequence[dict[str, Any]], now: datetime, origin: Origin
) -> Product:
    """Add a product with its prices, the first of which is its default. This will tell of each. Raises Invalid."""
    product = create_product(fields=fields, now=now, origin=origin)
    made = [create_price(product_id=product.pk, fields=dict(each), now=now, origin=origin) for each in prices]
    if not made:
        return product
    return update_product(product_id=product.pk, fields={"default_price_id": made[0].pk}, now=now, origin=origin)


def update_product(
    *, product_id: UUID, fields: dict[str, Any], now: datetime, origin: Origin, seen: str | None = None
) -> Product:
    """Change a product. This will write the given fields and tell `product.updated`, unless nothing changes.

    `seen` is the version that the change was made of. Raises NotFound, and ChangedMeanwhile
    where it is not the present one.
    """
    product = _locked_product(product_id)
    before = objects.product(product, livemode=origin.livemode)
    versions.check_seen(seen, versions.of(before))
    if "metadata" in fields:
        fields["metadata"] = merge(product.metadata, fields["metadata"])
    if (
        fields.get("default_price_id")
        and not Price.objects.filter(pk=fields["default_price_id"], product_id=product_id).exists()
    ):
        raise missing("price", ids.show("price", fields["default_price_id"]), param="default_price")
    if "name" in fields:
        fields["name_key"] = name_key(fields["name"])
    for name, value in fields.items():
        setattr(product, name, value)
    previous = changed(before, objects.product(product, livemode=origin.livemode))
    if previous:
        product.updated_at = now
        product.save(update_fields=[*fields, "updated_at"])
        after = objects.product(product, livemode=origin.livemode)
        publish(row("product.updated", after, previous=changed(before, after), now=now, **origin.tags))
    return product


def delete_product(*, product_id: UUID, now: datetime, origin: Origin) -> Product:
    """Delete a product that was never priced. This will hide it and tell `product.deleted`.

    Raises NotFound and ProductInUse.
    """
    product = _locked_product(product_id)
    if Price.objects.filter(product_id=product_id).exists():
        raise ProductInUse("This product has prices: make it inactive instead (active=false).", param="id")
    product.deleted_at = now
    product.save(update_fields=["deleted_at"])
    publish(row("product.deleted", objects.product(product, livemode=origin.livemode), now=now, **origin.tags))
    return product


def create_price(*, product_id: UUID, fields: dict[str, Any], now: datetime, origin: Origin) -> Price:
    """Price a product. This will write the price and tell `price.created`. Raises Invalid and LookupKeyTaken."""
    if not Product.objects.filter(pk=product_id, deleted_at__isnull=True).exists():
        raise missing("product", ids.show("prod", product_id), param="product")
    metadata = merge({}, fields.pop("metadata", None))
    try:
        with transaction.atomic():
            price = Price.objects.create(
                id=ids.new(now),
                book_id=tenancy.book_id(),
                product_id=product_id,
                created_at=now,
                metadata=metadata,
                **fields,
            )
    except IntegrityError as error:
        raise LookupKeyTaken("A price with this lookup key exists.", param="lookup_key") from error
    publish(row("price.created", objects.price(price, livemode=origin.livemode), now=now, **origin.tags))
    return price


def add_price(*, product_id: UUID, fields: dict[str, Any], now: datetime, origin: Origin) -> Price:
    """Price a product that is there; a first price becomes its default. This will tell of both.

    Raises Invalid and LookupKeyTaken.
    """
    product = _locked_product(product_id)
    price = create_price(product_id=product_id, fields=fields, now=now, origin=origin)
    if product.default_price_id is None:
        update_product(product_id=product_id, fields={"default_price_id": price.pk}, now=now, origin=origin)
    return price


def update_price(*, price_id: UUID, fields: dict[str, Any], now: datetime, origin: Origin) -> Price:
    """Change a price's details. This will write them and tell `price.updated`. Raises NotFound and LookupKeyTaken.

    Where nothing changes, nothing is written or told.
    """
    price = Price.objects.select_for_update().filter(pk=price_id).first()
    if price is None:
        raise missing("price", ids.show("price", price_id))
    before = objects.price(price, livemode=origin.livemode)
    if "metadata" in fields:
        fields["metadata"] = merge(price.metadata, fields["metadata"])
    for name, value in fields.items():
        setattr(price, name, value)
    after = objects.price(price, livemode=origin.livemode)
    previous = changed(before, after)
    if not previous:
        return price
    try:
        with transaction.atomic():
            price.save(update_fields=list(fields))
    except IntegrityError as error:
        raise LookupKeyTaken("A price with this lookup key exists.", param="lookup_key") from error
    publish(row("price.updated", after, previous=previous, now=now, **origin.tags))
    return price


def _locked_product(product_id: UUID) -> Product:
    product = Product.objects.select_for_update().filter(pk=product_id, deleted_at__isnull=True).first()
    if product is None:
        raise missing("product", ids.show("prod", product_id))
    return product
