"""What `expand[]` can open, and how: one statement a kind, however many ids."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Model

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.api.expand import expandable, includable, loader, passable
from payments.api import balance, charges, checkout_sessions, orders, refunds
from payments.catalog import objects as catalog
from payments.catalog.models import Price, Product
from payments.customers import objects as customers
from payments.customers.models import Customer, PaymentMethod
from payments.intents import objects as intents
from payments.intents.models import PaymentIntent, Refund, SetupIntent
from payments.ledger import queries as ledger
from payments.orders.models import Order
from security.merchants import queries as merchants

Render = Callable[[Sequence[Any]], list[dict[str, Any]]]


def _by_id(model: type[Model], prefix: str, render: Render) -> Callable[[Sequence[str]], dict[str, dict[str, Any]]]:
    def load(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
        rows = list(model._default_manager.filter(pk__in=[ids.parse(prefix, text) for text in texts]))
        return {shown["id"]: shown for shown in render(rows)}

    return load


def _livemode() -> bool:
    return merchants.is_live(tenancy.book_id())


def _now() -> Any:
    return clock.effective(merchants.book(tenancy.book_id()).clock_at)


def _each(render: Callable[..., dict[str, Any]]) -> Render:
    def render_all(rows: Sequence[Any]) -> list[dict[str, Any]]:
        livemode = _livemode()
        return [render(row, livemode=livemode) for row in rows]

    return render_all


def _customers(rows: Sequence[Customer]) -> list[dict[str, Any]]:
    livemode = _livemode()
    return [
        customers.deleted("customer", ids.show("cus", row.pk))
        if row.deleted_at
        else customers.customer(row, livemode=livemode)
        for row in rows
    ]


def _transactions(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    now = _now()
    rows = ledger.entries(balance.KINDS).filter(pk__in=[ids.parse("txn", text) for text in texts])
    return {shown["id"]: shown for shown in (balance.render(row, now=now) for row in rows)}


def _charges(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    livemode = _livemode()
    rows = charges.rows().filter(pk__in=[ids.parse("ch", text) for text in texts])
    found = [charges.shown(row, livemode=livemode) for row in rows]
    return {shown["id"]: shown for shown in found}


def _source(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    charged = [text for text in texts if text.startswith("ch_")]
    refunded = [text for text in texts if text.startswith("re_")]
    return _charges(charged) | _by_id(Refund, "re", refunds.render)(refunded)


loader("charge", _charges)
loader("customer", _by_id(Customer, "cus", _customers))
loader("payment_intent", _by_id(PaymentIntent, "pi", _each(intents.payment_intent)))
loader("setup_intent", _by_id(SetupIntent, "seti", _each(intents.setup_intent)))
loader("payment_method", _by_id(PaymentMethod, "pm", _each(customers.payment_method)))
loader("price", _by_id(Price, "price", _each(catalog.price)))
loader("product", _by_id(Product, "prod", _each(catalog.product)))
loader("order", _by_id(Order, "ord", lambda rows: orders.render_rows(rows, livemode=_livemode())))
loader("balance_transaction", _transactions)
loader("source", _source)

loader("line_items", checkout_sessions.included_lines)

expandable("checkout.session", customer="customer", order="order", payment_intent="payment_intent")
expandable("discount", customer="customer")
passable("checkout.session", "discounts", "total_details")
passable("discount", "source")
passable("item", "discounts")
passable("list", "data")
# Parts that have no name of their own.
passable("", "breakdown", "discount", "discounts")
includable("checkout.session", line_items="line_items")
expandable("item", price="price")
expandable(
    "payment_intent",
    customer="customer",
    latest_charge="charge",
    order="order",
    payment_method="payment_method",
)
expandable(
    "charge",
    balance_transaction="balance_transaction",
    customer="customer",
    payment_intent="payment_intent",
)
expandable(
    "refund", balance_transaction="balance_transaction", failure_balance_transaction="balance_transaction",
    charge="charge", payment_intent="payment_intent",
    payment_method="payment_method",
)  # fmt: skip
expandable("setup_intent", customer="customer", payment_method="payment_method")
expandable("balance_transaction", source="source")
expandable("order", customer="customer")
expandable("payment_method", customer="customer")
expandable("price", product="product")
expandable("product", default_price="price")
