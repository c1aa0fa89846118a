"""Refund a payment: choose lines or an amount, see what it does, then do it, once.

A page that works alone; from the payment's page it opens beside it. What it says stands in
the address of the confirm page, so that a step-up on the way there loses nothing.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from payments.intents import deeds, refund_limit, refund_preview, states
from payments.intents import second_person as asking
from payments.intents.models import Attempt, PaymentIntent, Refund
from payments.intents.refund_limit import NeedsSecondPerson
from payments.intents.refund_preview import Preview
from payments.intents.refunds import LineRefund
from payments.orders.models import OrderLine
from payments.story.pieces import left_of
from payments.story.queries import find
from payments.web.dashboard import amounts, second_person, standing, words
from security.approvals.models import Approval
from security.authentication.step_up import Binding
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up

LINES_MAX = 100
BY_AMOUNT, BY_LINES = "amount", "lines"


class RefundForm(forms.Form):
    """What is given back, and why: so much, or so many of each line."""

    by = forms.ChoiceField(
        label=gettext_lazy("What is refunded"),
        choices=[(BY_AMOUNT, gettext_lazy("An amount")), (BY_LINES, gettext_lazy("Order lines"))],
        widget=forms.RadioSelect,
    )
    amount = amounts.AmountField(label=gettext_lazy("Amount"), required=False)
    reason = forms.ChoiceField(
        label=gettext_lazy("Reason"),
        required=False,
        choices=[("", gettext_lazy("None")), *((name, words.REASONS[name]) for name in words.REFUND_REASONS)],
        widget=forms.Select(attrs={"class": "input"}),
    )

    def __init__(self, data: Any, *, lines: list[OrderLine], currency: str, initial: dict[str, Any]) -> None:
        super().__init__(data, initial=initial, auto_id="refund_%s")
        self.lines = lines
        amount = self.fields["amount"]
        assert isinstance(amount, amounts.AmountField), "the amount is an amount"
        amount.currency = currency
        for line in lines:
            left = line.quantity - line.refunded_quantity
            self.fields[_name(line)] = forms.IntegerField(
                label=line.description,
                required=False,
                min_value=0,
                max_value=left,
                error_messages={
                    "invalid": gettext_lazy("Write a whole number."),
                    "min_value": gettext_lazy("Write a whole number."),
                    "max_value": gettext_lazy("That is more than is left of this line."),
                },
                widget=forms.NumberInput(attrs={"class": "input input-number", "inputmode": "numeric"}),
            )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("by") == BY_AMOUNT and "amount" in given and not given["amount"]:
            self.add_error("amount", ValidationError(_("Enter an amount.")))
        is_readable = all(_name(line) in given for line in self.lines)
        if given.get("by") == BY_LINES and is_readable and not self.line_refunds():
            raise ValidationError(_("Say of at least one line how many go back."))
        return given

    def line_refunds(self) -> list[LineRefund]:
        """The lines that are named, for the room."""
        return [
            LineRefund(line_id=line.pk, quantity=self.cleaned_data[_name(line)])
            for line in self.lines
            if self.cleaned_data.get(_name(line))
        ]

    def rows(self) -> list[tuple[OrderLine, forms.BoundField, int]]:
        """Each line that has something left, with its field and how many are left."""
        return [
            (line, self[_name(line)], line.quantity - line.refunded_quantity)
            for line in self.lines
            if is_line_left(line)
        ]


@require_safe
@desk_page("payment.refund")
def choose(request: HttpRequest, desk: Desk, payment: str) -> HttpResponse:
    """What is to go back. The form leads to the confirm page, whose address says all of it."""
    asked = _read(desk, payment)
    if asked.intent.order.tendered_minor:
        # Several tenders paid it: what goes back, and how, is the order's.
        return HttpResponseRedirect(desk.url("order_refund", order=ids.show("ord", asked.intent.order_id)))
    if not asked.left_minor:
        return _nothing(request, desk, asked)
    # Led back here to change something, it is filled in as it was.
    form = asked.form(request.GET if request.GET.get("by") else None)
    context = {"token": request.GET.get("token") or standing.new_token(), **asked.context, **_ways(desk, payment)}
    context["waiting_url"] = second_person.waiting(desk, payment)
    return desk.render(request, "payments/refund.html", {**context, "form": form})


def _ways(desk: Desk, payment: str) -> dict[str, str]:
    return {
        "confirm_url": desk.url("refund_confirm", payment=payment),
        "back_url": desk.url("payment", payment=payment),
    }


def _binds(request: HttpRequest, desk: Desk, payment: str) -> Binding | None:
    """What a step-up on the way is for. None where there is nothing to confirm: the page says why, or did it before."""
    with tenancy.within(desk.book.pk):
        if deeds.refund_of(standing.token(request)) is not None:
            return None
    asked = _read(desk, payment)
    if not asked.left_minor:
        return None
    form = asked.form(request.GET)
    if not form.is_valid():
        return None
    try:
        amount = _worked_out(desk, asked, form).amount_minor
    except PlatformError:
        return None
    currency = asked.intent.currency
    return Binding(
        object_id=payment,
        amount_minor=amount,
        currency=currency,
        what=_("Refund %(amount)s") % {"amount": Money(amount, currency).text(locale())},
        is_required=is_large(amount, currency),
    )


def is_large(amount_minor: int, currency: str) -> bool:
    """Whether a refund asks once more for a factor."""
    return amount_minor > settings.REFUND_STEP_UP_ABOVE.get(currency, 0)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("payment.refund")
@step_up("payment.refund", binds=_binds)
def confirm(request: HttpRequest, desk: Desk, payment: str) -> HttpResponse:
    """What the refund would do (nothing is written), and then the refund. Sent twice, it is one refund."""
    token = standing.token(request)
    if request.method == "POST":
        with tenancy.within(desk.book.pk):
            done = deeds.refund_of(token)
        if done is not None:
            return _done(request, desk, payment, done)
    asked = _read(desk, payment)
    if not asked.left_minor:
        return _nothing(request, desk, asked, status=400)
    form = asked.form(request.GET)
    context = {**asked.context, **_ways(desk, payment), "form": form, "token": token}
    if not form.is_valid():
        return desk.render(request, "payments/refund.html", context, status=400)
    try:
        if request.method == "POST":
            refund_id = deeds.refund(
                **_terms(asked, form),
                reason=form.cleaned_data["reason"] or None,
                token=token,
                hand=standing.hand(desk),
            )
            return _done(request, desk, payment, refund_id)
        context |= _preview(desk, asked, form)
    except NeedsSecondPerson:
        return second_person.ask(request, desk, payment, lambda: _ask(desk, asked, form))
    except PlatformError as refused:
        form.add_error(None, words.refused(refused))
        return desk.render(request, "payments/refund.html", context, status=400)
    return desk.render(request, "payments/refund_confirm.html", context)


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment that somebody wants to refund, as both pages read it: four statements."""

    payment_id: str
    intent: PaymentIntent
    attempt: Attempt | None
    lines: list[OrderLine]
    pending_count: int

    @property
    def left_minor(self) -> int:
        return left_of(self.attempt)

    @property
    def has_lines(self) -> bool:
        """Whether it was an order of things, not an amount alone."""
        return not self.intent.order.is_implicit and any(is_line_left(line) for line in self.lines)

    @property
    def context(self) -> dict[str, Any]:
        return {
            "intent": self.intent,
            "whole_minor": self.intent.amount_minor,
            "currency": self.intent.currency,
            "payment_id": self.payment_id,
            "left_minor": self.left_minor,
            "has_lines": self.has_lines,
            "pending_count": self.pending_count,
        }

    def form(self, data: Any) -> RefundForm:
        assert self.attempt is not None, "what has something left has a charge"
        initial = {
            "by": BY_LINES if self.has_lines else BY_AMOUNT,
            "amount": amounts.plain_text(self.left_minor, self.attempt.currency),
        }
        return RefundForm(data, lines=self.lines, currency=self.attempt.currency, initial=initial)


