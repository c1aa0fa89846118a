"""Refund an order that several tenders paid: choose, see how it splits, then do it, once."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.money import Money
from merchant_platform.kernel.templatetags.ui import locale
from payments.intents import order_deeds, order_refunds, refund_limit, refunds
from payments.intents import second_person as asking
from payments.intents.order_refunds import OrderRefund
from payments.intents.refund_limit import NeedsSecondPerson
from payments.intents.refunds import LineRefund
from payments.orders.models import Order, OrderLine
from payments.web.dashboard import amounts, orders, second_person, standing, words
from payments.web.dashboard.refund import BY_AMOUNT, BY_LINES, LINES_MAX, RefundForm, is_large, is_line_left
from security.approvals.models import Approval
from security.authentication.step_up import Binding
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up


class Asked:
    """An order that somebody wants to refund, as both pages read it: five statements."""

    def __init__(self, desk: Desk, shown: str) -> None:
        with tenancy.within(desk.book.pk):
            self.order: Order = orders.find(shown)
            self.lines = list(OrderLine.objects.filter(order_id=self.order.pk).order_by("pk")[:LINES_MAX])
            self.sources = order_refunds.sources_of(self.order)
        self.shown = shown
        self.left_minor = sum(source.left_minor for source in self.sources)
        self.has_lines = not self.order.is_implicit and any(is_line_left(line) for line in self.lines)

    def form(self, data: Any) -> RefundForm:
        initial = {
            "by": BY_LINES if self.has_lines else BY_AMOUNT,
            "amount": amounts.plain_text(self.left_minor, self.order.currency),
        }
        return RefundForm(data, lines=self.lines, currency=self.order.currency, initial=initial)

    def terms(self, form: RefundForm) -> dict[str, Any]:
        by_amount = form.cleaned_data["by"] == BY_AMOUNT
        return {
            "order_id": self.order.pk,
            "amount_minor": form.cleaned_data["amount"] if by_amount else None,
            "lines": [] if by_amount else form.line_refunds(),
        }

    def context(self, desk: Desk) -> dict[str, Any]:
        return {
            "order": self.order,
            "whole_minor": self.order.paid_minor,
            "currency": self.order.currency,
            "left_minor": self.left_minor,
            "has_lines": self.has_lines,
            "parts": [orders.part(desk, source) for source in self.sources],
            "confirm_url": desk.url("order_refund_confirm", order=self.shown),
            "choose_url": desk.url("order_refund", order=self.shown),
            "back_url": desk.url("order", order=self.shown),
            "waiting_url": second_person.waiting(desk, self.shown),
        }


@require_safe
@desk_page("payment.refund")
def choose(request: HttpRequest, desk: Desk, order: str) -> HttpResponse:
    """What is to go back. The form leads to the confirm page, whose address says all of it."""
    asked = Asked(desk, order)
    form = asked.form(request.GET if request.GET.get("by") else None)
    context = {"token": request.GET.get("token") or standing.new_token(), **asked.context(desk), "form": form}
    return desk.render(request, "payments/order_refund.html", context)


def _binds(request: HttpRequest, desk: Desk, order: str) -> Binding | None:
    """What a step-up on the way is for. None where there is nothing to confirm: the page says why, or did it before."""
    with tenancy.within(desk.book.pk):
        if order_deeds.is_done(standing.token(request)):
            return None
    asked = Asked(desk, order)
    form = asked.form(request.GET)
    if not asked.left_minor or not form.is_valid():
        return None
    try:
        amount = _worked_out(desk, asked, form).amount_minor
    except PlatformError:
        return None
    currency = asked.order.currency
    return Binding(
        object_id=order,
        amount_minor=amount,
        currency=currency,
        what=_("Refund %(amount)s") % {"amount": Money(amount, currency).text(locale())},
        is_required=is_large(amount, currency),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page("payment.refund")
@step_up("payment.refund", binds=_binds)
def confirm(request: HttpRequest, desk: Desk, order: str) -> HttpResponse:
    """How the refund splits (nothing is written), and then the refund. Sent twice, it is one refund."""
    token = standing.token(request)
    if request.method == "POST":
        with tenancy.within(desk.book.pk):
            is_done = order_deeds.is_done(token)
        if is_done:
            return HttpResponseRedirect(desk.url("order", order=order))
    asked = Asked(desk, order)
    form = asked.form(request.GET)
    context = {**asked.context(desk), "form": form, "token": token}
    if not asked.left_minor or not form.is_valid():
        return desk.render(request, "payments/order_refund.html", context, status=400)
    try:
        worked_out = _worked_out(desk, asked, form)
        if request.method == "POST":
            order_deeds.refund(
                **asked.terms(form),
                reason=form.cleaned_data["reason"] or None,
                token=token,
                hand=standing.hand(desk),
            )
            amount = Money(worked_out.amount_minor, asked.order.currency).text(locale())
            messages.success(request, _("%(amount)s goes back.") % {"amount": amount})
            return HttpResponseRedirect(desk.url("order", order=order))
    except NeedsSecondPerson:
        return second_person.ask(request, desk, order, lambda: _ask(desk, asked, form, worked_out))
    except PlatformError as refused:
        form.add_error(None, words.refused(refused))
        return desk.render(request, "payments/order_refund.html", context, status=400)
    context |= {
        "needs_second": refund_limit.is_over(
            merchant=desk.merchant,
            currency=asked.order.currency,
            refunded_minor=asked.order.refunded_minor + worked_out.amount_minor,
        ),
        "amount_minor": worked_out.amount_minor,
        "split": _split(asked, worked_out),
        "after_minor": asked.left_minor - worked_out.amount_minor,
        "reason": words.REASONS.get(form.cleaned_data["reason"], ""),
    }
    return desk.render(request, "payments/order_refund_confirm.html", context)


def _ask(desk: Desk, asked: Asked, form: RefundForm, worked_out: OrderRefund) -> Approval:
    """Ask for what the page showed, to the unit."""
    terms = asked.terms(form)
    named = terms["lines"]
    shares = refunds.shares_of(asked.order, None, named, left=asked.left_minor, of="order") if named else []
    return asking.ask_for_order(
        order=asked.order,
        amount_minor=worked_out.amount_minor,
        lines=[LineRefund(line_id=line.pk, quantity=count, amount_minor=minor) for line, count, minor in shares],
        reason=form.cleaned_data["reason"] or None,
        staff_id=desk.staff.pk,
        hand=standing.hand(desk),
    )


def _worked_out(desk: Desk, asked: Asked, form: RefundForm) -> OrderRefund:
    with tenancy.within(desk.book.pk):
        return order_deeds.preview(
            **asked.terms(form),
            mode=desk.book.mode,
            now=desk.now,
            origin=standing.origin(desk),
        )


def _split(asked: Asked, given: OrderRefund) -> list[dict[str, Any]]:
    """What goes back to what, in the order in which it does."""
    by_attempt = {source.attempt.pk: orders.name_of(source) for source in asked.sources if source.attempt}
    by_tender = {source.tender.pk: orders.name_of(source) for source in asked.sources if source.tender}
    return [
        {"name": by_attempt[each.attempt_id], "amount_minor": each.amount_minor, "units": None}
        for each in given.refunds
    ] + [
        {"name": by_tender[each.tender_id], "amount_minor": each.amount_minor, "units": each.units}
        for each in given.tender_refunds
    ]
