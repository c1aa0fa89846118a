"""Orders as the API shows them."""

from collections.abc import Sequence
from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.orders.models import Order, OrderLine


def order(row: Order, lines: Sequence[OrderLine], *, livemode: bool) -> dict[str, Any]:
    identifier = ids.show("ord", row.pk)
    return {
        "id": identifier,
        "object": "order",
        "amount_due": row.owed_minor,
        "amount_paid": row.paid_minor,
        "amount_refunded": row.refunded_minor,
        "amount_tendered": row.tendered_minor,
        "amount_total": row.total_minor,
        "created": unix(row.created_at),
        "currency": row.currency.lower(),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "lines": {
            "object": "list",
            "data": [_line(line, row.currency) for line in lines],
            "has_more": False,
            "url": f"/v1/orders/{identifier}/lines",
        },
        "livemode": livemode,
        "metadata": row.metadata,
        "reference": row.reference,
        "status": row.status,
        "store": ids.show("sto", row.store_id) if row.store_id else None,
    }


def _line(row: OrderLine, currency: str) -> dict[str, Any]:
    return {
        "id": ids.show("li", row.pk),
        "object": "order_line",
        "amount": row.amount_minor,
        "amount_discount": row.discount_minor,
        "amount_refunded": row.refunded_minor,
        "amount_tax": row.tax_minor,
        "category": row.category or None,
        "currency": currency.lower(),
        "description": row.description,
        "price": ids.show("price", row.price_id) if row.price_id else None,
        "product": ids.show("prod", row.product_id) if row.product_id else None,
        "quantity": row.quantity,
        "quantity_refunded": row.refunded_quantity,
        "unit_amount": row.unit_price_minor,
    }
