"""A login's telephone number: prove one, change it, take it away, sign in by a code sent to it."""

from typing import Any

from allauth.account import forms as account
from allauth.account import views
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core import context, ratelimit
from allauth.core.internal.httpkit import authenticated_user
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from security.authentication import phones, trail
from security.messaging.numbers import masked


class PhoneField(forms.CharField):
    """A mobile number in its one form, however it was typed."""

    widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"label": gettext_lazy("Mobile number"), "max_length": phones.LENGTH_MAX, **options})

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        try:
            return phones.read(typed) if typed else ""
        except phones.NumberInvalid as refused:
            raise ValidationError(_("Write a mobile number that we can send a message to.")) from refused


class LoginForm(account.LoginForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        login = self.fields["login"]
        login.label = gettext_lazy("E-mail address or mobile number")
        login.widget.attrs |= {"placeholder": "", "autocomplete": "username", "inputmode": "email"}

    def clean_login(self) -> str:
        login = super().clean_login()
        try:
            return phones.read(login)
        except phones.NumberInvalid:
            return login


class RequestLoginCodeForm(account.RequestLoginCodeForm):
    """Where the code goes to. A number of staff is as unknown as one of nobody: a text does not open a till."""

    _user: Any = None

    def clean_phone(self) -> str:
        phone = super().clean_phone()
        if phone and self._user is not None and trail.needs_second_factor(self._user):
            self._user = None
        return phone

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if not self.errors and not (said.get("email") or said.get("phone")):
            raise ValidationError(_("Write your e-mail address or your mobile number."))
        return said


class _CountsTries:
    """Guesses at what was sent to a number are counted for the number, in whichever browser they are made."""

    phone: str | None

    def clean_code(self) -> str:
        if self.phone and not ratelimit.consume(context.request, action="sms_try", key=self.phone):
            raise get_adapter().validation_error("too_many_login_attempts")
        return super().clean_code()  # type: ignore[misc]


class ConfirmLoginCodeForm(_CountsTries, account.ConfirmLoginCodeForm):
    def __init__(self, *args: Any, phone: str | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.phone = phone


class VerifyPhoneForm(_CountsTries, account.VerifyPhoneForm):
    pass


class ChangePhoneForm(account.ChangePhoneForm):
    pass


class ConfirmLoginCodeView(views.ConfirmLoginCodeView):
    """Knows which number a guess is about. Whom nobody knows is sent nothing again, in the same words."""

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if self._action == "verify":
            kwargs["phone"] = self._process.state.get("phone")
        return kwargs

    def _resend_form_valid(self, form: Any) -> HttpResponse:
        phone = self._process.state.get("phone")
        if phone is None or self._process.user is not None:
            return super()._resend_form_valid(form)
        get_adapter().send_unknown_account_sms(phone)
        self._process.add_sent_message({"recipient": phone, "phone": phone})
        self._process.record_resend()
        self._process.persist()
        return HttpResponseRedirect(self.passthrough_next_url(reverse("account_confirm_login_code")))


class ChangePhoneView(views.ChangePhoneView):
    """The number that is there, masked, and a field for another one."""

    def get_context_data(self, **given: Any) -> dict[str, Any]:
        told = super().get_context_data(**given)
        user = authenticated_user(self.request)
        shown = masked(told["phone"]) if told["phone"] else ""
        return {**told, "phone": shown, "is_told": trail.needs_second_factor(user)}


@require_POST
@login_required
def remove(request: HttpRequest) -> HttpResponse:
    """Take the number away. Whoever does it showed lately who they are, and is told of it."""
    user = authenticated_user(request)
    raise_if_reauthentication_required(request, app="allauth.account")
    adapter = get_adapter()
    with transaction.atomic():
        # The last text to the number says that it was removed.
        number = phones.number_of(user)
        if number is not None:
            adapter.send_notification_mail("account/email/phone_removed", user)
            phones.forget(user=user)
    if number is not None:
        messages.success(request, _("The number was removed."))
    return HttpResponseRedirect(reverse("account_change_phone"))
