"""From visits to history: what is ordered, how it is paid, what is declined, given up and given back."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random

from merchant_platform.demo.buyers import Buyer
from merchant_platform.demo.chapter import RULE, Chapter
from merchant_platform.demo.chronicle import Chronicle, Share, Sold
from merchant_platform.demo.patterns import Counter
from merchant_platform.demo.payers import Payer
from merchant_platform.demo.shops import Shop
from merchant_platform.demo.visits import OPEN, SALE, Visit
from merchant_platform.kernel import money
from merchant_platform.kernel.decisions import rules
from payments.catalog.models import Price, Product
from payments.intents.models import Attempt, PaymentIntent
from payments.methods.decisions import ALLOWED
from payments.orders.models import Order, OrderLine
from security.merchants.models import Store

VISITS_A_CHAPTER = 1_000

_SURPRISED_SHARE = 0.32
_RETRY_SHARE = 0.75
_ABANDONED_SHARE = 0.85
_REFUND_SHARE = 0.021
_WHOLE_SHARE, _LINE_SHARE = 0.5, 0.35
_REASONS = ("requested_by_customer", "requested_by_customer", "requested_by_customer", "duplicate", None)


class History:
    """Tells one shop's visits, in the order of time."""

    def __init__(
        self,
        *,
        shop: Shop,
        counter: Counter,
        chronicle: Chronicle,
        catalogue: Sequence[tuple[Product, Price]],
        stores: Sequence[Store],
        payers: Mapping[Buyer, Payer],
        now: datetime,
        rng: Random,
    ) -> None:
        self.shop, self.counter, self.chronicle = shop, counter, chronicle
        self.catalogue, self.stores, self.payers = catalogue, stores, payers
        self.now, self.rng = now, rng
        self.numbers: dict[str, int] = {}

    def chapters(self, visits: Sequence[Visit]) -> Iterator[Chapter]:
        """The history in chapters. Pure but for its source of chance: it neither reads nor writes the database."""
        for first in range(0, len(visits), VISITS_A_CHAPTER):
            for visit in visits[first : first + VISITS_A_CHAPTER]:
                self._visit(visit, self.payers[visit.buyer])
            yield self.chronicle.turn_page()

    def _visit(self, visit: Visit, payer: Payer) -> None:
        ordered_at = visit.at - timedelta(seconds=self.rng.uniform(15, 60))
        if payer.purse.last_at >= ordered_at - timedelta(seconds=1):
            return  # Still at the counter with the order before.
        usual = visit.buyer.usual
        basket = self.counter.basket(visit.local.hour, usual, is_weekend=visit.is_weekend, rng=self.rng)
        sold: list[Sold] = [(*self.catalogue[place], quantity) for place, quantity in basket.items()]
        order, lines = self.chronicle.order(
            sold=sold,
            currency=self.shop.currency,
            customer_id=payer.customer.pk if payer.customer else None,
            store_id=self.stores[visit.place].pk,
            reference=self._number(visit),
            now=ordered_at,
        )
        intent = self.chronicle.intent(
            order,
            method=payer.method if visit.outcome == SALE else None,
            description="、".join(line.description for line in lines),
            now=visit.at,
        )
        if visit.outcome == SALE:
            self._pay(order, lines, intent, payer, is_prudent=visit.buyer.is_prudent, now=visit.at)
        elif visit.outcome != OPEN:
            self._cancel(intent, "requested_by_customer", after=visit.at)

    def _number(self, visit: Visit) -> str:
        stem = f"{self.shop.places[visit.place].code}-{visit.local:%y%m%d}"
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
        shares = self._shares(lines)
        reason = self.rng.choice(_REASONS)
        self.chronicle.refund(order, attempt, shares, target=payer.purse.account, reason=reason, now=at)
        payer.purse.expect(sum(amount for _, _, amount in shares), at=at)

    def _shares(self, lines: Sequence[OrderLine]) -> list[Share]:
        """What a refund gives back: everything, one line or a piece of it, or something for the trouble."""
        kind = self.rng.random()
        if kind < _WHOLE_SHARE:
            return [(line, line.quantity, line.amount_minor) for line in lines]
        if kind < _WHOLE_SHARE + _LINE_SHARE:
            line = self.rng.choice(lines)
            quantity = self.rng.randint(1, line.quantity)
            return [(line, quantity, money.share_of(line.amount_minor, quantity, line.quantity))]
        amounts = [line.amount_minor for line in lines]
        goodwill = min(self.rng.choice((300, 500, 800)), sum(amounts))
        parts = money.split(goodwill, amounts)
        return [(line, 0, part) for line, part in zip(lines, parts, strict=True) if part]
