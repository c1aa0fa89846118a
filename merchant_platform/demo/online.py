"""Orders that were placed online and paid by card: made by the very operations that make real ones.

A card is another company's business, so its payments cannot be written down from here:
they go by the checkout's own road to the sandbox acquirer, which keeps them in its books
and can give them back later. That takes time, so they are few. Each has a reference of
its own, and what an interrupted start left out is made up for by the next; where no
acquirer answers there are none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from merchant_platform.demo.shops import CAFE
from merchant_platform.kernel import tenancy
from payments.catalog.models import Price
from payments.checkout import operations as checkout
from payments.checkout import paying
from payments.checkout.models import CheckoutSession
from payments.checkout.moments import Moment
from payments.intents import refund_road, refunds
from payments.intents.models import PaymentIntent
from payments.orders.operations import LineDraft
from payments.origin import Origin
from payments.providers import port
from payments.providers.port import Unanswered, Unreachable
from payments.providers.sandbox.control import Control
from security.merchants.models import TEST, Book
from security.vault.cards import ClearCard

SHOP_URL = "https://example.com"
DAYS = 27
_ORIGIN = Origin(livemode=False)
_APPROVE, _REFUSE = "approve", "refuse"
_VISA, _MASTERCARD, _UNIONPAY, _AMEX = "4242424242424242", "5555555555554444", "6200000000000005", "378282246310005"
_LACKING, _REFUSED, _EXPIRED = "4000000000009995", "4000000000000002", "4000000000000069"
_CHALLENGED, _BOUNCING = "4000002760003184", "4000000000005126"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody on the checkout page: the cards that are tried, one after the other, and what comes of it."""

    cards: tuple[str, ...] = ()
    choice: str = ""
    # How much goes back: all of it, or a part. Zero: nothing.
    refunded_percent: int = 0


# In the order of time. Who tries no card has looked at the page and gone.
VISITS = (
    Visit((_VISA,)),
    Visit((_UNIONPAY,)),
    Visit((_MASTERCARD,), refunded_percent=100),
    Visit((_LACKING, _VISA)),
    Visit((_AMEX,)),
    Visit((_CHALLENGED,), choice=_APPROVE),
    Visit((_REFUSED,)),
    Visit((_VISA,), refunded_percent=40),
    Visit(),
    Visit((_EXPIRED, _MASTERCARD)),
    Visit((_CHALLENGED,), choice=_REFUSE),
    Visit((_BOUNCING,), refunded_percent=100),
    Visit((_UNIONPAY,)),
)


def play(*, now: datetime) -> int:
    """Let the online orders of the weeks before `now` be placed that are missing, one after the other.

    Call it outside a transaction. Returns how many visits there were.
    """
    book = Book.objects.select_related("merchant").filter(merchant__slug=CAFE.slug, mode=TEST).first()
    if book is None or not _answers():
        return 0
    with tenancy.within(book.pk):
        known = set(CheckoutSession.objects.values_list("client_reference_id", flat=True))
        prices = list(Price.objects.select_related("product").filter(is_active=True).order_by("pk"))
    missing = [visit for visit in _diary(now, prices, book=book) if visit.reference not in known]
    for visit in missing:
        visit.play()
    return len(missing)


def _answers() -> bool:
    try:
        Control().faults()
    except (Unreachable, Unanswered):
        return False
    return True


def _diary(now: datetime, prices: list[Price], *, book: Book) -> Iterator["_Guest"]:
    """Who comes when, and for what. The acquirer's present only moves on, so the earliest comes first."""
    chance = Random("online")  # noqa: S311 (a believable world, not a secret)
    step = timedelta(days=DAYS) / len(VISITS)
    for number, visit in enumerate(VISITS):
        day = (now - timedelta(days=DAYS) + number * step).astimezone(book.merchant.zone)
        came_at = day.replace(hour=chance.randint(9, 21), minute=chance.randrange(60), second=chance.randrange(60))
        basket = [LineDraft(quantity=chance.randint(1, 2), price=price) for price in chance.sample(prices, 2)]
        yield _Guest(book, f"web-{number + 1:03d}", visit, basket, min(came_at, now - timedelta(minutes=30)), chance)


