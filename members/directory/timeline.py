"""One timeline of a member: what each room tells, put in the order in which it happened. A statement a source."""

import heapq
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.directory import ports, queries
from members.directory.models import Correction, Member, Merge
from members.directory.ports import Happening
from merchant_platform.kernel import ids
from payments.intents.models import PaymentIntent, Refund
from security.privacy.models import Consent
from security.privacy.wording import PURPOSES

# Refunds are told of so many payments at the most: the newest before what was shown.
PAYMENTS_SEARCHED_MAX = 500
_UNDER_WAY = (_("Payment under way"), "hourglass-high")
# What is told of a payment, by its state: of each, or a page would look for others without an end.
_PAYMENTS = {
    "succeeded": (_("Paid"), "credit-card"),
    "canceled": (_("Payment canceled"), "ban"),
    "requires_capture": (_("Payment authorised"), "hourglass-high"),
    "requires_payment_method": (_("Payment not made"), "circle-x"),
    "requires_confirmation": (_("Payment not made"), "circle-x"),
    "requires_action": _UNDER_WAY,
    "processing": _UNDER_WAY,
}
# What of a member is corrected.
FIELDS = {
    "birthday": _("Birthday"),
    "email": _("E-mail address"),
    "household": _("Household"),
    "name": pgettext_lazy("of a person", "Name"),
    "phone": _("Telephone"),
    "tags": _("Tags"),
}


def of(member: Member, *, before: UUID | None, limit: int) -> list[Happening]:
    """The newest of what happened to a member, its aliases too. `before` is the key of the last that was shown."""
    customer_ids = queries.customer_ids(member.pk)
    told = (
        source(member=member, customer_ids=customer_ids, before=before, limit=limit) for source in ports.timelines()
    )
    return heapq.nlargest(limit, (each for found in told for each in found), key=lambda each: each.key)


def payments(*, member: Member, customer_ids: Sequence[UUID], before: UUID | None, limit: int) -> list[Happening]:
    rows = PaymentIntent.objects.filter(_below(before), customer_id__in=customer_ids)
    return [
        Happening(
            key=row.pk,
            at=row.created_at,
            title=_PAYMENTS[row.status][0],
            icon=_PAYMENTS[row.status][1],
            detail=row.description or "",
            amount_minor=row.amount_minor,
            currency=row.currency,
            page=("payment", "payment", ids.show("pi", row.pk)),
        )
        for row in rows.order_by("-pk")[:limit]
    ]


def refunds(*, member: Member, customer_ids: Sequence[UUID], before: UUID | None, limit: int) -> list[Happening]:
    newest = PaymentIntent.objects.filter(_below(before), customer_id__in=customer_ids).order_by("-pk")
    rows = Refund.objects.filter(
        _below(before), intent_id__in=newest.values("pk")[:PAYMENTS_SEARCHED_MAX], status="succeeded"
    )
    return [
        Happening(
            key=row.pk,
            at=row.created_at,
            title=_("Refunded"),
            icon="receipt-refund",
            amount_minor=-row.amount_minor,
            currency=row.currency,
            page=("payment", "payment", ids.show("pi", row.intent_id)),
        )
        for row in rows.order_by("-pk")[:limit]
    ]


def consents(*, member: Member, customer_ids: Sequence[UUID], before: UUID | None, limit: int) -> list[Happening]:
    told = []
    for row in Consent.objects.filter(customer_id__in=customer_ids).order_by("-pk")[:limit]:
        title = str(PURPOSES[row.purpose].title)
        told.append(Happening(row.pk, row.granted_at, _("Gave a consent"), "check", title))
        if row.withdrawn_at:
            # The moment of the withdrawal, told apart by the consent's own random bits.
            key = UUID(int=ids.first_at(row.withdrawn_at).int | row.pk.int & (1 << 80) - 1)
            told.append(Happening(key, row.withdrawn_at, _("Withdrew a consent"), "x", title))
    return [each for each in told if before is None or each.key < before]


def corrections(*, member: Member, customer_ids: Sequence[UUID], before: UUID | None, limit: int) -> list[Happening]:
    aliases = Member.objects.filter(merged_into_id=member.pk).values("pk")
    rows = Correction.objects.filter(_below(before), Q(member_id=member.pk) | Q(member_id__in=aliases))
    return [
        Happening(
            key=row.pk,
            at=row.created_at,
            title=_("Corrected: %(field)s") % {"field": FIELDS.get(row.field, row.field)},
            icon="pencil",
            detail=f"{row.before or '–'} → {row.after or '–'}" if row.before or row.after else "",
        )
        for row in rows.order_by("-pk")[:limit]
    ]


def membership(*, member: Member, customer_ids: Sequence[UUID], before: UUID | None, limit: int) -> list[Happening]:
    told = [Happening(member.pk, member.created_at, _("Joined"), "heart")]
    for row in Merge.objects.filter(winner_id=member.pk).select_related("loser").order_by("-pk")[:limit]:
        page = ("member", "member", ids.show("mem", row.loser_id))
        told.append(Happening(row.pk, row.merged_at, _("Merged with another member"), "arrows-exchange",
                              row.loser.number, page=page))  # fmt: skip
        if row.undone_at:
            key = UUID(int=ids.first_at(row.undone_at).int | row.pk.int & (1 << 80) - 1)
            told.append(Happening(key, row.undone_at, _("Merge undone"), "arrow-back-up", row.loser.number, page=page))
    return [each for each in told if before is None or each.key < before]


def _below(before: UUID | None) -> Q:
    return Q() if before is None else Q(pk__lt=before)
