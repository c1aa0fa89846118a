"""The filters of the lists, as addresses and forms say them."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import ids, money
from payments.listing import payments, refunds, transactions
from payments.listing.windows import Span
from payments.web.dashboard import amounts, standing, words
from security.web.desk import Desk
from security.web.parts import Chip, Tab

TEXT_MAX = 500


class DateField(forms.DateField):
    """A day as the address says it: YYYY-MM-DD and nothing else."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False,
            input_formats=["%Y-%m-%d"],
            error_messages={"invalid": _("Write a day as YYYY-MM-DD.")},
            widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
            **options,
        )


class ListFilter(forms.Form):
    """The filters that every list has. A field that is not set is no filter."""

    created_from = DateField(label=_("Since"))
    created_to = DateField(label=_("To (that day too)"))
    currency = forms.CharField(
        label=_("Currency"),
        required=False,
        max_length=3,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off", "placeholder": "CNY"}),
    )

    tabs: dict[str, Any] = {"all": _("All")}
    # What stands together behind one chip.
    together: tuple[tuple[Any, tuple[str, ...]], ...] = ((_("Date"), ("created_from", "created_to")),)

    def __init__(self, request: HttpRequest, desk: Desk) -> None:
        super().__init__(request.GET, prefix=None)
        self.request, self.desk = request, desk
        self.tab = request.GET.get("status") or "all"

    def clean_currency(self) -> str:
        code = self.cleaned_data["currency"].upper()
        if code and code not in money.currencies():
            raise ValidationError(_("Write a currency's code, such as CNY."))
        return code

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.tab not in self.tabs:
            raise ValidationError(_("There is no such status."))
        since, until = given.get("created_from"), given.get("created_to")
        if since and until and until < since:
            self.add_error("created_to", _("This day is before the first."))
        return given

    @property
    def span(self) -> Span:
        """The days that are asked for, half-open, in the merchant's zone."""
        since, until = self.cleaned_data["created_from"], self.cleaned_data["created_to"]
        return Span(
            since=_midnight(since, self.desk.zone) if since else None,
            until=_midnight(until + timedelta(days=1), self.desk.zone) if until and until < date.max else None,
        )

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The fields by chip; one with a mistake stands open."""
        grouped = {name for _title, names in self.together for name in names}
        alone = [(self.fields[name].label, (name,)) for name in self.fields if name not in grouped]
        return [
            {
                "title": title,
                "fields": [self[name] for name in names],
                "is_wrong": any(name in self.errors for name in names),
            }
            for title, names in (*self.together, *alone)
        ]

    def chips(self) -> list[Chip]:
        """A chip a filter that is set, each with the address without it."""
        return [
            Chip(self.fields[name].label, value, standing.query(self.request, without=[name]))
            for name, value in self.values()
        ]

    def values(self) -> Iterator[tuple[str, str]]:
        """The filters that are set, with what they say."""
        for name in self.fields:
            value = self.request.GET.get(name, "").strip()
            if value:
                yield name, str(self._said(name, value))

    def _said(self, name: str, value: str) -> Any:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            return dict(field.choices).get(value, value)  # type: ignore[arg-type]
        return value[:60]

    @property
    def is_set(self) -> bool:
        return any(True for _each in self.values())

    @property
    def clear_url(self) -> str:
        return standing.query(self.request, without=self.fields)

    def tab_links(self, counts: Any) -> list[Tab]:
        """The list's tabs; a count that was not counted to its end says so."""
        return [
            Tab(
                title,
                standing.query(self.request, status="" if name == "all" else name),
                _count(counts, name) if counts is not None else None,
                is_current=name == self.tab,
            )
            for name, title in self.tabs.items()
        ]


