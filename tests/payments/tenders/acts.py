"""What people do with several tenders, in one word each: a payer on the page's rooms, a card with value on it."""

from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids, tenancy
from payments.checkout import paying, splitting
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.methods.authentication import KNOWLEDGE
from payments.orders.models import Order
from payments.stored_value import operations as stored_value
from payments.stored_value import queries
from payments.stored_value.models import StoredValueCard
from payments.tenders import operations as tenders
from payments.tenders.models import Tender
from security.vault.cards import ClearCard
from tests.cast import NOW, origin_of

MOMENT = Moment(now=NOW, recorded=NOW)


def gift(book, paid: int, bonus: int = 0, *, kind: str = "gift") -> tuple[StoredValueCard, str, str]:
    """A card with value on it, its number and its PIN."""
    with tenancy.within(book.pk):
        card, number, pin = stored_value.issue(
            kind=kind, currency="CNY", customer_id=None, expires_at=None, metadata={}, now=NOW, origin=origin_of(book)
        )
        if paid or bonus:
            stored_value.load(card_id=card.pk, amount_minor=paid, bonus_minor=bonus, now=NOW, origin=origin_of(book))
    return card, number, pin


def on_card(book, card: StoredValueCard) -> tuple[int, int]:
    """What was paid for on a card, and the bonus: what may be spent of it."""
    with tenancy.within(book.pk):
        balance = queries.balance(card)
    return balance.paid.available_minor, balance.bonus.available_minor


class Payer:
    """Somebody at a session: what the page's doors call, without the page."""

    # Whom the session names, where a test asks for them again.
    customer: Any = None

    def __init__(self, book, session: dict[str, Any], *, consumer_id: UUID | None = None) -> None:
        self.book, self.consumer_id = book, consumer_id
        self.session_id = ids.parse("cs_test", session["id"])
        self.around = {"mode": "test", "moment": MOMENT, "origin": origin_of(book)}

    @property
    def session(self) -> CheckoutSession:
        with tenancy.within(self.book.pk):
            return CheckoutSession.objects.select_related("order", "intent").get(pk=self.session_id)

    @property
    def order(self) -> Order:
        return self.session.order

    @property
    def tenders(self) -> list[Tender]:
        with tenancy.within(self.book.pk):
            return tenders.of(self.order)

    def use(self, method: str, source_id: UUID, amount: int | None = None) -> None:
        with tenancy.within(self.book.pk):
            payer = splitting.who(self.session, self.consumer_id)
            splitting.use(
                session_id=self.session_id,
                method=method,
                source_id=source_id,
                amount_minor=amount,
                payer=payer,
                **self.around,
            )

    def use_card(self, number: str, pin: str) -> bool:
        with tenancy.within(self.book.pk):
            payer = splitting.who(self.session, self.consumer_id)
            return splitting.use_card(session_id=self.session_id, number=number, pin=pin, payer=payer, **self.around)

    def pay_by_card(self, number: str = "4242424242424242") -> CheckoutSession:
        order = self.order
        return paying.pay_by_card(
            session_id=self.session_id,
            consumer_id=self.consumer_id,
            card=ClearCard(number=number, exp_month=12, exp_year=2034, holder="Lin Mei"),
            cvc="123",
            shown_minor=order.total_minor - order.tendered_minor,
            return_url="https://cafe.example/back",
            payee="Café Moka",
            book_id=self.book.pk,
            **self.around,
        )

    def pay_by_tenders(self) -> CheckoutSession:
        with tenancy.within(self.book.pk):
            return paying.pay_by_tenders(session_id=self.session_id, consumer_id=self.consumer_id, **self.around)

    def pay_by_wallet(self) -> CheckoutSession:
        order = self.order
        with tenancy.within(self.book.pk):
            return paying.pay_by_wallet(
                session_id=self.session_id,
                consumer_id=self.consumer_id,
                factors=(KNOWLEDGE,),
                shown_minor=order.total_minor - order.tendered_minor,
                **self.around,
            )
