"""Keep customers and their payment methods."""

from datetime import datetime
from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids, tenancy, versions
from merchant_platform.kernel.errors import Declined, Invalid, WrongState, missing
from merchant_platform.kernel.events.outbox import changed, publish, row
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.writes import Writes, writing
from payments.customers import finding, objects
from payments.customers.models import Customer, PaymentMethod
from payments.origin import Origin
from payments.search import terms
from payments.wallets import operations as wallets
from payments.wallets.models import Mandate
from security.vault import operations as vault
from security.vault.cards import CardUnusable, ClearCard


class MethodInUse(Invalid):
    """The payment method belongs to another customer."""

    code = "payment_method_unexpected_state"


class CardRefused(Declined):
    """What stands on the card cannot be right: the number, its expiry or its security code."""

    code = "incorrect_number"


class CardGone(WrongState):
    """The card was destroyed."""

    code = "payment_method_unexpected_state"


class MethodDetached(WrongState):
    """A detached payment method cannot be used again."""

    code = "payment_method_unexpected_state"


DEFAULT_METHOD = "invoice_settings[default_payment_method]"
# The issuer's country, which only the issuer's own table tells; a scheme's test cards have one.
COUNTRY_OF_TEST_CARDS = {"visa": "US", "mastercard": "US", "amex": "US", "unionpay": "CN"}


def create(*, fields: dict[str, Any], now: datetime, origin: Origin) -> Customer:
    """Add a customer. This will write it and tell `customer.created`."""
    fields["metadata"] = merge({}, fields.get("metadata"))
    if fields.get("default_method_id"):
        raise Invalid("Attach the payment method to the customer first.", param=DEFAULT_METHOD)
    customer = Customer(id=ids.new(now), book_id=tenancy.book_id(), created_at=now, **fields, **finding.keys_of(fields))
    customer.save(force_insert=True)
    terms.add("customer", customer.pk, customer.metadata)
    publish(row("customer.created", objects.customer(customer, livemode=origin.livemode), now=now, **origin.tags))
    return customer


def update(
    *, customer_id: UUID, fields: dict[str, Any], now: datetime, origin: Origin, seen: str | None = None
) -> Customer:
    """Change a customer. This will write the given fields and tell `customer.updated`, unless nothing changes.

    `seen` is the version that the change was made of. Raises NotFound, and ChangedMeanwhile
    where it is not the present one.
    """
    customer = _locked(customer_id)
    before = objects.customer(customer, livemode=origin.livemode)
    versions.check_seen(seen, versions.of(before))
    if "metadata" in fields:
        fields["metadata"] = merge(customer.metadata, fields["metadata"])
    if fields.get("default_method_id") is not None:
        method_id = fields["default_method_id"]
        if not PaymentMethod.objects.filter(pk=method_id, customer=customer, detached_at__isnull=True).exists():
            raise missing("payment method", ids.show("pm", method_id), param=DEFAULT_METHOD)
    fields |= finding.keys_of(fields)
    for name, value in fields.items():
        setattr(customer, name, value)
    after = objects.customer(customer, livemode=origin.livemode)
    if previous := changed(before, after):
        customer.save(update_fields=list(fields))
        if "metadata" in previous:
            terms.write("customer", customer.pk, customer.metadata)
        publish(row("customer.updated", after, previous=previous, now=now, **origin.tags))
    return customer


def delete(*, customer_id: UUID, now: datetime, origin: Origin) -> None:
    """Delete a customer. This will clear what is personal, detach its payment methods and tell `customer.deleted`.

    The row stays as what payments point at. Raises NotFound.
    """
    customer = _locked(customer_id)
    shown = objects.customer(customer, livemode=origin.livemode)
    for method in PaymentMethod.objects.filter(customer=customer, detached_at__isnull=True):
        detach(method_id=method.pk, now=now, origin=origin)
    for name in (
        "consumer",
        "name",
        "name_key",
        "email",
        "email_key",
        "phone",
        "phone_key",
        "description",
        "address",
        "shipping",
    ):
        setattr(customer, name, None)
    customer.preferred_locales, customer.metadata, customer.deleted_at = [], {}, now
    customer.save()
    terms.write("customer", customer.pk, {})
    publish(row("customer.deleted", shown, now=now, **origin.tags))


def save_wallet(*, customer: Customer | None, mandate: Mandate, now: datetime, origin: Origin) -> PaymentMethod:
    """Save a mandate as a payment method. This will write it and, for a customer, tell `payment_method.attached`."""
    method = PaymentMethod.objects.create(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        type="wallet",
        customer=customer,
        mandate=mandate,
        created_at=now,
    )
    if customer is not None:
        _tell("payment_method.attached", method, now=now, origin=origin)
    return method


