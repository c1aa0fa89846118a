"""Alarms: what operators must know at once goes out by mail, from the outbox, so that none is lost."""

from django.conf import settings
from django.core.mail import send_mail

from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from security.identity.models import User


def mail_operators(event: Event) -> None:
    """Tell every operator. This will send one mail to all; the relay repeats it until the server takes it."""
    found = load(event.data)
    lines = "\n".join(f"{difference['check']}: {difference['detail']}" for difference in found["differences"])
    send_mail(
        subject=f"[{settings.PUBLIC_URL}] The books do not agree",
        message=f"The books proof of {event.created_at:%Y-%m-%d %H:%M} UTC found differences:\n\n{lines}\n\n"
        "Run `manage.py reconcile` for all of them.",
        from_email=None,
        recipient_list=_operators(),
    )


def mail_parked_report(event: Event) -> None:
    """Tell every operator that a provider contradicts what we asked or know: nothing moves until somebody looked."""
    parked = load(event.data)
    send_mail(
        subject=f"[{settings.PUBLIC_URL}] A payment provider's report waits for a person",
        message=f"What the provider reports of {parked['key']} cannot be applied ({parked['reason']}).\n\n"
        f"The report is kept as {parked['id']}; no money was moved by it.",
        from_email=None,
        recipient_list=_operators(),
    )


def _operators() -> list[str]:
    return list(User.objects.filter(is_operator=True, is_active=True).values_list("email", flat=True))
