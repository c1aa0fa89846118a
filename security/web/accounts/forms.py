"""allauth's forms of second factors, with the checks that this platform adds (settings.MFA_FORMS)."""

from datetime import datetime
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.internal.flows.add import validate_can_add_authenticator
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from merchant_platform.kernel import clock
from security.authentication import codes, passkeys

ASKED_AT = "passkey_asked_at"
# What allauth writes itself, and translates in other words than the rest of the platform does.
WORDS = (
    gettext_noop("Already have an account? Then please %(link)ssign in%(end_link)s."),
    gettext_noop("Email"),
    gettext_noop("Other options"),
    gettext_noop("Passkey Sign Up"),
    gettext_noop("Sign up using a passkey"),
)


def note_question() -> None:
    """Remember when this browser was handed a challenge."""
    context.request.session[ASKED_AT] = clock.wall().timestamp()


class _SpendsCode:
    """A code opens once, however often and wherever it is sent."""

    user: Any
    cleaned_data: dict[str, Any]
    authenticator: Authenticator
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Code")

    def clean_code(self) -> str:
        clear = check_rate_limit(self.user)
        code = self.cleaned_data["code"]
        factor = codes.use(user=self.user, code=code, now=clock.wall())
        if factor is None:
            raise get_adapter().validation_error("incorrect_code")
        factor.user = self.user
        self.authenticator = factor
        clear()
        return code


class AuthenticateForm(_SpendsCode, base.AuthenticateForm):
    pass


class ReauthenticateForm(_SpendsCode, base.ReauthenticateForm):
    pass


class ActivateTOTPForm(totp.ActivateTOTPForm):
    """The first code proves the seed; `step` is the one it was of, which then is spent."""

    step: int

    def clean_code(self) -> str:
        validate_can_add_authenticator(self.user)
        clear = check_rate_limit(self.user, error_key="rate_limited")
        code = "".join(self.cleaned_data["code"].split())
        step = codes.matching_step(seed=self.secret, code=code, now=clock.wall())
        if step is None:
            raise get_adapter().validation_error("incorrect_code")
        clear()
        self.step = step
        return code


class StepUpForm(_SpendsCode, base.BaseAuthenticateForm):
    """A code for one act: the session is as strong as it was."""


class _Answer(forms.JSONField):
    """What a passkey answered. Nested without end, it is as unreadable as what is no JSON."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class _AsksPasskey:
    """Notes when a challenge is handed out, and refuses answers from elsewhere or to one of long ago."""

    is_bound: bool
    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = _Answer(widget=forms.HiddenInput)
        # What was asked before is answered by this form; what is asked next is another page's.
        self.asked_at = context.request.session.get(ASKED_AT)
        note_question()

    def check(self, credential: Any) -> None:
        asked_at = self.asked_at and datetime.fromtimestamp(self.asked_at, clock.wall().tzinfo)
        try:
            passkeys.check_answer(credential=credential, asked_at=asked_at, now=clock.wall())
        except passkeys.Refused as refused:
            raise get_adapter().validation_error("incorrect_code") from refused


class _AnswersPasskey(_AsksPasskey):
    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]  # type: ignore[attr-defined]
        self.check(credential)
        factor = super().clean_credential()  # type: ignore[misc]
        try:
            passkeys.check_counter(factor=factor, credential=credential)
        except passkeys.Refused as refused:
            raise get_adapter().validation_error("incorrect_code") from refused
        return factor


class AuthenticateWebAuthnForm(_AnswersPasskey, webauthn.AuthenticateWebAuthnForm):
    pass


class ReauthenticateWebAuthnForm(_AnswersPasskey, webauthn.ReauthenticateWebAuthnForm):
    pass


class LoginWebAuthnForm(_AnswersPasskey, webauthn.LoginWebAuthnForm):
    pass


class _MakesPasskey(_AsksPasskey):
    def clean(self) -> dict[str, Any]:
        credential = self.cleaned_data.get("credential")  # type: ignore[attr-defined]
        if credential:
            self.check(credential)
        return super().clean()  # type: ignore[misc]


class AddWebAuthnForm(_MakesPasskey, webauthn.AddWebAuthnForm):
    pass


class SignupWebAuthnForm(_MakesPasskey, webauthn.SignupWebAuthnForm):
    pass
