"""The moments of a payment in sentences."""

from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import gettext as _

from merchant_platform.kernel.money import Money, exponent
from merchant_platform.kernel.templatetags.ui import locale
from payments.story.pieces import Sent
from payments.story.timeline import Moment
from payments.web.dashboard import words
from payments.web.dashboard.links import url_of
from security.web.desk import Desk

# The colour of a moment's dot.
_KINDS = {
    "captured": "success",
    "authorized": "success",
    "refund_succeeded": "success",
    "failed": "danger",
    "refund_failed": "danger",
    "challenge": "warning",
}


def said(moment: Moment, desk: Desk, *, currency: str, shows_customer: bool) -> dict[str, Any]:
    """A moment as the page shows it."""
    title, note = _words(moment, currency, shows_customer=shows_customer)
    told = moment.told
    return {
        "at": moment.at,
        "kind": _KINDS.get(moment.kind, ""),
        "title": title,
        "note": note,
        "deliveries": [delivery(desk, sent) for sent in told.deliveries] if told else [],
        "event_id": told.shown_id if told else "",
    }


def delivery(desk: Desk, sent: Sent) -> dict[str, Any]:
    """A webhook delivery, with its page where this person may see it."""
    kind, word = words.DELIVERY_STATES[sent.delivery.status]
    return {
        "kind": kind,
        "word": word,
        "to": sent.url,
        "tries": sent.delivery.attempts_count,
        "url": url_of(desk, "webhook_delivery", delivery=sent.shown_id) if desk.may("event.view") else "",
    }


def unrounded(minor: Decimal, currency: str) -> str:
    """A sum before it was rounded, with all its digits."""
    return str(
        format_decimal(minor.scaleb(-exponent(currency)).normalize(), format="#,##0.##########", locale=locale())
    )


def _words(moment: Moment, currency: str, *, shows_customer: bool) -> tuple[str, str]:
    values = moment.values
    amount = Money(values["amount_minor"], currency).text(locale()) if "amount_minor" in values else ""
    attempt: Any = values.get("attempt")
    reason = str(words.REASONS.get(values.get("reason") or "", ""))
    match moment.kind:
        case "created":
            return _("Payment of %(amount)s created") % {"amount": amount}, ""
        case "opened":
            return _("The customer opened the checkout page"), ""
        case "chosen":
            return _("The customer chose how to pay"), str(words.METHODS.get(values["method"], values["method"]))
        case "attempt":
            brand = (attempt.card or {}).get("brand", "")
            shown = words.method(attempt.method, brand, attempt.card_last4 or "")
            return _("Tried with %(method)s") % {"method": shown}, ""
        case "challenge":
            return _("The bank asked the customer to confirm the payment"), ""
        case "processing":
            return _("The card's bank was asked, and its answer awaited"), ""
        case "failed":
            code = (attempt.decline_code or attempt.failure_code or "") if attempt else ""
            return _("Refused"), words.decline(code)
        case "authorized":
            return _("The amount is held on the card"), ""
        case "released":
            return _("What was held was released"), ""
        case "captured":
            return _("%(amount)s taken") % {"amount": amount}, ""
        case "refund":
            return _("Refund of %(amount)s asked for") % {"amount": amount}, reason
        case "refund_succeeded":
            return _("Refund of %(amount)s sent to the customer") % {"amount": amount}, ""
        case "refund_failed":
            return _("Refund of %(amount)s failed; the money is back in your balance") % {"amount": amount}, ""
        case "canceled":
            return _("Canceled"), reason
        case "receipt":
            return _("Receipt %(number)s written") % values, ""
        case "receipt_sent":
            return _("Receipt sent by e-mail"), values["email"] if shows_customer else ""
        case _other:
            assert moment.told is not None, "what is left is an event"
            return _("%(type)s told to webhooks") % {"type": moment.told.event.type}, ""
