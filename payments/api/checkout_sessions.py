"""/v1/checkout/sessions"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from pydantic import AfterValidator

from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import (
    Boolean,
    Currency,
    Emptied,
    Id,
    Integer,
    InvalidParameter,
    Listed,
    ListParams,
    Metadata,
    Nested,
    Params,
    UpTo,
    check_step,
)
from merchant_platform.kernel.errors import missing
from merchant_platform.kernel.metadata import merge
from payments.api.addresses import origin
from payments.api.catalog import PriceAmount
from payments.api.customers import Email
from payments.api.fields import Shipping, web_address
from payments.api.orders import LINES_MAX, Quantity
from payments.api.payment_intent_params import MethodType
from payments.catalog.models import Price, Product
from payments.checkout import objects, ports
from payments.checkout import operations as checkout
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.checkout.paying import methods_for
from payments.customers import operations as customers
from payments.orders import operations as orders
from payments.orders.models import OrderLine

# Stripe's own list: the page speaks the two languages it has, by the nearer one.
Locale = Literal[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv",
    "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
]  # fmt: skip

WebAddress = Annotated[str, UpTo(5_000), AfterValidator(web_address)]


class ProductData(Nested):
    description: Emptied[Annotated[str, UpTo(500)]] = None
    images: Listed[Annotated[str, UpTo(2048)]] = []
    metadata: Metadata = {}
    name: Annotated[str, UpTo(250)]


class LinePriceData(Nested):
    currency: Currency
    product: Id | None = None
    product_data: ProductData | None = None
    tax_behavior: Literal["exclusive", "inclusive", "unspecified"] = "unspecified"
    unit_amount: PriceAmount


class LineItem(Nested):
    price: Id | None = None
    price_data: LinePriceData | None = None
    quantity: Quantity = 1


class IntentData(Nested):
    capture_method: Literal["automatic", "automatic_async"] | None = None
    description: Emptied[Annotated[str, UpTo(1000)]] = None
    metadata: Metadata = {}
    receipt_email: Emptied[Email] = None
    shipping: Emptied[Shipping] = None
    statement_descriptor: Emptied[Annotated[str, UpTo(22)]] = None
    statement_descriptor_suffix: Emptied[Annotated[str, UpTo(22)]] = None
    transfer_group: Emptied[Id] = None

    def columns(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in self.model_fields_set if name != "metadata"}
        if self.shipping is not None:
            given["shipping"] = self.shipping.model_dump()
        return {name: value for name, value in given.items() if value is not None}


class SessionDiscount(Nested):
    coupon: Id | None = None
    promotion_code: Id | None = None


class CreateSession(Params):
    allow_promotion_codes: Boolean | None = None
    cancel_url: WebAddress | None = None
    client_reference_id: Emptied[Annotated[str, UpTo(200)]] = None
    currency: Currency | None = None
    customer: Id | None = None
    # Ours: the server signed the customer in, so that whoever is sent to the page may use what is theirs.
    customer_authenticated: Boolean | None = None
    customer_email: Emptied[Email] = None
    discounts: Listed[SessionDiscount] = []
    expires_at: Integer | None = None
    line_items: Listed[LineItem]
    locale: Locale | None = None
    metadata: Metadata = {}
    mode: Literal["payment"]
    payment_intent_data: IntentData | None = None
    payment_method_types: Listed[MethodType] = []
    submit_type: Literal["auto", "book", "donate", "pay"] | None = None
    success_url: WebAddress
    ui_mode: Literal["hosted_page"] = "hosted_page"


class UpdateSession(Params):
    metadata: Metadata = {}


class ListSessions(ListParams):
    customer: Id | None = None
    payment_intent: Id | None = None
    status: Literal["complete", "expired", "open"] | None = None


class ListLines(ListParams):
    pass


@endpoint(permission="checkout_sessions:write", params=CreateSession, returns="checkout.session")
def create(call: Call) -> dict[str, Any]:
    """Create a checkout session"""
    params = call.params
    if not 1 <= len(params.line_items) <= LINES_MAX:
        raise InvalidParameter(f"A session has 1 to {LINES_MAX} line items.", param="line_items")
    if params.customer and params.customer_email:
        raise InvalidParameter(
            "You may only specify one of these parameters: customer, customer_email.", code="parameters_exclusive"
        )
    if params.customer_authenticated and not params.customer:
        raise InvalidParameter(
            "Name the customer whom you signed in: customer_authenticated goes with customer.",
            code="parameter_missing",
            param="customer",
        )
    available = methods_for(is_live=call.caller.livemode)
    intent_data = params.payment_intent_data or IntentData()
    drafts, currency = _drafts(params)
    session = checkout.create(
        terms=checkout.Terms(
            currency=currency,
            lines=drafts,
            success_url=params.success_url,
            payment_method_types=[*dict.fromkeys(params.payment_method_types or available)],
            customer_id=customers.find(paging.identifier("cus", params.customer, param="customer"), param="customer").pk
            if params.customer
            else None,
            is_customer_proven=bool(params.customer_authenticated),
            expires_at=clock.from_unix(_seconds(params.expires_at)) if params.expires_at is not None else None,
            metadata=merge({}, params.metadata),
            grants=_grants(params),
            details={
                "allows_codes": params.allow_promotion_codes,
                "cancel_url": params.cancel_url,
                "client_reference_id": params.client_reference_id,
                "customer_email": params.customer_email,
                "locale": params.locale,
                "submit_type": params.submit_type,
                "payment_details": intent_data.columns(),
                "payment_metadata": merge({}, intent_data.metadata),
            },
        ),
        now=call.now,
        origin=origin(call),
    )
    return _shown(session)


@endpoint(permission="checkout_sessions:read", returns="checkout.session")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a checkout session"""
    return _shown(_here(call))