class PaymentFilter(ListFilter):
    """The filters of the list of payments."""

    amount_min = amounts.AmountField(label=_("At least"), required=False)
    amount_max = amounts.AmountField(label=_("At most"), required=False)
    method = forms.ChoiceField(
        label=_("Method"),
        required=False,
        choices=[("", _("Any")), *words.METHODS.items()],
        error_messages={"invalid_choice": _("There is no such method.")},
        widget=forms.Select(attrs={"class": "input"}),
    )
    last4 = forms.RegexField(
        label=_("Last four digits"),
        regex=r"^[0-9]{4}$",
        required=False,
        error_messages={"invalid": _("Write the card's last four digits.")},
        widget=forms.TextInput(attrs={"class": "input", "inputmode": "numeric", "maxlength": "4"}),
    )
    customer = forms.CharField(
        label=_("Customer"),
        required=False,
        max_length=TEXT_MAX,
        help_text=_("How the name begins, the end of the telephone number, an e-mail address, or the id."),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    order = forms.CharField(
        label=_("Order number"),
        required=False,
        max_length=TEXT_MAX,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    metadata = forms.CharField(
        label=_("Metadata"),
        required=False,
        max_length=TEXT_MAX + 50,
        help_text=_("As key=value."),
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off", "placeholder": "key=value"}),
    )

    tabs = words.TABS
    together = (*ListFilter.together, (_("Amount"), ("amount_min", "amount_max")))

    def __init__(self, request: HttpRequest, desk: Desk) -> None:
        super().__init__(request, desk)
        if not desk.may("customer.view"):
            # Who may not know the customers does not find payments by what they are called either.
            del self.fields["customer"]
        currency = request.GET.get("currency", "").upper()
        for name in ("amount_min", "amount_max"):
            field = self.fields[name]
            assert isinstance(field, amounts.AmountField), "the two amounts are amounts"
            field.currency = currency if currency in money.currencies() else desk.merchant.default_currency

    def clean_metadata(self) -> tuple[str, str] | None:
        text = self.cleaned_data["metadata"]
        if not text:
            return None
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise ValidationError(_("Write a key and a value, as key=value."))
        return key.strip(), value.strip()

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        least, most = given.get("amount_min"), given.get("amount_max")
        if least is not None and most is not None and most < least:
            self.add_error("amount_max", _("This is less than the least."))
        return given

    @property
    def filters(self) -> payments.Filters:
        given = self.cleaned_data
        return payments.Filters(
            tab=self.tab,
            span=self.span,
            amount_min=given["amount_min"],
            amount_max=given["amount_max"],
            currency=given["currency"],
            method=given["method"],
            last4=given["last4"],
            customer=given.get("customer", ""),
            order=given["order"],
            metadata=given["metadata"],
        )


class RefundFilter(ListFilter):
    """The filters of the list of refunds."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        required=False,
        choices=[("", _("Any")), *((name, words.REASONS[name]) for name in words.REFUND_REASONS)],
        error_messages={"invalid_choice": _("There is no such reason.")},
        widget=forms.Select(attrs={"class": "input"}),
    )
    payment = forms.CharField(
        label=_("Payment"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off", "placeholder": "pi_"}),
    )

    tabs = words.REFUND_TABS

    def clean_payment(self) -> Any:
        text = self.cleaned_data["payment"].strip()
        try:
            return ids.parse("pi", text) if text else None
        except ids.MalformedId as error:
            raise ValidationError(_("Write a payment's id, which begins with pi_.")) from error

    @property
    def filters(self) -> refunds.Filters:
        given = self.cleaned_data
        return refunds.Filters(
            tab=self.tab,
            span=self.span,
            currency=given["currency"],
            reason=given["reason"],
            payment=given["payment"],
        )


class TransactionFilter(ListFilter):
    """The filters of the list of balance transactions."""

    type = forms.ChoiceField(
        label=_("Type"),
        required=False,
        choices=[("", _("Any")), *words.TRANSACTIONS.items()],
        error_messages={"invalid_choice": _("There is no such type.")},
        widget=forms.Select(attrs={"class": "input"}),
    )

    @property
    def filters(self) -> transactions.Filters:
        given = self.cleaned_data
        return transactions.Filters(type=given["type"], span=self.span, currency=given["currency"])


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def _count(counts: Any, tab: str) -> str:
    number = f"{counts.by_tab.get(tab, 0):,}"
    return f"{number}+" if tab in counts.capped else number
