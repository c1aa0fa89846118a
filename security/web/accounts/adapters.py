"""Where allauth asks us: how a login is named, where it goes, how its secrets are kept."""

import re
import time
from typing import Any
from urllib.parse import urlsplit

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.core.internal.httpkit import authenticated_user
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext_lazy

from merchant_platform.kernel import clock
from security.authentication import phones, secrets, trail
from security.identity.models import User
from security.messaging import operations as messaging
from security.messaging.models import EMAIL
from security.web import outbox
from security.web.accounts import letters
from security.web.accounts.texting import Texts

# Who proved who they are this lately may add a factor without proving it again.
FRESH_SECONDS = 300


class AccountAdapter(Texts):
    """Sign-in as this platform has it."""

    # One sentence for whatever somebody signs in by: it does not say what we know.
    error_messages = {
        **Texts.error_messages,
        **dict.fromkeys(
            ("email_password_mismatch", "phone_password_mismatch", "username_password_mismatch"),
            gettext_lazy("The address, the number or the password is wrong."),
        ),
        "phone_taken": gettext_lazy("This number belongs to another account."),
    }

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """Nobody has a user name."""

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Staff go to their desk, operators to the tables, everybody else to their wallet."""
        user = authenticated_user(request)
        if trail.places(user):
            return reverse("dashboard")
        return reverse("admin:index" if user.is_operator else "wallet_home_live")

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def is_safe_url(self, url: str) -> bool:
        """Whether people are led on there: to this host alone. allauth's own fails on what is no address at all."""
        request = context.request
        return url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())

    def login(self, request: HttpRequest, user: User) -> None:
        with transaction.atomic():
            super().login(request, user)
            methods = [record.get("type") or record["method"] for record in get_authentication_records(request, user)]
            trail.note(user=user, action="login.in", ip=self.get_client_ip(request), detail={"methods": methods})

    def logout(self, request: HttpRequest) -> None:
        with transaction.atomic():
            if request.user.is_authenticated:
                trail.note(user=request.user, action="login.out", ip=self.get_client_ip(request))
            super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        email = User.objects.normalize(str(credentials.get("email") or ""))
        phone = credentials.get("phone")
        user = phones.holder(phone) if phone else User.objects.filter(email=email).first()
        if user is not None:
            trail.note(user=user, action="login.refused", ip=self.get_client_ip(request), is_proven=False)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Each change of what lets somebody in is told to them, and recorded."""
        changed = template_prefix.rpartition("/")[2]
        trail.note(user=user, action=f"login.{changed}", ip=self.get_client_ip(self.request))
        super().send_notification_mail(template_prefix, user, context, email)
        self.notify_by_sms(user, changed)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Into the outbox, from which a worker takes it at once."""
        name = template_prefix.rpartition("/")[2]
        subject, body = letters.letter(name, context)
        with transaction.atomic():
            message = messaging.write(
                channel=EMAIL,
                address=email,
                template=name,
                language=get_language() or "en",
                subject=subject,
                body=body,
                now=clock.wall(),
            )
            transaction.on_commit(lambda: outbox.hint(message.pk))

    def is_reauthentication_required(self, *, app: str, **options: object) -> bool:
        """A sign-in of a moment ago is as good as a repeated one."""
        request = context.request
        records = get_authentication_records(request, request.user)
        return not records or time.time() - records[-1]["at"] > FRESH_SECONDS


class SecondFactorAdapter(DefaultMFAAdapter):
    """Second factors as this platform has them."""

    def encrypt(self, text: str) -> str:
        return secrets.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return secrets.unseal(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the platform's public address, whatever address a request names."""
        return {"id": urlsplit(settings.PUBLIC_URL).hostname or "localhost", "name": settings.MFA_TOTP_ISSUER}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Who must have a second factor keeps one."""
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        has_other = others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
        return has_other or not trail.needs_second_factor(authenticator.user)

    def build_totp_svg(self, url: str) -> str:
        """A drawing that stands in the page itself: the pages load no `data:` pictures."""
        drawing = super().build_totp_svg(url)
        return re.sub(r"^<\?xml[^>]*\?>\s*", "", drawing).replace("<svg ", '<svg class="account-code" ', 1)