def save_card(
    *,
    card: ClearCard,
    customer: Customer | None,
    billing_details: dict[str, Any],
    now: datetime,
    origin: Origin,
    into: Writes | None = None,
) -> PaymentMethod:
    """Save a card as a payment method, its number in the vault. This will tell `payment_method.attached` of a customer.

    `billing_details` as the API shows them, keys that are not given may be absent. Raises
    CardRefused for what cannot be a valid card, and vault.VaultOff in a live book whose
    vault is switched off.
    """
    with writing(into) as writes:
        try:
            token = vault.keep_card(card=card, now=now, into=writes)
        except CardUnusable as unusable:
            raise CardRefused(unusable.message, code=unusable.code, param=unusable.param) from None
        method = unsaved(
            PaymentMethod,
            id=ids.new(now),
            book_id=tenancy.book_id(),
            type="card",
            customer_id=customer.pk if customer else None,
            card_id=token.pk,
            card={
                "brand": token.brand,
                "country": None if origin.livemode else COUNTRY_OF_TEST_CARDS.get(token.brand),
                "exp_month": token.exp_month,
                "exp_year": token.exp_year,
                "fingerprint": token.fingerprint,
                "funding": token.funding,
                "last4": token.last4,
            },
            billing_details=billing_details,
            created_at=now,
        )
        writes.insert(method)
        if customer is not None:
            _tell("payment_method.attached", method, now=now, origin=origin, into=writes)
    return method


def open_card(method: PaymentMethod) -> ClearCard:
    """The card behind a payment method, in the clear, for one call. Reads only. Raises CardGone."""
    assert method.card_id is not None, "only a card's payment method has a card"
    try:
        return vault.open_card(token_id=method.card_id)
    except vault.NoCard as gone:
        raise CardGone("This card is not kept here any more: ask for it again.", param="payment_method") from gone


def update_method(*, method_id: UUID, fields: dict[str, Any], now: datetime, origin: Origin) -> PaymentMethod:
    """Change a payment method's details. This will write them and tell `payment_method.updated`. Raises NotFound.

    Where nothing changes, nothing is written or told.
    """
    method = _locked_method(method_id)
    before = objects.payment_method(method, livemode=origin.livemode)
    if "metadata" in fields:
        fields["metadata"] = merge(method.metadata, fields["metadata"])
    for name, value in fields.items():
        setattr(method, name, value)
    after = objects.payment_method(method, livemode=origin.livemode)
    if previous := changed(before, after):
        method.save(update_fields=list(fields))
        publish(row("payment_method.updated", after, previous=previous, now=now, **origin.tags))
    return method


def attach(*, method_id: UUID, customer_id: UUID, now: datetime, origin: Origin) -> PaymentMethod:
    """Save a payment method to a customer. This will tell `payment_method.attached`.

    Raises NotFound, MethodInUse for another customer's, MethodDetached.
    """
    customer = find(customer_id, param="customer")
    method = _locked_method(method_id)
    if method.detached_at is not None:
        raise MethodDetached("This payment method was detached and cannot be used again.", param="payment_method")
    if method.customer_id not in (None, customer.pk):
        raise MethodInUse("The payment method belongs to another customer.", param="customer")
    if method.customer_id is None:
        method.customer = customer
        method.save(update_fields=["customer"])
        _tell("payment_method.attached", method, now=now, origin=origin)
    return method


def detach(*, method_id: UUID, now: datetime, origin: Origin) -> PaymentMethod:
    """Forget a payment method. This will revoke its mandate, destroy its card and tell `payment_method.detached`.

    Raises NotFound and MethodDetached.
    """
    method = _locked_method(method_id)
    if method.detached_at is not None:
        raise MethodDetached(
            "The payment method you provided is not attached to a customer so detachment is impossible."
        )
    if method.customer_id:
        Customer.objects.filter(pk=method.customer_id, default_method_id=method.pk).update(default_method_id=None)
    method.customer, method.detached_at = None, now
    method.save(update_fields=["customer", "detached_at"])
    if method.mandate_id and Mandate.objects.filter(pk=method.mandate_id, revoked_at__isnull=True).exists():
        wallets.revoke_mandate(mandate_id=method.mandate_id, now=now)
    if method.card_id:
        vault.destroy_card(token_id=method.card_id)
    _tell("payment_method.detached", method, now=now, origin=origin)
    return method


def find(customer_id: UUID, *, param: str | None = None) -> Customer:
    """A customer of the open book that is not deleted. Raises NotFound."""
    customer = Customer.objects.filter(pk=customer_id, deleted_at__isnull=True).first()
    if customer is None:
        raise missing("customer", ids.show("cus", customer_id), param=param)
    return customer


def _locked(customer_id: UUID) -> Customer:
    customer = Customer.objects.select_for_update().filter(pk=customer_id, deleted_at__isnull=True).first()
    if customer is None:
        raise missing("customer", ids.show("cus", customer_id))
    return customer


def _locked_method(method_id: UUID) -> PaymentMethod:
    method = PaymentMethod.objects.select_for_update().filter(pk=method_id).first()
    if method is None:
        raise missing("payment method", ids.show("pm", method_id))
    return method


def _tell(event_type: str, method: PaymentMethod, *, now: datetime, origin: Origin, into: Writes | None = None) -> None:
    shown = objects.payment_method(method, livemode=origin.livemode)
    publish(row(event_type, shown, now=now, **origin.tags), into=into)
