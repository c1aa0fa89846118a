"""What merchants' people are written about their endpoints."""

from django.core.mail import send_mail
from django.utils.translation import gettext, override

from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from payments.webhooks import retries
from payments.webhooks.models import GONE
from security.access.roles import DEVELOPER, OWNER
from security.merchants import queries as merchants
from security.merchants.models import Staff

LANGUAGES = ("zh-hans", "en")


def tell_staff(event: Event) -> None:
    """Tell owners and developers that an endpoint was switched off. This will send one mail, in both languages."""
    merchant = merchants.book(event.book_id).merchant
    recipients = list(
        Staff.objects.filter(merchant=merchant, role__in=[OWNER, DEVELOPER], left_at__isnull=True, user__is_active=True)
        .order_by("pk")
        .values_list("user__email", flat=True)
    )
    if not recipients:
        return
    told = load(event.data)
    # A name goes into a header: it stays on one line.
    name = " ".join(merchant.name.split())
    subjects, messages = zip(*(_write(language, name, told) for language in LANGUAGES), strict=True)
    send_mail(subject=" / ".join(subjects), message="\n\n".join(messages), from_email=None, recipient_list=recipients)


def _write(language: str, merchant: str, endpoint: dict) -> tuple[str, str]:
    with override(language):
        subject = gettext("A webhook endpoint of {merchant} was switched off").format(merchant=merchant)
        if endpoint["disabled_reason"] == GONE:
            why = gettext("It answered 410 Gone, which says that nobody listens there any more.")
        else:
            why = gettext("For {days} days it answered nothing but failures.").format(
                days=retries.SWITCHED_OFF_AFTER.days
            )
        what = gettext("Nothing is sent to {url} ({id}) any more.").format(url=endpoint["url"], id=endpoint["id"])
        mend = gettext(
            "Once it works again, enable it and send what it missed: POST /v1/webhook_endpoints/{id} with "
            "disabled=false, then POST /v1/webhook_endpoints/{id}/backfill."
        ).format(id=endpoint["id"])
        return subject, f"{what} {why}\n{mend}"
