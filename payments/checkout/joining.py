"""Who pays may join at the same time: a tick on the page, done after the payment (payments/checkout/ports.py)."""

import logging
from datetime import datetime

from django.db import transaction

from merchant_platform.kernel.errors import PlatformError
from payments.checkout import operations, ports
from payments.checkout.models import CheckoutSession
from payments.customers import operations as customers
from payments.customers.models import Customer
from payments.intents.models import Attempt
from payments.orders.models import Order
from payments.origin import Origin

logger = logging.getLogger(__name__)


def accept(session: CheckoutSession, *, now: datetime) -> None:
    """Let the payer of a locked paid session join who ticked it. This will do it, in a savepoint, once.

    One whom the merchant does not know yet becomes a customer, with the address that the
    receipt goes to; the order is then theirs. What goes wrong here undoes no payment.
    """
    joins = ports.invitations()
    if joins is None or session.joins is None:
        return
    origin = Origin(livemode=session.is_live)
    try:
        with transaction.atomic():
            customer_id = session.customer_id or _payer(session) or _new_customer(session, now=now, origin=origin)
            CheckoutSession.objects.filter(pk=session.pk, customer__isnull=True).update(customer_id=customer_id)
            Order.objects.filter(pk=session.order_id, customer__isnull=True).update(customer_id=customer_id)
            joins.accept(
                customer_id=customer_id, order_id=session.order_id, wording=session.joins, now=now, origin=origin
            )
    except PlatformError:
        logger.exception("a payer could not join", extra={"session": session.shown_id})


def _payer(session: CheckoutSession):
    """The customer that this merchant already has of the consumer whose wallet paid."""
    attempt = (
        Attempt.objects.select_related("payment_method__mandate__wallet")
        .filter(intent_id=session.intent_id)
        .order_by("-pk")
        .first()
        if session.intent_id
        else None
    )
    mandate = attempt.payment_method.mandate if attempt else None
    if mandate is None:
        return None
    known = Customer.objects.filter(consumer_id=mandate.wallet.consumer_id, deleted_at__isnull=True)
    return known.values_list("pk", flat=True).first()


def _new_customer(session: CheckoutSession, *, now: datetime, origin: Origin):
    return customers.create(fields={"email": operations.email_of(session)}, now=now, origin=origin).pk
