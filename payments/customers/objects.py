"""Customers and payment methods as the API shows them."""

from typing import Any

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.customers.models import Customer, PaymentMethod

NO_BILLING_DETAILS = {"address": None, "email": None, "name": None, "phone": None, "tax_id": None}


def customer(row: Customer, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("cus", row.pk),
        "object": "customer",
        "address": row.address,
        "balance": 0,
        "business_name": None,
        "created": unix(row.created_at),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": row.description,
        "discount": None,
        "email": row.email,
        "individual_name": None,
        "invoice_prefix": None,
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": ids.show("pm", row.default_method_id) if row.default_method_id else None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": livemode,
        "metadata": row.metadata,
        "name": row.name,
        "next_invoice_sequence": 1,
        "phone": row.phone,
        "preferred_locales": row.preferred_locales,
        "shipping": row.shipping,
        "tax": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def deleted(kind: str, identifier: str) -> dict[str, Any]:
    return {"id": identifier, "object": kind, "deleted": True}


def payment_method(row: PaymentMethod, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": ids.show("pm", row.pk),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {**NO_BILLING_DETAILS, **row.billing_details},
        "created": unix(row.created_at),
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "livemode": livemode,
        "metadata": row.metadata,
        "type": row.type,
        row.type: _card(row.card or {})
        if row.type == "card"
        else {"mandate": ids.show("mandate", row.mandate_id) if row.mandate_id else None},
    }


def _card(card: dict[str, Any]) -> dict[str, Any]:
    return {
        "brand": card["brand"],
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": card.get("cvc_check"),
        },
        "country": card["country"],
        "display_brand": card["brand"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "generated_from": None,
        "last4": card["last4"],
        "networks": {"available": [card["brand"]], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
