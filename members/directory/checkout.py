"""The checkout's port of invitations: who pays is asked to join, by a tick on the page."""

from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from members.directory import numbers, operations, queries
from members.directory.models import CHECKOUT
from payments.checkout.ports import Invitation, Welcome
from payments.customers.models import Customer
from payments.orders.models import Order
from payments.origin import Origin
from payments.tenders.port import Payer

# The versions of the words below. Joining alone allows nothing: consents are asked for by themselves.
WORDING, WORDING_SIGNED_IN = "join-1", "join-signed-in-1"
# The page of the wallet where a membership stands, in test and in live mode.
PAGES = {False: "wallet_cards_test", True: "wallet_cards_live"}


class Enrolment:
    """Lets payers join."""

    def offer(self, payer: Payer, *, now: datetime) -> Invitation | None:
        """What to ask; None where the payer is a member already. Two statements at most."""
        customer_id = payer.customer_id
        if customer_id is None and payer.consumer_id is not None:
            found = Customer.objects.filter(consumer_id=payer.consumer_id).values_list("pk", flat=True)
            customer_id = found.first()
        if customer_id is not None and queries.of_customer(customer_id) is not None:
            return None
        # A session that names another customer stays that one's.
        is_theirs = payer.consumer_id is not None and (
            customer_id is None or Customer.objects.filter(pk=customer_id, consumer_id=payer.consumer_id).exists()
        )
        if not is_theirs:
            return Invitation(
                title=_("Become a member"),
                text=_("Get a member number and collect with every visit."),
                wording=WORDING,
            )
        return Invitation(
            title=_("Become a member"),
            text=_("Collect with every visit: it stands in your wallet. The merchant learns your name, nothing else."),
            wording=WORDING_SIGNED_IN,
        )

    def accept(self, *, customer_id: UUID, order_id: UUID, wording: str, now: datetime, origin: Origin) -> None:
        """The payer ticked it, and paid. This will enrol the customer, once, in the store that the order is of."""
        store_id = Order.objects.filter(pk=order_id).values_list("store_id", flat=True).first()
        operations.enrol(customer_id=customer_id, source=CHECKOUT, now=now, origin=origin, store_id=store_id)

    def welcome(self, *, customer_id: UUID, is_live: bool) -> Welcome | None:
        """The member's number, and where it stands from now on."""
        member = queries.of_customer(customer_id)
        if member is None:
            return None
        title = _("You are a member now: No. {number}").format(number=numbers.spaced(member.number))
        if member.customer.consumer_id is None:
            return Welcome(title, _("Keep this number: you say it or show it when you pay here again."))
        return Welcome(title, _("Your card and what you collect stand in your wallet."), PAGES[is_live])
