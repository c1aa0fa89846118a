"""One payment: what it is, why, and all that happened to it.

It costs seventeen statements besides the desk's, whatever the payment's history.
"""

from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.decisions import rules
from merchant_platform.kernel.events import objects as events
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from payments.intents import factors, objects, order_refunds, states
from payments.intents.models import Attempt
from payments.listing.payments import state_of
from payments.story import queries as story
from payments.story import timeline as moments
from payments.story.pieces import Story, Told
from payments.web.dashboard import orders, standing, timeline, words
from payments.web.dashboard.links import url_of
from security.web.desk import Desk, desk_page


@require_safe
@desk_page("payment.view")
def show(request: HttpRequest, desk: Desk, payment: str) -> HttpResponse:
    """A payment with everything that belongs to it."""
    with tenancy.within(desk.book.pk):
        told = story.tell(standing.object_id("pi", payment))
        if told is None:
            raise Http404
        context = _context(desk, told)
        order = told.intent.order
        # Of an order that is paid in parts: what paid them, two statements more.
        context["parts"] = (
            [orders.part(desk, each) for each in reversed(order_refunds.sources_of(order))]
            if order.tendered_minor
            else []
        )
    context["token"] = standing.new_token()
    return desk.render(request, "payments/payment.html", context)


def _context(desk: Desk, told: Story) -> dict[str, Any]:
    intent, attempt = told.intent, told.attempt
    # What the API shows of a payment says who the customer is.
    shows_customer = desk.may("customer.view")
    kind, word = words.PAYMENT_STATES[state_of(intent, attempt)]
    return {
        "story": told,
        "intent": intent,
        "attempt": attempt,
        "kind": kind,
        "word": word,
        "method": method_of(told),
        "decline": _decline(attempt),
        "refunded_minor": attempt.refunded_minor if attempt else 0,
        "may_refund": desk.may("payment.refund") and told.left_minor > 0,
        "may_capture": desk.may("payment.capture") and intent.status == states.REQUIRES_CAPTURE,
        "may_cancel": desk.may("payment.cancel") and intent.status in states.CANCELABLE,
        "may_write": desk.may("note.write"),
        "moments": [
            timeline.said(moment, desk, currency=intent.currency, shows_customer=shows_customer)
            for moment in reversed(moments.of(told))
        ],
        "fee": told.fee,
        "fee_words": _fee_words(told),
        "refunds": [_refund(given) for given in told.refunds],
        "postings": [_posting(posting) for posting in told.postings],
        "decisions": [_decision(why) for why in told.decisions],
        "factors": _factors(attempt),
        "notes": told.notes,
        "events": [_event(desk, each) for each in told.events],
        "shows_customer": shows_customer,
        "raw": pretty(objects.payment_intent(intent, livemode=desk.book.livemode) | {"client_secret": None}),
        "customer_url": url_of(desk, "customer", customer=ids.show("cus", intent.customer_id))
        if intent.customer_id and shows_customer
        else "",
        "customer_id": ids.show("cus", intent.customer_id) if intent.customer_id else "",
        "charge_id": ids.show("ch", attempt.pk) if attempt else "",
        "order_id": ids.show("ord", intent.order_id),
    }


def method_of(told: Story) -> str:
    """How the newest attempt was to be paid."""
    attempt = told.attempt
    if attempt is None:
        return ""
    return words.method(attempt.method, (attempt.card or {}).get("brand", ""), attempt.card_last4 or "")


def pretty(shown: Any) -> str:
    """An object as the API shows it, for people to read."""
    return orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()


def _decline(attempt: Attempt | None) -> str:
    """Why the newest attempt was refused; empty where it was not."""
    if attempt is None or attempt.status not in (states.DECLINED, states.VOIDED):
        return ""
    code = attempt.decline_code or attempt.failure_code
    return words.decline(code) if code else ""


def _factors(attempt: Attempt | None) -> dict[str, Any] | None:
    """How strongly the payer of what was paid showed that it is them."""
    if attempt is None or attempt.status not in states.PAID:
        return None
    verdict = factors.of(attempt)
    kind, word = words.VERDICTS[verdict.verdict]
    return {
        "kind": kind,
        "word": word,
        "reason": rules.explain(verdict.reasons[0], audience="merchant"),
        "classes": [words.FACTORS[name] for name in factors.classes(attempt)],
    }


def _fee_words(told: Story) -> dict[str, Any]:
    fee = told.fee
    if fee is None:
        return {}
    currency = told.intent.currency
    return {
        "amount": Money(fee.captured_minor, currency).text(locale()),
        "method": words.METHODS.get(fee.method, fee.method),
        "percent": fee.percent,
        "unrounded": timeline.unrounded(fee.unrounded_minor, currency),
        "rounding": words.ROUNDINGS[fee.rounding],
    }


def _refund(given: Any) -> dict[str, Any]:
    kind, word = words.REFUND_STATES[given.refund.status]
    return {
        "id": given.shown_id,
        "refund": given.refund,
        "kind": kind,
        "word": word,
        "reason": words.REASONS.get(given.refund.reason or "", ""),
        "failure": words.decline(given.refund.failure_reason) if given.refund.failure_reason else "",
        "lines": [{"line": line, "description": order_line.description} for line, order_line in given.lines],
    }


def _posting(posting: Any) -> dict[str, Any]:
    return {
        "id": posting.shown_id,
        "title": words.ENTRIES.get(posting.entry.kind, posting.entry.kind),
        "at": posting.entry.effective_at,
        "currency": posting.currency,
        "total_minor": posting.debits_minor,
        "sides": [
            side
            for move in posting.moves
            for side in (
                {"account": words.ACCOUNTS.get(move.debit, move.debit), "debit_minor": move.amount_minor},
                {"account": words.ACCOUNTS.get(move.credit, move.credit), "credit_minor": move.amount_minor},
            )
        ],
    }


def _decision(why: Any) -> dict[str, Any]:
    kind, word = words.VERDICTS.get(why.decision.verdict, ("neutral", why.decision.verdict))
    return {
        "id": why.shown_id,
        "decision": why.decision,
        "title": words.RULES.get(why.decision.rule, why.decision.rule),
        "kind": kind,
        "word": word,
        "reasons": why.reasons,
        "replays": why.replays,
    }


def _event(desk: Desk, told: Told) -> dict[str, Any]:
    return {
        "id": told.shown_id,
        "type": told.event.type,
        "at": told.event.created_at,
        "raw": pretty(_without_secret(events.event(told.event, livemode=desk.book.livemode))),
        "url": url_of(desk, "event", event=told.shown_id) if desk.may("event.view") else "",
        "deliveries": [timeline.delivery(desk, sent) for sent in told.deliveries],
    }


def _without_secret(event: dict[str, Any]) -> dict[str, Any]:
    """An event of an intent carries the secret that lets a browser pay it: staff have no use for it."""
    shown = event["data"]["object"]
    if "client_secret" in shown:
        shown["client_secret"] = None
    return event