def _read(desk: Desk, payment: str) -> Asked:
    with tenancy.within(desk.book.pk):
        intent = find(standing.object_id("pi", payment))
        if intent is None:
            raise Http404
        return Asked(
            payment_id=payment,
            intent=intent,
            attempt=Attempt.objects.get(pk=intent.latest_attempt_id) if intent.latest_attempt_id else None,
            lines=list(OrderLine.objects.filter(order_id=intent.order_id).order_by("pk")[:LINES_MAX]),
            pending_count=Refund.objects.filter(intent_id=intent.pk, status=states.REFUND_PENDING).count(),
        )


def _terms(asked: Asked, form: RefundForm) -> dict[str, Any]:
    """What the form says, for the room."""
    assert asked.attempt is not None, "what has something left has a charge"
    by_amount = form.cleaned_data["by"] == BY_AMOUNT
    return {
        "attempt_id": asked.attempt.pk,
        "amount_minor": form.cleaned_data["amount"] if by_amount else None,
        "lines": [] if by_amount else form.line_refunds(),
    }


def _worked_out(desk: Desk, asked: Asked, form: RefundForm) -> Preview:
    with tenancy.within(desk.book.pk):
        return refund_preview.preview(
            **_terms(asked, form),
            mode="live" if desk.book.livemode else "test",
            now=desk.now,
            origin=standing.origin(desk),
        )


