"""Who paid: a customer whom the merchant knows, or one who joined by a tick on the page (payments/checkout/ports.py).

Both is written after the payment, and undoes none.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from merchant_platform.kernel.errors import PlatformError
from payments.checkout import operations, ports
from payments.checkout.models import CheckoutSession
from payments.checkout.ports import Welcome
from payments.customers import operations as customers
from payments.customers.models import Customer
from payments.intents.models import Attempt, PaymentIntent
from payments.orders.models import Order
from payments.origin import Origin

logger = logging.getLogger(__name__)


def remember_payer(session: CheckoutSession) -> None:
    """Say whose a locked paid session is, where its order says so. This will write it into session and payments.

    Not before: whoever else opens the page of a session that names nobody is nobody there.
    """
    if session.customer_id is None and session.order.customer_id is not None:
        _give(session, session.order.customer_id)


def accept(session: CheckoutSession, *, now: datetime) -> None:
    """Let the payer of a locked paid session join who ticked it. This will do it, in a savepoint, once.

    One whom the merchant does not know yet becomes a customer, with the address that the
    receipt goes to; the order is then theirs. Whoever was signed in is linked to that
    customer: ticking it is their act. What goes wrong here undoes no payment.
    """
    joins = ports.invitations()
    if joins is None or session.joins is None:
        return
    origin = Origin(livemode=session.is_live)
    try:
        with transaction.atomic():
            customer_id = session.customer_id or _known(session) or _new_customer(session, now=now, origin=origin)
            if session.customer_id is None:
                _give(session, customer_id)
            joins.accept(
                customer_id=customer_id, order_id=session.order_id, wording=session.joins, now=now, origin=origin
            )
    except PlatformError:
        logger.exception("a payer could not join", extra={"session": session.shown_id})


def welcome(session: CheckoutSession) -> Welcome | None:
    """What the page of a paid session says to who joined there. One statement, for them alone."""
    joins = ports.invitations()
    if joins is None or session.joins is None or session.customer_id is None:
        return None
    return joins.welcome(customer_id=session.customer_id, is_live=session.is_live)


def _give(session: CheckoutSession, customer_id: UUID) -> None:
    session.customer_id = customer_id
    session.save(update_fields=["customer"])
    Order.objects.filter(pk=session.order_id, customer__isnull=True).update(customer_id=customer_id)
    PaymentIntent.objects.filter(order_id=session.order_id, customer__isnull=True).update(customer_id=customer_id)
    Attempt.objects.filter(intent__order_id=session.order_id, customer__isnull=True).update(customer_id=customer_id)


def _known(session: CheckoutSession) -> UUID | None:
    """The customer that this merchant already has of the consumer who joins."""
    if session.joiner_id is None:
        return None
    known = Customer.objects.filter(consumer_id=session.joiner_id, deleted_at__isnull=True)
    return known.values_list("pk", flat=True).first()


def _new_customer(session: CheckoutSession, *, now: datetime, origin: Origin) -> UUID:
    joiner = session.joiner
    user = joiner.user if joiner else None
    fields = {"email": operations.email_of(session), "consumer": joiner, "name": user.name or None if user else None}
    try:
        with transaction.atomic():
            return customers.create(fields=fields, now=now, origin=origin).pk
    except IntegrityError:
        # The same person joined with another payment at this moment.
        if known := _known(session):
            return known
        raise
