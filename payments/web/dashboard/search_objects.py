"""What the dashboard's search finds beside payments: customers, goods, and whatever an id of the API names.

An object without a page of its own leads to the page that tells of it: a price to its
product, an order or a checkout to its payment, a saved card to its customer. Each way of
looking is one statement that an index of the book answers.
"""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext as _

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from payments.catalog import queries as catalog
from payments.catalog.models import Price, Product
from payments.checkout.models import CheckoutSession
from payments.customers import queries as customers
from payments.customers.models import Customer, PaymentMethod
from payments.intents.models import PaymentIntent
from payments.orders.models import Order, OrderLine
from payments.webhooks.models import WebhookDelivery, WebhookEndpoint
from security.web.desk import Desk
from security.web.search import Hit

SHOWN_MAX = 8
# A single letter is the beginning of too much; a single character beyond Latin may be a family name.
BEGINNING_MIN = 2


def find(desk: Desk, text: str) -> list[Hit]:
    """The object that an id names; otherwise customers and products by how what they are called begins."""
    prefix = text.rpartition("_")[0]
    with tenancy.within(desk.book.pk):
        if prefix in _NAMED:
            action, of = _NAMED[prefix]
            identifier = _parsed(prefix, text)
            return of(desk, identifier) if identifier and desk.may(action) else []
        if len(text) < BEGINNING_MIN and text.isascii():
            return []
        return [*_customers(desk, text), *_products(desk, text)]


def _customers(desk: Desk, text: str) -> list[Hit]:
    if not desk.may("customer.view"):
        return []
    found = customers.found(text)
    rows = list(found.rows.order_by(found.column or "pk", "pk")[: SHOWN_MAX + 1])
    hits = [_customer(desk, row) for row in rows[:SHOWN_MAX]]
    if len(rows) > SHOWN_MAX:
        listed = f"{desk.url('customers')}?{urlencode({'q': text})}"
        hits.append(Hit(_("Customer"), _("All customers found by “%(text)s”") % {"text": text}, "", listed))
    return hits


def _products(desk: Desk, text: str) -> list[Hit]:
    if not desk.may("catalog.view"):
        return []
    return [_product(desk, row) for row in catalog.products(text=text).order_by("name_key", "pk")[:SHOWN_MAX]]


def _of_customer(desk: Desk, identifier: UUID) -> list[Hit]:
    return [_customer(desk, row, is_exact=True) for row in Customer.objects.filter(pk=identifier, deleted_at=None)]


def _of_method(desk: Desk, identifier: UUID) -> list[Hit]:
    rows = PaymentMethod.objects.filter(pk=identifier, customer__isnull=False).select_related("customer")
    return [_customer(desk, row.customer, is_exact=True) for row in rows if row.customer]


def _of_product(desk: Desk, identifier: UUID) -> list[Hit]:
    return [_product(desk, row, is_exact=True) for row in Product.objects.filter(pk=identifier, deleted_at=None)]


def _of_price(desk: Desk, identifier: UUID) -> list[Hit]:
    rows = Price.objects.filter(pk=identifier, product__deleted_at=None).select_related("product")
    return [_product(desk, row.product, is_exact=True) for row in rows]


def _of_order(desk: Desk, identifier: UUID) -> list[Hit]:
    order = Order.objects.filter(pk=identifier).first()
    return _payment_of(desk, order) if order else []


def _of_line(desk: Desk, identifier: UUID) -> list[Hit]:
    line = OrderLine.objects.filter(pk=identifier).select_related("order").first()
    return _payment_of(desk, line.order) if line else []


def _of_checkout(desk: Desk, identifier: UUID) -> list[Hit]:
    session = CheckoutSession.objects.filter(pk=identifier).select_related("order").first()
    return _payment_of(desk, session.order) if session else []


def _payment_of(desk: Desk, order: Order) -> list[Hit]:
    """The newest payment of an order; an order that nobody began to pay has no page."""
    intent = PaymentIntent.objects.filter(order=order).order_by("-pk").first()
    if intent is None:
        return []
    title = Money(intent.amount_minor, intent.currency).text(locale())
    url = desk.url("payment", payment=ids.show("pi", intent.pk))
    return [Hit(_("Payment"), title, order.reference or "", url, is_exact=True)]


def _of_event(desk: Desk, identifier: UUID) -> list[Hit]:
    return [
        Hit(_("Event"), row.type, row.object_id, desk.url("event", event=ids.show("evt", row.pk)), is_exact=True)
        for row in Event.objects.filter(pk=identifier, is_public=True)
    ]


def _of_endpoint(desk: Desk, identifier: UUID) -> list[Hit]:
    rows = WebhookEndpoint.objects.filter(pk=identifier, deleted_at=None)
    return [
        Hit(_("Webhook"), row.url, "", desk.url("webhook", webhook=ids.show("we", row.pk)), is_exact=True)
        for row in rows
    ]


def _of_delivery(desk: Desk, identifier: UUID) -> list[Hit]:
    rows = WebhookDelivery.objects.filter(pk=identifier, endpoint__deleted_at=None).select_related("endpoint")
    return [
        Hit(
            _("Delivery"),
            row.endpoint.url,
            "",
            desk.url("webhook_delivery", webhook=ids.show("we", row.endpoint_id), delivery=ids.show("whd", row.pk)),
            is_exact=True,
        )
        for row in rows
    ]


def _customer(desk: Desk, row: Customer, *, is_exact: bool = False) -> Hit:
    shown = ids.show("cus", row.pk)
    told = row.email or row.phone or ""
    return Hit(_("Customer"), row.name or told or shown, told, desk.url("customer", customer=shown), is_exact)


def _product(desk: Desk, row: Product, *, is_exact: bool = False) -> Hit:
    url = desk.url("product", product=ids.show("prod", row.pk))
    return Hit(_("Product"), row.name, row.category, url, is_exact)


def _parsed(prefix: str, text: str) -> UUID | None:
    try:
        return ids.parse(prefix, text)
    except ids.MalformedId:
        return None


Finder = Callable[[Desk, UUID], list[Hit]]
# By the prefix of an id: the action that a role needs to see the page, and who finds it.
_NAMED: dict[str, tuple[str, Finder]] = {
    "cs_live": ("payment.view", _of_checkout),
    "cs_test": ("payment.view", _of_checkout),
    "cus": ("customer.view", _of_customer),
    "evt": ("event.view", _of_event),
    "li": ("payment.view", _of_line),
    "ord": ("payment.view", _of_order),
    "pm": ("customer.view", _of_method),
    "price": ("catalog.view", _of_price),
    "prod": ("catalog.view", _of_product),
    "we": ("webhook.view", _of_endpoint),
    "whd": ("webhook.view", _of_delivery),
}
