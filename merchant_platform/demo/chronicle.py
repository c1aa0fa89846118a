"""What the general road would have written: the rows and events of orders, payments and refunds, unsaved.

Each method mirrors one operation (orders.create, intents.create, confirm and cancel) on
the same pure drafts and objects, at a moment in the past, without reading the database:
thousands of payments are then written set by set. Refunds stand beside, in refunds.py.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from merchant_platform.demo.chapter import Chapter
from merchant_platform.kernel import ids
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.errors import doc_url
from merchant_platform.kernel.events.outbox import row
from merchant_platform.kernel.rows import unsaved
from payments.catalog.models import Price, Product
from payments.customers import objects as customer_objects
from payments.customers.models import PaymentMethod
from payments.intents import objects, states
from payments.intents import operations as intents
from payments.intents.models import Attempt, PaymentIntent
from payments.ledger import chart
from payments.methods.wallet import WalletMethod
from payments.orders import objects as order_objects
from payments.orders import states as order_states
from payments.orders.models import Order, OrderLine

RULE = WalletMethod.rule
Sold = tuple[Product, Price, int]


class Chronicle:
    """Writes one book's history down, chapter by chapter. Events are told from `told_since` on."""

    def __init__(self, *, book_id: UUID, mode: str, told_since: datetime) -> None:
        self.book_id, self.mode, self.told_since = book_id, mode, told_since
        self.livemode = mode == "live"
        self.chapter = Chapter()

    def turn_page(self) -> Chapter:
        """The chapter so far; a new one begins."""
        written, self.chapter = self.chapter, Chapter()
        return written

    def tell(
        self,
        event_type: str,
        render: Callable[[], dict[str, Any]],
        *,
        now: datetime,
        previous: dict[str, Any] | None = None,
    ) -> None:
        """An event as it would have been published. Nobody is owed it any more: it counts as delivered."""
        if now >= self.told_since:
            event = row(event_type, render(), previous=previous, now=now)
            self.chapter.events.append(replace(event, targets=()) if event.targets else event)

    def order(
        self,
        *,
        sold: Sequence[Sold],
        currency: str,
        customer_id: UUID | None,
        store_id: UUID,
        reference: str,
        now: datetime,
    ) -> tuple[Order, list[OrderLine]]:
        """orders.create: an order of catalogue prices."""
        order = unsaved(
            Order,
            id=ids.new(now),
            book_id=self.book_id,
            reference=reference,
            customer_id=customer_id,
            store_id=store_id,
            status=order_states.OPEN,
            currency=currency,
            total_minor=sum(price.unit_amount_minor * quantity for _, price, quantity in sold),
            created_at=now,
        )
        lines = [
            unsaved(
                OrderLine,
                id=ids.new(now),
                book_id=self.book_id,
                order_id=order.pk,
                product_id=product.pk,
                price_id=price.pk,
                description=product.name,
                category=product.category,
                quantity=quantity,
                unit_price_minor=price.unit_amount_minor,
                amount_minor=quantity * price.unit_amount_minor,
                unit_cost_minor=product.cost_minor,
            )
            for product, price, quantity in sold
        ]
        self.chapter.orders.append(order)
        self.chapter.lines.extend(lines)
        self.tell("order.created", lambda: order_objects.order(order, lines, livemode=self.livemode), now=now)
        return order, lines

    def intent(self, order: Order, *, method: PaymentMethod | None, description: str, now: datetime) -> PaymentIntent:
        """intents.create: for the whole of an order, by its reference."""
        terms = intents.Terms(
            amount_minor=order.total_minor,
            currency=order.currency,
            customer_id=order.customer_id,
            payment_method_id=method.pk if method else None,
            order_reference=order.reference,
            details={"capture_method": "automatic_async", "description": description},
        )
        intent = intents.draft(terms, order_id=order.pk, now=now, book_id=self.book_id)
        self.chapter.intents.append(intent)
        self.tell("payment_intent.created", lambda: self._shown(intent), now=now)
        return intent

    def attempt(self, intent: PaymentIntent, method: PaymentMethod, *, now: datetime) -> Attempt:
        """The first half of intents.confirm: try to pay with a method."""
        intent.payment_method_id = method.pk
        attempt = intents.draft_attempt(intent, method=method.type, now=now)
        attempt.billing_details = method.billing_details
        self.chapter.attempts.append(attempt)
        return attempt

    def capture(
        self, order: Order, intent: PaymentIntent, attempt: Attempt, *, source: chart.AccountRef, now: datetime
    ) -> None:
        """The second half, where the money is there."""
        entry = intents.draft_capture(attempt, source=source, mode=self.mode, now=now)
        self.chapter.entries.append(entry)
        attempt.status, attempt.captured_minor, attempt.entry_id = states.CAPTURED, attempt.amount_minor, entry.id
        intent.status, intent.received_minor = states.SUCCEEDED, attempt.amount_minor
        intent.latest_attempt_id, intent.last_error = attempt.pk, None
        order.paid_minor, order.status = attempt.amount_minor, order_states.PAID
        self.tell("charge.succeeded", lambda: objects.charge(attempt, livemode=self.livemode), now=now)
        self.tell("payment_intent.succeeded", lambda: self._shown(intent), now=now)

    def decline(
        self,
        intent: PaymentIntent,
        attempt: Attempt,
        method: PaymentMethod,
        *,
        facts: Mapping[str, Any],
        now: datetime,
    ) -> None:
        """The second half, where the rule says no."""
        code = self._decide(facts, attempt, now=now).reasons[0].code
        attempt.status, attempt.decline_code = states.DECLINED, code
        intent.status, intent.payment_method_id = states.REQUIRES_PAYMENT_METHOD, None
        intent.latest_attempt_id = attempt.pk
        intent.last_error = objects.decline_error(
            decline_code=code,
            charge_id=ids.show("ch", attempt.pk),
            payment_method=customer_objects.payment_method(method, livemode=self.livemode),
            doc_url=doc_url(code),
        )
        self.tell("charge.failed", lambda: objects.charge(attempt, livemode=self.livemode), now=now)
        self.tell("payment_intent.payment_failed", lambda: self._shown(intent), now=now)

    def cancel(self, intent: PaymentIntent, *, reason: str, now: datetime) -> None:
        """intents.cancel: the order, which is no implicit one, stays."""
        intent.status, intent.cancellation_reason, intent.canceled_at = states.CANCELED, reason, now
        self.tell("payment_intent.canceled", lambda: self._shown(intent), now=now)

    def _decide(self, facts: Mapping[str, Any], attempt: Attempt, *, now: datetime) -> rules.Verdict:
        """rules.record: the decision, from its stored form."""
        canonical = rules.canonical_json(facts)
        verdict = rules.evaluate(RULE, facts)
        self.chapter.decisions.append(
            Decision(
                id=ids.new(now),
                book_id=self.book_id,
                rule=RULE,
                rule_version=rules.latest(RULE),
                subject_id=attempt.pk,
                inputs=dict(facts),
                inputs_hash=hashlib.sha256(canonical).digest(),
                verdict=verdict.verdict,
                reasons=[asdict(reason) for reason in verdict.reasons],
                near_miss=verdict.near_miss,
                remedy=verdict.remedy,
                created_at=now,
            )
        )
        return verdict

    def _shown(self, intent: PaymentIntent) -> dict[str, Any]:
        return objects.payment_intent(intent, livemode=self.livemode)
