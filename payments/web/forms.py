"""What a payer types on the checkout page."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SignIn(forms.Form):
    """A consumer's own login."""

    email = forms.EmailField(
        label=_("E-mail address of your wallet"),
        max_length=320,
        error_messages={"required": _("Enter your e-mail address."), "invalid": _("This is no e-mail address.")},
        widget=forms.EmailInput(attrs={"autocomplete": "username", "class": "input"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        strip=False,
        error_messages={"required": _("Enter your password.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "input"}),
    )
