"""What people are mailed about their sign-in: codes, answers to what was asked for with an address, and notices.

The moments are allauth's, by the names of its letters; the words are ours, so that they
read the same in both languages as the pages that they belong to. Plain text alone: there
is nothing in them to click but an address of this platform.
"""

from collections.abc import Mapping
from typing import Any

from allauth.account import app_settings
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

# A code, and for how many seconds it works.
CODES: dict[str, tuple[Any, Any, int]] = {
    "login_code": (
        gettext_lazy("Your sign-in code"),
        gettext_lazy("With this code you sign in:"),
        app_settings.LOGIN_BY_CODE_TIMEOUT,
    ),
    "email_confirmation": (
        gettext_lazy("Confirm your e-mail address"),
        gettext_lazy("With this code you confirm that this address is yours:"),
        app_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
    ),
    "password_reset_code": (
        gettext_lazy("Set a new password"),
        gettext_lazy("With this code you set a new password:"),
        app_settings.PASSWORD_RESET_BY_CODE_TIMEOUT,
    ),
}
CODES["email_confirmation_signup"] = CODES["email_confirmation"]
# What is answered to an address, whoever typed it: the page says the same to everybody.
ANSWERS: dict[str, tuple[Any, Any, str]] = {
    "account_already_exists": (
        gettext_lazy("You have an account already"),
        gettext_lazy(
            "Somebody wanted to open an account with this address, and there is one. If it was you, sign in; "
            "if you forgot the password, set a new one:"
        ),
        "password_reset_url",
    ),
    "unknown_account": (
        gettext_lazy("There is no account with this address"),
        gettext_lazy(
            "Somebody wanted to sign in with this address, and there is no account with it. If it was you, "
            "look whether you used another address, or open an account:"
        ),
        "signup_url",
    ),
}
# What changed of what lets somebody in.
NOTICES: dict[str, tuple[Any, Any]] = {
    "email_changed": (
        gettext_lazy("Your e-mail address was changed"),
        gettext_lazy("The e-mail address of your account was changed from {from_email} to {to_email}."),
    ),
    "email_confirm": (
        gettext_lazy("Your e-mail address was confirmed"),
        gettext_lazy("The e-mail address of your account was confirmed."),
    ),
    "email_deleted": (
        gettext_lazy("An e-mail address was removed"),
        gettext_lazy("The e-mail address {deleted_email} was removed from your account."),
    ),
    "password_changed": (
        gettext_lazy("Your password was changed"),
        gettext_lazy("The password of your account was changed."),
    ),
    "password_reset": (
        gettext_lazy("Your password was changed"),
        gettext_lazy("A new password was set for your account with a code from an e-mail."),
    ),
    "password_set": (gettext_lazy("A password was set"), gettext_lazy("A password was set for your account.")),
    "phone_changed": (
        gettext_lazy("Mobile number set"),
        gettext_lazy("A mobile number was set for your account. Codes to sign in by can be sent to it."),
    ),
    "phone_removed": (
        gettext_lazy("Mobile number removed"),
        gettext_lazy("The mobile number was removed from your account."),
    ),
    "recovery_codes_generated": (
        gettext_lazy("New recovery codes were made"),
        gettext_lazy("New recovery codes were made for your account. The old ones do not work any more."),
    ),
    "totp_activated": (
        gettext_lazy("An authenticator app was added"),
        gettext_lazy("An authenticator app was added to your account."),
    ),
    "totp_deactivated": (
        gettext_lazy("The authenticator app was removed"),
        gettext_lazy("The authenticator app was removed from your account."),
    ),
    "webauthn_added": (gettext_lazy("A passkey was added"), gettext_lazy("A passkey was added to your account.")),
    "webauthn_removed": (
        gettext_lazy("A passkey was removed"),
        gettext_lazy("A passkey was removed from your account."),
    ),
}


def letter(name: str, told: Mapping[str, Any]) -> tuple[str, str]:
    """A letter's subject and text, in the active language. Raises KeyError for one that nobody worded."""
    if name in CODES:
        subject, words, seconds = CODES[name]
        parts = [words, told["code"], _works(seconds), _("If you did not ask for it, do nothing: nobody gets in.")]
    elif name in ANSWERS:
        subject, words, address = ANSWERS[name]
        parts = [words, told[address], _("If it was not you, do nothing.")]
    else:
        subject, words = NOTICES[name]
        parts = [words.format(**told), _circumstances(told), _remedy()]
    return f"[{settings.SITE_NAME}] {subject}", "\n\n".join(str(part) for part in parts)


def _works(seconds: int) -> str:
    minutes = seconds // 60
    return ngettext(
        "It works for {minutes} minute, once. Nobody from us ever asks for it.",
        "It works for {minutes} minutes, once. Nobody from us ever asks for it.",
        minutes,
    ).format(minutes=minutes)


def _circumstances(told: Mapping[str, Any]) -> str:
    """From where, with what and when: by these somebody sees whether it was they."""
    return _("When: {time} UTC\nNetwork address: {ip}\nBrowser: {browser}").format(
        time=f"{told['timestamp']:%Y-%m-%d %H:%M}", ip=told["ip"], browser=told["user_agent"] or "–"
    )


def _remedy() -> str:
    return _(
        "Was it not you? Set a new password and end the sessions that you do not know:\n{password}\n{sessions}"
    ).format(
        password=settings.PUBLIC_URL + reverse("account_reset_password"),
        sessions=settings.PUBLIC_URL + reverse("usersessions_list"),
    )
