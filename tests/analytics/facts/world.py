"""A merchant's year of trade as rows, without an event: lines, discounts, taxes, parts, refunds, failures, declines."""

from datetime import UTC, datetime, timedelta
from random import Random

from merchant_platform.kernel import ids, tenancy
from payments.customers.models import Customer, PaymentMethod
from payments.intents.models import Attempt, PaymentIntent, Refund, RefundLine
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.orders.models import Order, OrderLine
from security.merchants.models import Book, Store

BEGINS = datetime(2025, 2, 20, tzinfo=UTC)
CATEGORIES = ("coffee", "tea", "cake", "")
CUSTOMERS = 15
REASONS = ("insufficient_funds", "lost_card", None)


class Trade:
    """Orders at random moments; in a year, half of them near the days on which clocks change."""

    def __init__(self, book: Book, *, days: int = 365, seed: int = 11) -> None:
        self.book, self.days, self.chance = book, days, Random(seed)
        self.rows: dict[type, list] = {
            each: [] for each in (Order, OrderLine, PaymentIntent, Attempt, Refund, RefundLine)
        }
        self.entries: list[ledger.Draft] = []
        self.mode = "test"
        self.stores = [
            Store.objects.create(id=ids.new(BEGINS), merchant=book.merchant, name=name, created_at=BEGINS)
            for name in ("North", "South")
        ]
        with tenancy.within(book.pk):
            self.customers = Customer.objects.bulk_create(
                Customer(id=ids.new(BEGINS), book_id=book.pk, name=f"Customer {number}", created_at=BEGINS)
                for number in range(CUSTOMERS)
            )
            self.cards = [
                PaymentMethod.objects.create(
                    id=ids.new(BEGINS), book_id=book.pk, type="card", card={"brand": brand}, created_at=BEGINS
                )
                for brand in ("visa", "amex")
            ]

    def moment(self) -> datetime:
        near = self.chance.choice(
            [datetime(2025, 3, 9, tzinfo=UTC), datetime(2025, 4, 5, 12, tzinfo=UTC), datetime(2025, 11, 2, tzinfo=UTC)]
        )
        if self.days == 365 and self.chance.random() < 0.5:
            return near + timedelta(minutes=self.chance.randrange(-2_000, 3_000))
        return BEGINS + timedelta(
            minutes=self.chance.randrange(self.days * 24 * 60), microseconds=self.chance.randrange(999)
        )

    def order(self) -> None:
        """One order, paid at once, in two parts, later, or not at all; perhaps refunded in part."""
        at, chance = self.moment(), self.chance
        currency = "EUR" if chance.random() < 0.2 else "CNY"
        order = self._add(
            Order, at, status="open", currency=currency, created_at=at, store=chance.choice([*self.stores, None])
        )
        lines = [self._line(order, at) for _ in range(chance.randrange(1, 4))]
        order.total_minor = total = sum(line.amount_minor for line in lines)
        card = chance.choice(self.cards)
        intent = self._add(
            PaymentIntent, at, order_id=order.pk, payment_method_id=card.pk, currency=currency, amount_minor=total,
            status="succeeded", created_at=at, customer=chance.choice([*self.customers, None]),
        )  # fmt: skip
        self.pay(order, intent, card, at)
        self.pay_back(order, lines, intent)

    def pay(self, order: Order, intent: PaymentIntent, card: PaymentMethod, at: datetime) -> None:
        fate, total = self.chance.random(), order.total_minor
        if fate < 0.25:
            self._attempt(intent, card, at, "declined", decline_code=self.chance.choice(REASONS))
        if fate < 0.1:
            intent.status, intent.payment_method_id = "requires_payment_method", None
            return
        parts = [total] if fate < 0.85 or total < 2 else [total // 3 or 1, total - (total // 3 or 1)]
        later = at + timedelta(seconds=2 if fate < 0.8 else 200_000)
        attempt = self._attempt(intent, card, at + timedelta(seconds=1), "captured", captured_minor=total)
        intent.received_minor = order.paid_minor = total
        for number, part in enumerate(parts):
            self._post(attempt, "charge", later + timedelta(hours=number), part, part // 40, attempt.pk)
        attempt.entry_id = self.entries[-1].id

    def pay_back(self, order: Order, lines: list[OrderLine], intent: PaymentIntent) -> None:
        if not order.paid_minor or self.chance.random() > 0.3:
            return
        attempt = self.rows[Attempt][-1]
        at = self.entries[-1].effective_at + timedelta(minutes=self.chance.randrange(1, 9_000))
        line = self.chance.choice(lines)
        named = self.chance.random() < 0.6 and line.amount_minor > 0
        amount = line.amount_minor if named else self.chance.randrange(1, order.paid_minor + 1)
        refund_id = ids.new(at)
        entry = self._post(attempt, "refund", at, -amount, -(amount // 40), refund_id)
        refund = self._add(
            Refund, at, attempt_id=attempt.pk, intent_id=intent.pk, status="succeeded", amount_minor=amount,
            currency=order.currency, entry_id=entry, created_at=at,
        )  # fmt: skip
        refund.pk = refund_id
        attempt.refunded_minor = order.refunded_minor = amount
        if named:
            self._add(RefundLine, at, refund_id=refund_id, order_line_id=line.pk, amount_minor=amount)
            line.refunded_minor = amount
        if self.chance.random() < 0.2:
            self._post(attempt, "refund_failure", at + timedelta(hours=30), amount, amount // 40, refund_id)
            refund.status = "failed"
            attempt.refunded_minor = order.refunded_minor = line.refunded_minor = 0

    def write(self) -> None:
        """Write everything, in the order of its references."""
        with tenancy.within(self.book.pk):
            self._insert(Order, OrderLine, PaymentIntent)
            accounts = [
                make(self.book.pk, currency, self.mode)
                for currency in ("CNY", "EUR")
                for make in (chart.merchant, chart.acquirer, chart.fees)
            ]
            ledger.open_accounts(accounts)
            ledger.post_many(self.entries)
            self._insert(Attempt, Refund, RefundLine)

    def _insert(self, *models: type) -> None:
        for model in models:
            model.objects.bulk_create(self.rows[model])  # type: ignore[attr-defined]

    def _line(self, order: Order, at: datetime) -> OrderLine:
        quantity, price = self.chance.randrange(1, 4), self.chance.randrange(1, 5_000)
        discount, tax = self.chance.choice([0, 0, price // 3]), self.chance.choice([0, price // 10])
        return self._add(
            OrderLine, at, order_id=order.pk, description="Something", category=self.chance.choice(CATEGORIES),
            quantity=quantity, unit_price_minor=price, discount_minor=discount, tax_minor=tax,
            amount_minor=quantity * price - discount + tax,
        )  # fmt: skip

    def _attempt(self, intent: PaymentIntent, card: PaymentMethod, at: datetime, status: str, **more) -> Attempt:
        return self._add(
            Attempt, at, intent_id=intent.pk, payment_method_id=card.pk, method="card", card=card.card, status=status,
            amount_minor=intent.amount_minor, currency=intent.currency, created_at=at, **more,
        )  # fmt: skip

    def _post(self, attempt: Attempt, kind: str, at: datetime, amount: int, fee: int, source_id):
        merchant, acquirer, fees = (
            make(self.book.pk, attempt.currency, self.mode) for make in (chart.merchant, chart.acquirer, chart.fees)
        )
        lines = [ledger.Line(acquirer, merchant, amount) if amount > 0 else ledger.Line(merchant, acquirer, -amount)]
        if fee:
            lines.append(ledger.Line(merchant, fees, fee) if fee > 0 else ledger.Line(fees, merchant, -fee))
        draft = ledger.Draft(
            id=ids.new(at), reference=f"{kind}:{len(self.entries)}", kind=kind, lines=lines,
            unit=f"{attempt.currency}/2", effective_at=at, amount_minor=amount, fee_minor=fee, source_id=source_id,
        )  # fmt: skip
        self.entries.append(draft)
        return draft.id

    def _add(self, model: type, at: datetime, **fields):
        row = model(id=ids.new(at), book_id=self.book.pk, **fields)
        self.rows[model].append(row)
        return row
