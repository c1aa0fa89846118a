"""Products and prices as the API shows them."""

from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.catalog.models import Price, Product


def product(row: Product, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("prod", row.pk),
        "object": "product",
        "active": row.is_active,
        "category": row.category or None,
        "cost_minor": row.cost_minor,
        "created": unix(row.created_at),
        "default_price": ids.show("price", row.default_price_id) if row.default_price_id else None,
        "description": row.description,
        "images": row.images,
        "livemode": livemode,
        "marketing_features": [],
        "metadata": row.metadata,
        "name": row.name,
        "package_dimensions": None,
        "shippable": row.shippable,
        "statement_descriptor": row.statement_descriptor,
        "tax_code": None,
        "type": "good",
        "unit_label": row.unit_label,
        "updated": unix(row.updated_at),
        "url": row.url,
    }


def price(row: Price, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("price", row.pk),
        "object": "price",
        "active": row.is_active,
        "billing_scheme": "per_unit",
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "custom_unit_amount": None,
        "livemode": livemode,
        "lookup_key": row.lookup_key,
        "metadata": row.metadata,
        "nickname": row.nickname,
        "product": ids.show("prod", row.product_id),
        "recurring": None,
        "tax_behavior": row.tax_behavior,
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": row.unit_amount_minor,
        "unit_amount_decimal": str(row.unit_amount_minor),
    }
