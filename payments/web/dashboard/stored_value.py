"""Gift cards and stored-value cards: listed, issued, loaded, frozen, with all that happened to each."""

from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import NotFound, PlatformError
from payments.stored_value import objects, operations, queries, states
from payments.stored_value.models import GIFT, STORED, StoredValueCard
from payments.web.dashboard import standing, words
from payments.web.dashboard.amounts import AmountField
from payments.web.dashboard.links import url_of
from security.web import forms, lists
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.parts import Chip, Tab

STATEMENT_MAX = 50
TABS: dict[str, Any] = {"all": gettext_lazy("All"), **{name: word for name, (_kind, word) in words.CARD_STATES.items()}}
forms.WORDS |= {
    operations.NotSpendable: gettext_lazy("This card is frozen or has expired."),
    operations.LoadTooLarge: gettext_lazy("That is more than a card can be loaded with."),
}


class LoadForm(forms.DeskForm):
    """What goes onto a card, and what is added to it."""

    amount = AmountField(label=gettext_lazy("Amount paid for"), required=False)
    bonus = AmountField(
        label=gettext_lazy("Bonus"),
        required=False,
        help_text=gettext_lazy("Added by you, spent last, never paid out."),
    )

    def __init__(self, *args: Any, currency: str, needs_amount: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self.needs_amount = needs_amount
        for name in ("amount", "bonus"):
            field = self.fields[name]
            assert isinstance(field, AmountField), "both are amounts"
            field.currency = currency

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.needs_amount and not self.errors and not given.get("amount") and not given.get("bonus"):
            self.add_error("amount", _("Enter an amount."))
        return given

    @property
    def amounts(self) -> dict[str, Any]:
        return {"amount_minor": self.cleaned_data["amount"] or 0, "bonus_minor": self.cleaned_data["bonus"] or 0}


class IssueForm(LoadForm):
    """A new card: of which kind, and what is on it at once."""

    kind = django_forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=[(GIFT, words.CARD_KINDS[GIFT]), (STORED, words.CARD_KINDS[STORED])]
    )
    field_order = ("kind", "amount", "bonus")


