"""Checkout sessions and their lines as the API shows them. Pure: from rows to plain objects."""

from typing import Any

from django.conf import settings

from merchant_platform.kernel import ids
from merchant_platform.kernel.clock import unix
from payments.catalog import objects as catalog
from payments.checkout import states
from payments.checkout.models import CheckoutSession
from payments.orders.models import Order, OrderLine


def address(row: CheckoutSession) -> str:
    """Where the payer pays."""
    return f"{settings.PUBLIC_URL}/pay/{row.code}"


def session(row: CheckoutSession, order: Order, *, email: str | None = None) -> dict[str, Any]:
    """`order` is the session's; `email` the payer's where the request named none."""
    known_email = row.customer_email or email
    discount_minor = sum(each["amount"] for each in row.discounts)
    return {
        "id": row.shown_id,
        "object": "checkout.session",
        "adaptive_pricing": None,
        "after_expiration": None,
        "allow_promotion_codes": row.allows_codes,
        "allowed_payment_method_types": None,
        "amount_subtotal": order.total_minor + discount_minor,
        "amount_total": order.total_minor,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "branding_settings": None,
        "cancel_url": row.cancel_url,
        "client_reference_id": row.client_reference_id,
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": unix(row.created_at),
        "currency": order.currency.lower(),
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "customer_account": None,
        "customer_authenticated": row.is_customer_proven,
        "customer_creation": None if row.customer_id else "if_required",
        "customer_details": {
            "address": None,
            "business_name": None,
            "email": known_email,
            "individual_name": None,
            "name": None,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": None,
        }
        if known_email
        else None,
        "customer_email": row.customer_email,
        "discounts": _attached(row),
        "excluded_payment_method_types": None,
        "expires_at": unix(row.expires_at),
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": None,
        # Filled where expand[] asks for them.
        "line_items": None,
        "livemode": row.is_live,
        "locale": row.locale,
        "managed_payments": None,
        "metadata": row.metadata,
        "mode": "payment",
        "name_collection": None,
        "optional_items": [],
        "order": ids.show("ord", row.order_id),
        "origin_context": None,
        "payment_intent": ids.show("pi", row.intent_id) if row.intent_id else None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": row.payment_method_types,
        "payment_status": states.PAID if row.is_complete else states.UNPAID,
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "presentment_details": None,
        "recovered_from": None,
        "redirect_on_completion": None,
        "return_url": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": row.status,
        "submit_type": row.submit_type,
        "subscription": None,
        "success_url": row.success_url,
        "tax_id_collection": None,
        "total_details": {
            "amount_discount": discount_minor,
            "amount_shipping": 0,
            "amount_tax": 0,
            "breakdown": {
                "discounts": [{"amount": each["amount"], "discount": _discount(row, each)} for each in row.discounts],
                "taxes": [],
            },
        },
        "ui_mode": "hosted_page",
        "url": address(row) if row.is_open else None,
        "wallet_options": None,
    }


def line_item(line: OrderLine, row: CheckoutSession, *, currency: str) -> dict[str, Any]:
    """One line of the session's order, with the whole price where it came from the catalogue."""
    identifier = ids.show("li", line.pk)
    return {
        "id": identifier,
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": line.discount_minor,
        "amount_subtotal": line.quantity * line.unit_price_minor,
        "amount_tax": line.tax_minor,
        "amount_total": line.amount_minor,
        "currency": currency.lower(),
        "description": line.description,
        "discounts": [
            {"amount": each["lines"][identifier], "discount": _discount(row, each)}
            for each in row.discounts
            if identifier in each["lines"]
        ],
        "metadata": {},
        "price": catalog.price(line.price, livemode=row.is_live) if line.price else None,
        "quantity": line.quantity,
        "taxes": [],
    }


def _attached(row: CheckoutSession) -> list[dict[str, Any]]:
    """What the merchant attached, then what the payer's codes brought: a coupon, or a code of one."""
    brought = [
        {"coupon": None, "promotion_code": each["promotion_code"]}
        for each in row.discounts
        if each["promotion_code"] is not None
    ]
    return [*row.granted, *(each for each in brought if each not in row.granted)]


def _discount(row: CheckoutSession, discount: dict[str, Any]) -> dict[str, Any]:
    """One application of a coupon, as Stripe knows it; of an offer that applies by itself it has no coupon."""
    return {
        "id": discount["id"],
        "object": "discount",
        "checkout_session": row.shown_id,
        "customer": ids.show("cus", row.customer_id) if row.customer_id else None,
        "customer_account": None,
        "end": None,
        "invoice": None,
        "invoice_item": None,
        "offer": discount["offer"],
        "promotion_code": discount["promotion_code"],
        "source": {"coupon": discount["coupon"], "type": "coupon"},
        "start": discount["start"],
        "subscription": None,
        "subscription_item": None,
    }
