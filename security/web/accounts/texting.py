"""What the platform sends by SMS: codes that prove a number or let its owner in, and notices to staff.

The one place where an SMS leaves from: whatever asks for one, it is counted here by number,
by account and by where it was asked for. A number of nobody is counted and kept waiting
just as long, and is sent nothing.
"""

import hashlib
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from merchant_platform.kernel import clock
from security.authentication import phones, trail
from security.identity.models import User
from security.messaging import operations as messaging
from security.messaging.models import Message
from security.web import outbox
from security.web.accounts.phones import PhoneField

KNOWN_FOR_SECONDS = 365 * 24 * 3600
# What a notice tells, by the name of the letter that goes with it.
NOTICES: dict[str, Any] = {
    "email_changed": gettext_lazy("Your e-mail address was changed."),
    "new_device": gettext_lazy("You signed in on a device that was not used before."),
    "password_changed": gettext_lazy("Your password was changed."),
    "password_reset": gettext_lazy("Your password was changed."),
    "password_set": gettext_lazy("Your password was changed."),
    "phone_removed": gettext_lazy("This number was removed."),
    "recovery_codes_generated": gettext_lazy("New recovery codes were made."),
    "totp_activated": gettext_lazy("An authenticator app was added."),
    "totp_deactivated": gettext_lazy("The authenticator app was removed."),
    "webauthn_added": gettext_lazy("A passkey was added."),
    "webauthn_removed": gettext_lazy("A passkey was removed."),
}


class Texts(DefaultAccountAdapter):
    """The part of the adapter that has to do with telephone numbers."""

    def phone_form_field(self, **options: Any) -> PhoneField:
        return PhoneField(**options)

    def get_phone(self, user: User) -> tuple[str, bool] | None:
        number = phones.number_of(user)
        return (number, True) if number else None

    def set_phone(self, user: User, phone: str, verified: bool) -> None:
        """A number that nobody proved is kept nowhere."""

    def set_phone_verified(self, user: User, phone: str) -> None:
        """Keep the number that its owner proved just now. Signing in by one proves nothing new."""
        if not self.request.user.is_authenticated:
            return
        try:
            with transaction.atomic():
                phones.keep(user=user, number=phone, now=clock.wall())
                self.send_notification_mail("account/email/phone_changed", user)
        except phones.NumberTaken as taken:
            messages.error(self.request, _("This number belongs to another account."))
            raise ImmediateHttpResponse(HttpResponseRedirect(reverse("account_change_phone"))) from taken

    def get_user_by_phone(self, phone: str) -> User | None:
        return phones.holder(phone)

    def send_verification_code_sms(self, user: User, phone: str, code: str, **_: Any) -> None:
        self._count(phone, account=str(user.pk))
        outbox.hint(self._write_code(phone, code).pk)

    def send_unknown_account_sms(self, phone: str, **_: Any) -> None:
        """Nothing, in the time that something takes."""
        self._count(phone, account=phone)
        with transaction.atomic():
            message = self._write_code(phone, self.generate_login_code())
            transaction.set_rollback(True)
        outbox.hint(message.pk)

    def notify_by_sms(self, user: User, changed: str) -> None:
        """Tell staff at their number, where they gave one. This will put it into the outbox."""
        if changed not in NOTICES or not trail.needs_second_factor(user):
            return
        number = phones.number_of(user)
        if number is None:
            return
        told = {
            "what": NOTICES[changed],
            "site": settings.SITE_NAME,
            "address": settings.PUBLIC_URL + reverse("usersessions_list"),
        }
        with transaction.atomic():
            message = messaging.write_sms(
                address=number,
                template="notice",
                language=get_language() or "en",
                context=told,
                now=clock.wall(),
            )
            transaction.on_commit(lambda: outbox.hint(message.pk))

    def post_login(self, request: HttpRequest, user: User, **given: Any) -> HttpResponse:
        """Staff hear of a browser that they were never signed in with since they chose their password.

        So whoever kept what a browser of theirs is known by is told of again once they chose another.
        """
        response = super().post_login(request, user, **given)
        if not trail.needs_second_factor(user):
            return response
        name = f"known_{hashlib.sha256(user.pk.bytes).hexdigest()[:12]}"
        salt = f"{user.pk}{user.get_session_auth_hash()}"
        if request.get_signed_cookie(name, default=None, salt=salt, max_age=KNOWN_FOR_SECONDS) is None:
            self.notify_by_sms(user, "new_device")
        response.set_signed_cookie(
            name,
            "1",
            salt=salt,
            max_age=KNOWN_FOR_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def _count(self, phone: str, *, account: str) -> None:
        for action, key in (("sms_number", phone), ("sms_account", account), ("sms_address", None)):
            if not ratelimit.consume(self.request, action=action, key=key):
                raise ImmediateHttpResponse(ratelimit.respond_429(self.request))

    def _write_code(self, phone: str, code: str) -> Message:
        told = {"code": code, "site": settings.SITE_NAME, "host": urlsplit(settings.PUBLIC_URL).hostname}
        return messaging.write_sms(
            address=phone, template="code", language=get_language() or "en", context=told, now=clock.wall()
        )