@require_safe
@desk_page("stored_value.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The cards, newest first, and what they come to: seven statements, and two where a number is looked for."""
    tab = lists.chosen(request, "tab", TABS, "all")
    text = request.GET.get("q", "").strip()
    last4 = text[-4:] if text.isascii() and text.isdigit() and len(text) <= 19 else ""
    with tenancy.within(desk.book.pk):
        rows = StoredValueCard.objects.select_related("customer")
        if tab != "all":
            rows = rows.filter(status=tab)
        if text:
            rows = rows.filter(last4=last4) if last4 else rows.none()
        page = lists.page(rows, request, prefix="svc")
        found = queries.balances(page.rows)
        liabilities = queries.liabilities(mode=desk.book.mode)
    tabs = [
        Tab(title, lists.query(request, tab=None if name == "all" else name), is_current=name == tab)
        for name, title in TABS.items()
    ]
    context = {
        "cards": [_line(desk, card, balance) for card, balance in zip(page.rows, found, strict=True)],
        "liabilities": liabilities,
        "tabs": tabs,
        "tab": tab,
        "ways": page.ways,
        "text": text[:19],
        "chips": [Chip(_("Number"), text[:19], lists.query(request, q=None))] if text else [],
    }
    return desk.render(request, "stored_value/list.html", context)


@never_cache
@sensitive_variables("number", "pin", "made")
@desk_page("stored_value.manage")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Issue one. Its number and its PIN are on the page that answers, and nowhere else."""
    currency = desk.merchant.default_currency
    form = IssueForm(request.POST or None, currency=currency, needs_amount=False)
    if request.method == "POST" and form.is_valid():
        made: list[tuple[StoredValueCard, str, str]] = []

        def issue() -> str:
            card, number, pin = operations.issue(
                kind=form.cleaned_data["kind"],
                currency=currency,
                customer_id=None,
                expires_at=None,
                metadata=None,
                now=desk.now,
                origin=standing.origin(desk),
            )
            if any(form.amounts.values()):
                operations.load(card_id=card.pk, **form.amounts, now=desk.now, origin=standing.origin(desk))
            note(desk, "stored_value.issue", card.shown_id, currency=currency, **form.amounts)
            made.append((card, number, pin))
            return desk.url("stored_value_card", card=card.shown_id)

        try:
            response = forms.submit(request, desk, issue)
        except PlatformError as refused:
            form.refuse(refused)
        else:
            if made:
                card, number, pin = made[0]
                grouped = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
                context = {"number": grouped, "pin": pin, "card_url": _url(desk, card)}
                return desk.render(request, "stored_value/made.html", context)
            messages.info(
                request,
                _("This form was sent before. If you did not see the card's number, freeze it and issue another."),
            )
            return response
    form.focus_first_error()
    return desk.render(request, "stored_value/form.html", {"form": form, "back": desk.url("stored_value")})


@require_safe
@desk_page("stored_value.view")
def detail(request: HttpRequest, desk: Desk, card: str) -> HttpResponse:
    """All that is known of one, and its newest movements. Six statements."""
    with tenancy.within(desk.book.pk):
        row = _find(card)
    return _detail(request, desk, row, LoadForm(currency=row.currency))


@require_POST
@desk_page("stored_value.manage")
def load(request: HttpRequest, desk: Desk, card: str) -> HttpResponse:
    """Put value on it by the merchant's word: it was paid at a till, or is a favour."""
    with tenancy.within(desk.book.pk):
        row = _find(card)
    form = LoadForm(request.POST, currency=row.currency)
    if form.is_valid():

        def put() -> str:
            operations.load(card_id=row.pk, **form.amounts, now=desk.now, origin=standing.origin(desk))
            note(desk, "stored_value.load", row.shown_id, currency=row.currency, **form.amounts)
            return _url(desk, row)

        if done := forms.send(request, desk, form, put, words=_("The card was loaded.")):
            return done
    form.focus_first_error()
    return _detail(request, desk, row, form, status=400)


@require_POST
@desk_page("stored_value.manage")
def switch(request: HttpRequest, desk: Desk, card: str) -> HttpResponse:
    """Freeze it, or let it be spent again: each undoes the other."""
    freezes = request.POST.get("frozen") == "true"
    with tenancy.within(desk.book.pk):
        row = _find(card)

    def turn() -> str:
        act = operations.freeze if freezes else operations.unfreeze
        act(card_id=row.pk, now=desk.now, origin=standing.origin(desk))
        note(desk, "stored_value.freeze" if freezes else "stored_value.unfreeze", row.shown_id)
        return _url(desk, row)

    said = _("The card is frozen: nobody can spend it.") if freezes else _("The card can be spent again.")
    return forms.press(request, desk, turn, back=_url(desk, row), words=said)


@never_cache
@require_POST
@sensitive_variables("made")
@desk_page("stored_value.manage")
def renew_pin(request: HttpRequest, desk: Desk, card: str) -> HttpResponse:
    """Give it another PIN, which is on the page that answers, and nowhere else."""
    with tenancy.within(desk.book.pk):
        row = _find(card)
    made: list[str] = []

    def renew() -> str:
        made.append(operations.renew_pin(card_id=row.pk)[1])
        note(desk, "stored_value.pin", row.shown_id)
        return _url(desk, row)

    response = forms.submit(request, desk, renew)
    if made:
        context = {"number": f"•••• {row.last4}", "pin": made[0], "card_url": _url(desk, row)}
        return desk.render(request, "stored_value/made.html", context)
    return response


def _detail(request: HttpRequest, desk: Desk, row: StoredValueCard, form: LoadForm, *, status: int = 200) -> Any:
    with tenancy.within(desk.book.pk):
        balance = queries.balance(row)
        movements = queries.statement(row, limit=STATEMENT_MAX)
    kind, word = words.CARD_STATES[row.status]
    customer = row.customer if row.customer_id and desk.may("customer.view") else None
    context = {
        "card": row,
        "shown_id": row.shown_id,
        "kind": kind,
        "word": word,
        "title": words.CARD_KINDS[row.kind],
        "balance": balance,
        "reserved_minor": balance.posted_minor - balance.available_minor,
        "movements": [_movement(desk, each) for each in movements],
        "customer": customer,
        "customer_url": url_of(desk, "customer", customer=ids.show("cus", customer.pk)) if customer else "",
        "is_locked": row.failed_pins_count >= operations.WRONG_PINS_MAX,
        "is_frozen": row.status == states.FROZEN,
        "may_load": desk.may("stored_value.manage") and row.status in (states.ACTIVE, states.INACTIVE),
        "may_switch": desk.may("stored_value.manage") and row.status != states.EXPIRED,
        "form": form,
    }
    return desk.render(request, "stored_value/card.html", context, status=status)


def _line(desk: Desk, card: StoredValueCard, balance: queries.Balance) -> dict[str, Any]:
    kind, word = words.CARD_STATES[card.status]
    customer = str(card.customer) if card.customer and desk.may("customer.view") else ""
    return {"row": card, "id": card.shown_id, "title": words.CARD_KINDS[card.kind], "kind": kind, "word": word,
            "balance": balance, "customer": customer}  # fmt: skip


def _movement(desk: Desk, each: queries.Movement) -> dict[str, Any]:
    line = each.line
    name = objects.MOVEMENTS[line.kind]
    is_order = name in ("payment", "refund") and line.source_id is not None
    order_id = ids.show("ord", line.source_id) if is_order and line.source_id else ""
    return {
        "title": words.CARD_MOVEMENTS[name],
        "is_bonus": each.is_bonus,
        "amount_minor": line.amount_minor,
        "at": line.effective_at,
        "order_url": url_of(desk, "order", order=order_id) if order_id and desk.may("payment.view") else "",
    }


def _find(shown: str) -> StoredValueCard:
    try:
        return queries.find(standing.object_id("svc", shown))
    except NotFound as gone:
        raise Http404 from gone


def _url(desk: Desk, card: StoredValueCard) -> str:
    return desk.url("stored_value_card", card=card.shown_id)