@endpoint(permission="checkout_sessions:write", params=UpdateSession, returns="checkout.session")
def update(call: Call) -> dict[str, Any]:
    """Update a checkout session"""
    session = checkout.update(
        session_id=_id(call),
        metadata=call.params.metadata if "metadata" in call.params.model_fields_set else None,
        moment=_moment(call),
        origin=origin(call),
    )
    return _shown(session)


@endpoint(permission="checkout_sessions:write", returns="checkout.session")
def expire(call: Call) -> dict[str, Any]:
    """Expire a checkout session"""
    return _shown(checkout.expire(session_id=_id(call), moment=_moment(call), origin=origin(call)))


@endpoint(permission="checkout_sessions:read", params=ListSessions, returns="checkout.session", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all checkout sessions"""
    for due in checkout.due(now=call.now):
        checkout.look_after(session_id=due, moment=_moment(call), origin=origin(call))
    params = call.params
    rows: QuerySet[CheckoutSession] = CheckoutSession.objects.select_related("order")
    if params.customer:
        rows = rows.filter(customer_id=paging.identifier("cus", params.customer, param="customer"))
    if params.payment_intent:
        rows = rows.filter(intent_id=paging.identifier("pi", params.payment_intent, param="payment_intent"))
    if params.status:
        rows = rows.filter(status=params.status)
    return paging.page(
        rows, params, prefix=_prefix(call), url=call.url, render=lambda found: [_shown(row) for row in found]
    )


@endpoint(permission="checkout_sessions:read", params=ListLines, returns="item", is_list=True)
def list_lines(call: Call) -> dict[str, Any]:
    """List a checkout session's line items"""
    return lines_page(_here(call), call.params, url=call.url)


def lines_page(session: CheckoutSession, params: ListParams, *, url: str) -> dict[str, Any]:
    """A session's lines in the order in which they were given."""
    rows = OrderLine.objects.select_related("price__product").filter(order_id=session.order_id)
    if params.starting_after:
        rows = rows.filter(pk__gt=paging.identifier("li", params.starting_after, param="starting_after"))
    if params.ending_before:
        rows = rows.filter(pk__lt=paging.identifier("li", params.ending_before, param="ending_before"))
        found = list(rows.order_by("-pk")[: params.limit + 1])
        shown = found[: params.limit][::-1]
    else:
        found = list(rows.order_by("pk")[: params.limit + 1])
        shown = found[: params.limit]
    currency = session.order.currency
    return {
        "object": "list",
        "data": [objects.line_item(line, session, currency=currency) for line in shown],
        "has_more": len(found) > params.limit,
        "url": url,
    }


def included_lines(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`expand[]=line_items`: the lines of sessions, by the sessions' ids."""
    found = {}
    for text in texts:
        prefix, _, _ = text.rpartition("_")
        session = CheckoutSession.objects.select_related("order").get(pk=ids.parse(prefix, text))
        found[text] = lines_page(session, ListParams(), url=f"/v1/checkout/sessions/{text}/line_items")
    return found


def _grants(params: CreateSession) -> list[ports.Grant]:
    """What the request attaches. Raises InvalidParameter."""
    if not params.discounts:
        return []
    if params.allow_promotion_codes is not None:
        raise InvalidParameter(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.",
            code="parameters_exclusive",
            param="allow_promotion_codes",
        )
    if len(params.discounts) > 1:
        raise InvalidParameter("A session takes one discount.", param="discounts")
    (given,) = params.discounts
    if (given.coupon is None) == (given.promotion_code is None):
        raise InvalidParameter(
            "You must specify one of these parameters: coupon, promotion_code, and not both.",
            code="parameter_missing" if given.coupon is None else "parameters_exclusive",
            param="discounts[0]",
        )
    if ports.discounts() is None:
        raise InvalidParameter("Nobody gives discounts on this platform.", param="discounts")
    return [ports.Grant(coupon=given.coupon, promotion_code=given.promotion_code)]


def _drafts(params: CreateSession) -> tuple[list[orders.LineDraft], str]:
    prices = _named(Price.objects.select_related("product"), "price", [(n, item.price, f"line_items[{n}][price]")
        for n, item in enumerate(params.line_items) if item.price])  # fmt: skip
    products = _named(Product.objects.filter(deleted_at__isnull=True), "prod", [
        (n, item.price_data.product, f"line_items[{n}][price_data][product]")
        for n, item in enumerate(params.line_items) if item.price_data and item.price_data.product])  # fmt: skip
    drafts, currency = [], params.currency
    for n, item in enumerate(params.line_items):
        param = f"line_items[{n}]"
        if bool(item.price) == (item.price_data is not None):
            raise InvalidParameter(
                "A line item has either a price or price_data.", code="parameters_exclusive", param=param
            )
        data = item.price_data
        if data is None:
            drafts.append(orders.LineDraft(quantity=item.quantity, price=prices[n]))
            currency = currency or prices[n].currency
            continue
        if bool(data.product) == (data.product_data is not None):
            raise InvalidParameter(
                "Price data has either a product or product_data.",
                code="parameters_exclusive",
                param=f"{param}[price_data]",
            )
        currency = currency or data.currency
        if data.currency != currency:
            raise InvalidParameter(
                f"All line items are in one currency: this one is in {data.currency.lower()}, the session in "
                f"{currency.lower()}.",
                param=f"{param}[price_data][currency]",
            )
        check_step(data.unit_amount, currency, param=f"{param}[price_data][unit_amount]")
        drafts.append(
            orders.LineDraft(
                quantity=item.quantity,
                product=products.get(n),
                description=data.product_data.name if data.product_data else "",
                unit_price_minor=data.unit_amount,
            )
        )
    assert currency is not None, "every line has one"
    return drafts, currency


def _named(rows: QuerySet[Any], prefix: str, wanted: Sequence[tuple[int, str, str]]) -> dict[int, Any]:
    """The rows that lines name, by the line's position. Raises InvalidParameter for one that is not here."""
    identifiers = {n: paging.identifier(prefix, text, param=param) for n, text, param in wanted}
    found = {row.pk: row for row in rows.filter(pk__in=set(identifiers.values()))}
    for n, text, param in wanted:
        if identifiers[n] not in found:
            raise InvalidParameter(f"No such {ids.kind(prefix)}: '{text}'", code="resource_missing", param=param)
    return {n: found[identifier] for n, identifier in identifiers.items()}


def _seconds(given: int) -> int:
    if not 0 <= given <= 4_102_444_800:  # the year 2100: no session is open that long
        raise InvalidParameter(
            "The expires_at timestamp must be between 30 minutes and 24 hours from now.", param="expires_at"
        )
    return given


def _here(call: Call) -> CheckoutSession:
    """The session in the address, as it now is."""
    return checkout.look_after(session_id=_id(call), moment=_moment(call), origin=origin(call))


def _id(call: Call) -> UUID:
    """The id in the address. Raises NotFound for another mode's, another book's, and for what is no id."""
    text = call.path["id"]
    try:
        identifier = ids.parse(_prefix(call), text)
    except ids.MalformedId as error:
        raise missing("checkout.session", text[:100]) from error
    if not CheckoutSession.objects.filter(pk=identifier).exists():
        raise missing("checkout.session", text)
    return identifier


def _prefix(call: Call) -> str:
    return "cs_live" if call.caller.livemode else "cs_test"


def _moment(call: Call) -> Moment:
    return Moment(now=call.now, recorded=clock.wall())


def _shown(session: CheckoutSession) -> dict[str, Any]:
    return objects.session(session, session.order, email=checkout.email_of(session))


urlpatterns = [
    door("checkout/sessions", GET=list_, POST=create),
    door("checkout/sessions/<id>", GET=retrieve, POST=update),
    door("checkout/sessions/<id>/expire", POST=expire),
    door("checkout/sessions/<id>/line_items", GET=list_lines),
]
