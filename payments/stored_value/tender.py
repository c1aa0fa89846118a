"""Pay a part of an order from a gift card or a stored-value card: what was paid for first, the bonus last."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from merchant_platform.kernel import ids
from payments.ledger import operations as ledger
from payments.ledger import queries as balances
from payments.ledger.queries import Held
from payments.origin import Origin
from payments.stored_value import operations, queries
from payments.stored_value.models import GIFT, StoredValueCard
from payments.tenders.port import Completed, Due, GivenBack, Offered, Part, TenderGone

NAME = "stored_value"
OFFERED_MAX = 10


class StoredValue:
    """The tender behind settings.CHECKOUT_TENDERS["stored_value"]."""

    name = NAME

    def offered(self, due: Due) -> Sequence[Offered]:
        """The cards of a consumer who signed in. Anybody else types the number and the PIN of one."""
        if due.payer.consumer_id is None:
            return []
        cards = queries.of_consumer(due.payer.consumer_id).filter(currency=due.currency)
        found = [card for card in cards.order_by("pk")[:OFFERED_MAX] if card.is_spendable(due.now)]
        shown = [_offer(card, balance) for card, balance in zip(found, queries.balances(found), strict=True)]
        return [each for each in shown if each.available_minor]

    def look_up(self, due: Due, source_id: UUID) -> Offered | None:
        card = StoredValueCard.objects.filter(pk=source_id, currency=due.currency).first()
        if card is None or not card.is_spendable(due.now):
            return None
        return _offer(card, queries.balance(card))

    def reserve(self, part: Part, *, now: datetime) -> UUID:
        card = operations.lock(part.source_id)
        balance = queries.balance(card)
        if not card.is_spendable(now) or balance.available_minor < part.amount_minor:
            raise TenderGone(_("There is less on this card now. Nothing was charged."))
        paid = min(part.amount_minor, balance.paid.available_minor)
        held = [
            ledger.reserve(account=account, amount_minor=amount, reference=reference, now=now)
            for account, amount, reference in (
                (card.paid, paid, part.reference),
                (card.bonus, part.amount_minor - paid, _of_bonus(part.reference)),
            )
            if amount
        ]
        return held[0].pk

    def complete(self, part: Part, *, now: datetime, origin: Origin) -> Completed:
        card = operations.lock(part.source_id)
        paid_total, bonus_total = operations.issued(card)
        first: UUID | None = None
        for hold, is_bonus in _holds(part):
            account, total = (card.bonus, bonus_total) if is_bonus else (card.paid, paid_total)
            draft = operations.draft(
                card,
                f"spend:{hold.reference}",
                "stored_value_spend",
                [ledger.Line(account, total, hold.amount_minor)],
                now=now,
                source_id=part.order_id,
            )
            ledger.complete(hold=hold, account=account, draft=draft, now=now)
            first = first or draft.id
        assert first is not None, "what is completed was reserved"
        operations.tell_spent(card, now=now, origin=origin)
        return Completed(entry_id=first)

    def void(self, part: Part, *, now: datetime) -> None:
        card = operations.lock(part.source_id)
        for hold, is_bonus in _holds(part):
            ledger.void(hold=hold, account=card.bonus if is_bonus else card.paid, now=now)

    def refund(self, part: Part, *, refund_id: UUID, amount_minor: int, now: datetime, origin: Origin) -> GivenBack:
        """The bonus was spent last, so it goes back first; piece by piece, exactly what was taken of each."""
        bonus_spent = sum(hold.amount_minor for hold, is_bonus in _holds(part) if is_bonus)
        before, after = part.refunded_minor, part.refunded_minor + amount_minor
        bonus = min(bonus_spent, after) - min(bonus_spent, before)
        entry_id = operations.give_back(
            card_id=part.source_id,
            paid_minor=amount_minor - bonus,
            bonus_minor=bonus,
            order_id=part.order_id,
            reference=f"return:{ids.show('tre', refund_id)}",
            now=now,
            origin=origin,
        )
        return GivenBack(entry_id=entry_id)


def _offer(card: StoredValueCard, balance: queries.Balance) -> Offered:
    words = _("Gift card") if card.kind == GIFT else _("Stored-value card")
    return Offered(
        tender=NAME,
        source_id=card.pk,
        label=f"{words} •••• {card.last4}",
        available_minor=balance.available_minor,
    )


def _of_bonus(reference: str) -> str:
    return f"{reference}:bonus"


def _holds(part: Part) -> list[tuple[Held, bool]]:
    """What a try reserved: of what was paid for, and of the bonus."""
    found = balances.holds(part.reference, _of_bonus(part.reference))
    return [(hold, hold.reference != part.reference) for hold in sorted(found.values(), key=lambda each: each.pk)]
