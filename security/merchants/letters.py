"""What people are written who are invited to a merchant."""

import logging
import smtplib

from django.core.mail import send_mail
from django.utils.translation import gettext, override

from security.access.roles import NAMES
from security.merchants.models import Invitation

logger = logging.getLogger(__name__)


def send_invitation(invitation: Invitation, *, address: str) -> bool:
    """Send somebody the link of an invitation, in the merchant's language. This will say whether the server took it.

    To be called outside transactions: the link is in no row, so one that was lost is made again.
    """
    subject, text = _write(invitation, address)
    try:
        send_mail(subject=subject, message=text, from_email=None, recipient_list=[invitation.email])
    except (OSError, smtplib.SMTPException):
        logger.warning("an invitation could not be sent", extra={"invitation": str(invitation.pk)})
        return False
    return True


def _write(invitation: Invitation, address: str) -> tuple[str, str]:
    merchant = invitation.merchant
    # A name goes into a header: it stays on one line.
    name = " ".join(merchant.name.split())
    with override(merchant.language):
        subject = gettext("{merchant} invites you").format(merchant=name)
        text = gettext(
            "You are invited to work at {merchant} as {role}.\n\n"
            "Accept here, by {date}:\n{address}\n\n"
            "The link works once and for you alone. If you do not know {merchant}, throw this letter away."
        ).format(
            merchant=name,
            role=NAMES[invitation.role],
            date=f"{invitation.expires_at.astimezone(merchant.zone):%Y-%m-%d %H:%M}",
            address=address,
        )
    return subject, text
