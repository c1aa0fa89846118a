"""Send receipts by e-mail: the mail server is called outside transactions, between a claim and a mark."""

import logging
import smtplib
from datetime import datetime
from uuid import UUID

from django.core.mail import send_mail
from django.utils.translation import gettext as _
from django.utils.translation import override, to_locale

from merchant_platform.kernel import tenancy
from merchant_platform.kernel.money import Money
from payments.receipts import operations, queries
from payments.receipts.models import Receipt
from security.merchants import queries as merchants
from security.messaging import operations as messaging
from security.messaging.models import EMAIL

logger = logging.getLogger(__name__)


def send_unsent(*, recorded: datetime) -> int:
    """Send every receipt that waits for it. This will return how many were sent; one that fails is tried again."""
    return sum(
        send(book_id=book_id, receipt_id=receipt_id, recorded=recorded)
        for book_id, receipt_id in operations.unsent(recorded=recorded)
    )


def send(*, book_id: UUID, receipt_id: UUID, recorded: datetime) -> bool:
    """Send one receipt. This will claim it, hand it to the mail server, and mark it; two senders send it once."""
    with tenancy.within(book_id):
        receipt = operations.claim(receipt_id=receipt_id, recorded=recorded)
        if receipt is None or receipt.email is None:
            return False
        if messaging.suppression_of(channel=EMAIL, address=receipt.email) is not None:
            return False  # Tried again as often as any: the address may be lifted meanwhile.
        subject, text = _letter(receipt)
    try:
        send_mail(subject=subject, message=text, from_email=None, recipient_list=[receipt.email])
    except (OSError, smtplib.SMTPException, ValueError):  # An address that cannot be written is a ValueError.
        logger.warning("a receipt could not be sent; it is tried again", extra={"receipt": str(receipt_id)})
        return False
    with tenancy.within(book_id):
        operations.record_sent(receipt_id=receipt_id, recorded=recorded)
    return True


def _letter(receipt: Receipt) -> tuple[str, str]:
    book = merchants.book(receipt.book_id)
    merchant = book.merchant
    paper = queries.paper(receipt)
    with override(receipt.language):
        amount = Money(paper.order.total_minor, paper.order.currency).text(to_locale(receipt.language))
        subject = _("Receipt {number} from {merchant}").format(
            number=receipt.shown_number, merchant=" ".join(merchant.name.split())
        )
        if not book.livemode:
            subject = _("[Test] {subject}").format(subject=subject)
        text = _(
            "You paid {amount} to {merchant}.\n\nYour receipt: {address}\n\n"
            "Nobody asks you for a password or a code by e-mail."
        ).format(amount=amount, merchant=merchant.name, address=queries.address(receipt.code))
    return subject, text
