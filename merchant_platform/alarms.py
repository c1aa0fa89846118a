"""Alarms: what operators must know at once goes out by mail, from the outbox, so that none is lost."""

from django.conf import settings
from django.core.mail import send_mail

from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from security.identity.models import User


def mail_operators(event: Event) -> None:
    """Tell every operator. This will send one mail to all; the relay repeats it until the server takes it."""
    addresses = list(User.objects.filter(is_operator=True, is_active=True).values_list("email", flat=True))
    found = load(event.data)
    lines = "\n".join(f"{difference['check']}: {difference['detail']}" for difference in found["differences"])
    send_mail(
        subject=f"[{settings.PUBLIC_URL}] The books do not agree",
        message=f"The books proof of {event.created_at:%Y-%m-%d %H:%M} UTC found differences:\n\n{lines}\n\n"
        "Run `manage.py reconcile` for all of them.",
        from_email=None,
        recipient_list=addresses,
    )