@dataclass(slots=True)
class _Guest:
    """One visit, minute by minute."""

    book: Book
    reference: str
    visit: Visit
    basket: list[LineDraft]
    at: datetime
    chance: Random

    def play(self) -> None:
        session = self._come()
        for number in self.visit.cards:
            self._pay(session, number)
        if self.visit.refunded_percent:
            self._give_back(session)

    def _come(self) -> CheckoutSession:
        terms = checkout.Terms(
            currency=CAFE.currency,
            lines=self.basket,
            success_url=f"{SHOP_URL}/thanks",
            payment_method_types=paying.methods_for(is_live=False),
            details={"client_reference_id": self.reference, "cancel_url": f"{SHOP_URL}/basket"},
        )
        with tenancy.within(self.book.pk):
            session = checkout.create(terms=terms, now=self.at, origin=_ORIGIN)
            checkout.record_seen(session, language="zh-hans", method=None, moment=self._later(1, 4))
        return session

    def _pay(self, session: CheckoutSession, number: str) -> None:
        with tenancy.within(self.book.pk):
            checkout.record_method(session_id=session.pk, method=paying.CARD, moment=self._later(4, 20))
            shown_minor = session.order.total_minor
        paid = paying.pay_by_card(
            consumer_id=None,
            session_id=session.pk,
            card=ClearCard(number=number, exp_month=12, exp_year=self.at.year + 3),
            cvc="1234" if number == _AMEX else "123",
            shown_minor=shown_minor,
            return_url=f"{SHOP_URL}/thanks",
            payee=self.book.merchant.name,
            moment=self._later(15, 60),
            **self._where(),
        )
        if self.visit.choice and paid.intent_id:
            self._answer(session.pk, paid.intent_id)

    def _answer(self, session_id: UUID, intent_id: UUID) -> None:
        """The payer answers the page of the bank, and comes back."""
        with tenancy.within(self.book.pk):
            action = PaymentIntent.objects.get(pk=intent_id).next_action or {}
        address = action.get("redirect_to_url", {}).get("url", "")
        provider: Any = port.find("sandbox")
        provider.answer_challenge(address.rstrip("/").rpartition("/")[2], choice=self.visit.choice)
        moment = self._later(20, 45)
        paying.ask_provider(session_id=session_id, moment=moment, is_back=True, **self._where())
        with tenancy.within(self.book.pk):
            checkout.look_after(session_id=session_id, moment=moment, origin=_ORIGIN)

    def _give_back(self, session: CheckoutSession) -> None:
        moment = self._later(1_800, 7_200)
        with tenancy.within(self.book.pk):
            intent = CheckoutSession.objects.select_related("intent").get(pk=session.pk).intent
            assert intent is not None, "its cards are good ones"
            assert intent.latest_attempt_id is not None, "its cards are good ones"
            given, _ = refunds.refund(
                attempt_id=intent.latest_attempt_id,
                amount_minor=intent.received_minor * self.visit.refunded_percent // 100,
                reason="requested_by_customer",
                mode=TEST,
                now=moment.now,
                origin=_ORIGIN,
            )
            question = refund_road.question_of(given)
        assert question is not None, "a card's refund is asked for"
        report = refund_road.ask(question, now=moment.now)
        with tenancy.within(self.book.pk):
            refund_road.record(refund_id=given.pk, report=report, now=moment.now, origin=_ORIGIN)

    def _later(self, least: int, most: int) -> Moment:
        """Some seconds on: when it happened by the book's clock, and by the world's."""
        self.at += timedelta(seconds=self.chance.uniform(least, most))
        return Moment(now=self.at, recorded=self.at)

    def _where(self) -> dict[str, Any]:
        return {"book_id": self.book.pk, "mode": TEST, "origin": _ORIGIN}
