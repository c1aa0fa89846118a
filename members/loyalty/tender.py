"""Points as a tender: a member pays a part of an order with them (payments/tenders/port.py)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from members.directory import queries as directory
from members.directory.models import Member
from members.loyalty import operations, queries
from members.loyalty.models import Programme
from members.loyalty.terms import Terms
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Invalid
from payments.origin import Origin
from payments.tenders.port import Completed, Due, GivenBack, Offered, Part, Payer, TenderGone


class Points:
    """A source is a member in a programme; it is named by the member's standing there."""

    name = "points"

    def offered(self, due: Due) -> Sequence[Offered]:
        """The payer's points, in each programme that pays in the order's currency."""
        member = _payer(due.payer)
        if member is None:
            return []
        found = (self._offer(due, member.pk, programme) for programme in queries.programmes(active=True))
        return [offer for offer in found if offer is not None and offer.available_minor]

    def look_up(self, due: Due, source_id: UUID) -> Offered | None:
        """The same points again, chosen earlier: only their own member may spend them."""
        member, standing = _payer(due.payer), queries.standing(source_id)
        if member is None or standing is None or standing.member_id != member.pk:
            return None
        return self._offer(due, member.pk, standing.programme)

    def reserve(self, part: Part, *, now: datetime) -> UUID:
        """Hold the points. Raises TenderGone where they are not the payer's, or not there any more."""
        standing, member = queries.standing(part.source_id), _payer(part.payer)
        if standing is None or member is None or standing.member_id != member.pk or not part.units:
            raise TenderGone(_("These points cannot be used here."))
        if not standing.programme.is_active or part.units != _units(queries.terms(standing.programme), part):
            raise TenderGone(_("The worth of these points has changed."))
        try:
            return operations.hold(
                programme=standing.programme,
                member_id=standing.member_id,
                points=part.units,
                reference=part.reference,
                now=now,
            ).pk
        except operations.NotEnoughPoints as gone:
            raise TenderGone(_("You do not have so many points any more.")) from gone

    def complete(self, part: Part, *, now: datetime, origin: Origin) -> Completed:
        """Take what is held, soonest expiring first. It is no new money for the merchant."""
        programme, member_id = self._source(part)
        entry_id = operations.complete(
            programme=programme,
            member_id=member_id,
            hold_reference=part.reference,
            source_id=part.tender_id,
            reference=f"spend:{part.reference}",
            source=ids.show("ord", part.order_id),
            now=now,
            origin=origin,
        )
        return Completed(entry_id)

    def void(self, part: Part, *, now: datetime) -> None:
        """Give back what is held."""
        programme, member_id = self._source(part)
        operations.void(programme=programme, member_id=member_id, hold_reference=part.reference, now=now)

    def refund(self, part: Part, *, refund_id: UUID, amount_minor: int, now: datetime, origin: Origin) -> GivenBack:
        """Give points back to the lots they came from.

        So many that in all it is the same share of the points as of the amount, rounded down;
        the last of the amount brings back the last point. Raises Invalid where an amount is
        too small to be worth a point.
        """
        assert part.units is not None, "points are counted"
        programme, _member = self._source(part)
        in_all = part.units * (part.refunded_minor + amount_minor) // part.amount_minor
        points = in_all - part.refunded_units
        if not points:
            raise Invalid("This amount of the points is worth less than one point.", param="amount")
        entry_id = operations.give_back(
            programme=programme,
            source_id=part.tender_id,
            points=points,
            reference=f"spend_refund:{refund_id}",
            source=ids.show("ord", part.order_id),
            now=now,
            origin=origin,
        )
        return GivenBack(entry_id, points)

    def _source(self, part: Part) -> tuple[Programme, UUID]:
        standing = queries.standing(part.source_id)
        assert standing is not None, "what is held has its standing"
        return standing.programme, standing.member_id

    def _offer(self, due: Due, member_id: UUID, programme: Programme) -> Offered | None:
        held = queries.terms(programme)
        if not held.redeem_points or programme.currency != due.currency or not programme.is_active:
            return None
        standing_id = queries.standing_id(member_id, programme)
        if standing_id is None:
            return None
        spendable = queries.spendable(member_id, programme, now=due.now)
        steps = min(spendable // held.redeem_points, due.amount_minor // held.redeem_minor)
        return Offered(
            tender=self.name,
            source_id=standing_id,
            label=programme.name,
            available_minor=steps * held.redeem_minor,
            step_minor=held.redeem_minor,
            units_per_step=held.redeem_points,
            balance=ngettext("{points} point", "{points} points", spendable).format(points=f"{spendable:,}"),
        )


def _units(held: Terms, part: Part) -> int | None:
    """What an amount costs by the terms of today; None where it is no whole number of steps."""
    if not held.redeem_minor or part.amount_minor % held.redeem_minor:
        return None
    return part.amount_minor // held.redeem_minor * held.redeem_points


def _payer(payer: Payer) -> Member | None:
    return directory.of_customer(payer.customer_id) if payer.customer_id else None