def _ask(desk: Desk, asked: Asked, form: RefundForm) -> Approval:
    """Ask for what the page showed, to the unit."""
    assert asked.attempt is not None, "what has something left has a charge"
    worked_out = _worked_out(desk, asked, form)
    named = () if form.cleaned_data["by"] == BY_AMOUNT else worked_out.lines
    return asking.ask_for_payment(
        attempt=asked.attempt,
        amount_minor=worked_out.amount_minor,
        lines=[
            LineRefund(line_id=row.order_line_id, quantity=row.quantity, amount_minor=row.amount_minor) for row in named
        ],
        reason=form.cleaned_data["reason"] or None,
        staff_id=desk.staff.pk,
        hand=standing.hand(desk),
    )


def _preview(desk: Desk, asked: Asked, form: RefundForm) -> dict[str, Any]:
    preview = _worked_out(desk, asked, form)
    lines = {line.pk: line for line in asked.lines}
    attempt = asked.attempt
    return {
        "preview": preview,
        "needs_second": refund_limit.is_over(
            merchant=desk.merchant,
            currency=asked.intent.currency,
            refunded_minor=(attempt.refunded_minor if attempt else 0) + preview.amount_minor,
        ),
        "waiting_url": second_person.waiting(desk, asked.payment_id),
        "preview_lines": [
            {"description": lines[row.order_line_id].description, "row": row}
            for row in preview.lines
            if row.order_line_id in lines
        ],
        "method": words.method(attempt.method, (attempt.card or {}).get("brand", ""), attempt.card_last4 or "")
        if attempt
        else "",
        "reason": words.REASONS.get(form.cleaned_data["reason"], ""),
    }


def _nothing(request: HttpRequest, desk: Desk, asked: Asked, *, status: int = 200) -> HttpResponse:
    """The page that says why nothing can be refunded."""
    is_refunded = asked.attempt is not None and asked.attempt.status == states.CAPTURED
    why = words.refusal("charge_already_refunded" if is_refunded else "charge_not_refundable")
    return desk.render(request, "payments/refund_nothing.html", {**asked.context, "why": why}, status=status)


def _done(request: HttpRequest, desk: Desk, payment: str, refund_id: UUID) -> HttpResponse:
    """Back to the payment, with what became of the refund."""
    with tenancy.within(desk.book.pk):
        given = Refund.objects.get(pk=refund_id)
    amount = {"amount": Money(given.amount_minor, given.currency).text(locale())}
    if given.status == states.REFUND_SUCCEEDED:
        messages.success(request, _("%(amount)s refunded.") % amount)
    elif given.status == states.REFUND_PENDING:
        messages.info(request, _("%(amount)s is on its way back; the card's bank has yet to confirm it.") % amount)
    else:
        messages.error(request, _("The refund of %(amount)s failed; the money is back in your balance.") % amount)
    return HttpResponseRedirect(desk.url("payment", payment=payment))


def is_line_left(line: OrderLine) -> bool:
    """Whether something of a line can still be given back."""
    return line.amount_minor > line.refunded_minor


def _name(line: OrderLine) -> str:
    return f"quantity_{ids.show('li', line.pk)}"
