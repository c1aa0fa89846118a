"""From visits to history: what is ordered, how it is paid, what is declined, given up and given back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from merchant_platform.demo import refunds
from merchant_platform.demo.buyers import Buyer
from merchant_platform.demo.chapter import Chapter
from merchant_platform.demo.chronicle import RULE, Chronicle, Sold
from merchant_platform.demo.patterns import Counter
from merchant_platform.demo.payers import Payer
from merchant_platform.demo.stage import Stage
from merchant_platform.demo.visits import OPEN, SALE, Visit
from merchant_platform.kernel.decisions import rules
from payments.catalog.models import Price, Product
from payments.intents.models import Attempt, PaymentIntent
from payments.methods.decisions import ALLOWED
from payments.orders.models import Order, OrderLine

VISITS_A_CHAPTER = 1_000

_SURPRISED_SHARE = 0.28
_RETRY_SHARE = 0.75
_ABANDONED_SHARE = 0.85
_REFUND_SHARE = 0.021
_REASONS = ("requested_by_customer", "requested_by_customer", "requested_by_customer", "duplicate", None)


class History:
    """Tells one shop's visits, in the order of time."""

    def __init__(
        self,
        stage: Stage,
        *,
        counter: Counter,
        chronicle: Chronicle,
        catalogue: Sequence[tuple[Product, Price]],
        payers: Mapping[Buyer, Payer],
    ) -> None:
        self.stage, self.counter, self.chronicle = stage, counter, chronicle
        self.catalogue, self.payers = catalogue, payers
        self.now, self.rng = stage.now, stage.chance("history")
        self.numbers: dict[str, int] = {}

    def chapters(self, visits: Sequence[Visit]) -> Iterator[Chapter]:
        """The history in chapters. Pure but for its source of chance: it neither reads nor writes the database."""
        for first in range(0, len(visits), VISITS_A_CHAPTER):
            for visit in visits[first : first + VISITS_A_CHAPTER]:
                self._visit(visit, self.payers[visit.buyer])
            yield self.chronicle.turn_page()

    def _visit(self, visit: Visit, payer: Payer) -> None:
        if payer.purse.last_at >= visit.at:
            return  # Still at the counter with the order before.
        paying_at = visit.at + timedelta(seconds=self.rng.uniform(15, 60))
        usual = visit.buyer.usual
        basket = self.counter.basket(visit.local.hour, usual, is_weekend=visit.is_weekend, rng=self.rng)
        sold: list[Sold] = [(*self.catalogue[place], quantity) for place, quantity in basket.items()]
        order, lines = self.chronicle.order(
            sold=sold,
            currency=self.stage.currency,
            customer_id=payer.customer.pk if payer.customer else None,
            store_id=self.stage.stores[visit.place].pk,
            reference=self._number(visit),
            now=visit.at,
        )
        intent = self.chronicle.intent(
            order,
            method=payer.method if visit.outcome == SALE else None,
            description="、".join(line.description for line in lines),
            now=paying_at,
        )
        if visit.outcome == SALE:
            self._pay(order, lines, intent, payer, is_prudent=visit.buyer.is_prudent, now=paying_at)
        elif visit.outcome != OPEN:
            self._cancel(intent, "requested_by_customer", after=paying_at)

    def _number(self, visit: Visit) -> str:
        stem = f"{self.stage.shop.places[visit.place].code}-{visit.local:%y%m%d}"
        self.numbers[stem] = self.numbers.get(stem, 0) + 1
        return f"{stem}-{self.numbers[stem]:03d}"

    def _pay(
        self,
        order: Order,
        lines: Sequence[OrderLine],
        intent: PaymentIntent,
        payer: Payer,
        *,
        is_prudent: bool,
        now: datetime,
    ) -> None:
        purse, amount = payer.purse, intent.amount_minor
        attempt = self.chronicle.attempt(intent, payer.method, now=now)
        facts = purse.facts(amount, now=now)
        is_short = not purse.covers(amount, now=now)
        if is_short and not is_prudent and self.rng.random() < _SURPRISED_SHARE:
            # As on the general road, the mandate is asked first and the money only then.
            facts = {**facts, "has_funds": False}
        if rules.evaluate(RULE, facts).verdict != ALLOWED:
            self.chronicle.decline(intent, attempt, payer.method, facts=facts, now=now)
            purse.last_at = now
            again_at = now + timedelta(seconds=self.rng.uniform(40, 150))
            if "has_funds" in facts and again_at < self.now and self.rng.random() < _RETRY_SHARE:
                self._pay(order, lines, intent, payer, is_prudent=True, now=again_at)
            elif self.rng.random() < _ABANDONED_SHARE:
                self._cancel(intent, "abandoned", after=now)
            return
        if is_short:
            self.chronicle.chapter.top_ups.append(purse.top_up(amount, before=now, rng=self.rng))
        purse.spend(amount, now=now)
        self.chronicle.capture(order, intent, attempt, source=purse.account, now=now)
        if self.rng.random() < _REFUND_SHARE:
            self._give_back(order, lines, attempt, payer, paid_at=now)

    def _cancel(self, intent: PaymentIntent, reason: str, *, after: datetime) -> None:
        canceled_at = after + timedelta(seconds=self.rng.uniform(60, 1800))
        if canceled_at < self.now:
            self.chronicle.cancel(intent, reason=reason, now=canceled_at)

    def _give_back(
        self, order: Order, lines: Sequence[OrderLine], attempt: Attempt, payer: Payer, *, paid_at: datetime
    ) -> None:
        hours = self.rng.choice((0.1, 0.25, 0.5, 1, 3, 20, 26))
        at = paid_at + timedelta(hours=hours * self.rng.uniform(0.7, 1.3))
        if at >= self.now:
            return
        shares = refunds.shares(lines, rng=self.rng)
        reason = self.rng.choice(_REASONS)
        refunds.refund(self.chronicle, order, attempt, shares, target=payer.purse.account, reason=reason, now=at)
        payer.purse.expect(sum(amount for _, _, amount in shares), at=at)
