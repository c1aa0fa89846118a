"""What members are written before points expire: a notice of the membership itself, never advertising.

It tells somebody what they are about to lose of what is theirs, as the terms of the
programme promise, and offers nothing: so it needs no consent to marketing. It goes to
those alone whose e-mail address the directory keeps (with the consent to that), and to
no address that wants no mail (security/messaging). Nothing is sent here: the letters go
into the outbox with what they tell of.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext, ngettext, override

from members.directory import addresses
from members.directory.addresses import Addressee
from members.loyalty import queries
from members.loyalty.models import Lot, Programme
from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Unavailable
from security.merchants import queries as merchants
from security.merchants.models import LIVE, Merchant
from security.messaging import operations as messaging
from security.messaging.models import EMAIL
from security.messaging.operations import Letter

logger = logging.getLogger(__name__)

TEMPLATE = "points_expiring"


def write_expiring(programme: Programme, lots: Sequence[Lot], *, now: datetime, at: datetime) -> int:
    """Write to the owners of lots what of theirs expires, and when. This will put a letter each into the outbox.

    `now` is the book's time and `at` the world's, which messages go by. Returns how many
    letters there are; seven statements at the most, however many lots.
    """
    by_member: dict[UUID, list[Lot]] = {}
    for lot in lots:
        by_member.setdefault(lot.member_id, []).append(lot)
    try:
        found = addresses.by_email(by_member, now=now)
    except Unavailable:
        # Events and wallets tell of it all the same; who keeps the keys is told by the vault's own check.
        logger.exception("no letters about points: addresses cannot be opened", extra={"programme": str(programme.pk)})
        return 0
    if not found:
        return 0
    merchant = merchants.book(programme.book_id).merchant
    letters = [_letter(programme, merchant, each, by_member[each.member_id]) for each in found]
    return messaging.write_many(letters, now=at)


def _letter(programme: Programme, merchant: Merchant, to: Addressee, lots: Sequence[Lot]) -> Letter:
    language = to.language or merchant.language
    # A name goes into a header: it stays on one line.
    shop = " ".join(merchant.name.split())
    days = queries.by_day(lots, merchant.zone)
    points = sum(days.values())
    with override(language):
        subject = ngettext(
            "{points} point at {merchant} expires soon", "{points} points at {merchant} expire soon", points
        ).format(points=f"{points:,}", merchant=shop)
        if programme.mode != LIVE:
            subject = gettext("[Test] {subject}").format(subject=subject)
        lines = "\n".join(
            gettext("{day}: {points} of {programme}").format(
                day=day.isoformat(), points=f"{count:,}", programme=programme.name
            )
            for day, count in days.items()
        )
        parts = [
            gettext("What you do not spend at {merchant} before then expires:").format(merchant=shop) + f"\n\n{lines}",
            gettext("Days are those of {zone}.").format(zone=merchant.zone.key),
        ]
        if to.has_wallet:
            parts.append(gettext("Your points: {address}").format(address=_address(programme)))
        parts.append(
            gettext(
                "You get this notice because you are a member at {merchant}. It is no advertising, "
                "and comes once for points that are about to expire."
            ).format(merchant=shop)
        )
    return Letter(
        channel=EMAIL,
        address=to.address,
        template=TEMPLATE,
        language=language,
        subject=subject,
        body="\n\n".join(parts),
    )


def _address(programme: Programme) -> str:
    wallet = "wallet" if programme.mode == LIVE else "wallet/test"
    return f"{settings.PUBLIC_URL}/{wallet}/points/{ids.show('prog', programme.pk)}"
