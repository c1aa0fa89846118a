"""What people are written who are invited to a merchant."""

from datetime import datetime

from django.utils.translation import gettext, override

from security.access.roles import NAMES
from security.merchants.models import Invitation
from security.messaging import operations as messaging
from security.messaging.models import EMAIL, Message


def write_invitation(invitation: Invitation, *, address: str, now: datetime) -> Message:
    """Write somebody the link of an invitation, in the merchant's language. This will put it into the outbox.

    The link is in no other row; a message's body is sealed.
    """
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
    return messaging.write(
        channel=EMAIL,
        address=invitation.email,
        template="invitation",
        language=merchant.language,
        subject=subject,
        body=text,
        now=now,
    )
