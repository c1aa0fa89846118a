"""The checkout's port of invitations: who pays is asked to join, by a tick on the page."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from members.directory import operations, queries
from members.directory.models import CHECKOUT
from payments.checkout.ports import Invitation
from payments.customers.models import Customer
from payments.orders.models import Order
from payments.origin import Origin
from payments.tenders.port import Payer

# The version of the words below. Joining alone allows nothing: consents are asked for by themselves.
WORDING = "join-1"


class Enrolment:
    """Lets payers join."""

    def offer(self, payer: Payer, *, now: datetime) -> Invitation | None:
        """What to ask; None where the payer is a member already. One statement."""
        customer_id = payer.customer_id
        if customer_id is None and payer.consumer_id is not None:
            found = Customer.objects.filter(consumer_id=payer.consumer_id).values_list("pk", flat=True)
            customer_id = found.first()
        if customer_id is not None and queries.of_customer(customer_id) is not None:
            return None
        return Invitation(
            title=_("Become a member"), text=_("Get a member number and collect with every visit."), wording=WORDING
        )

    def accept(self, *, customer_id: UUID, order_id: UUID, wording: str, now: datetime, origin: Origin) -> None:
        """The payer ticked it, and paid. This will enrol the customer, once, in the store that the order is of."""
        store_id = Order.objects.filter(pk=order_id).values_list("store_id", flat=True).first()
        operations.enrol(customer_id=customer_id, source=CHECKOUT, now=now, origin=origin, store_id=store_id)
