"""What a merchant says of itself: its name, its time zone, the language it is written in."""

from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.money import AMOUNT_MAX
from merchant_platform.kernel.versions import check_seen
from security.merchants.models import Merchant


def update(*, merchant_id: UUID, name: str, time_zone: str, language: str, seen: str | None) -> Merchant:
    """Change a merchant's profile. This will write all of it. Raises Invalid and ChangedMeanwhile.

    Currency and country stay: amounts and books were kept by them.
    """
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=merchant_id)
    check_seen(seen, merchant.version)
    if language not in dict(settings.LANGUAGES):
        raise Invalid(f"Unknown language: {language}", param="language")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(f"Unknown time zone: {time_zone}", param="time_zone") from error
    merchant.name, merchant.time_zone, merchant.language = name, time_zone, language
    merchant.save(update_fields=["name", "time_zone", "language"])
    return merchant


def limit_refunds(*, merchant_id: UUID, alone_max_minor: int | None) -> None:
    """Say what of one payment a person may refund alone; None is all of it. This will write it. Raises Invalid."""
    if alone_max_minor is not None and not 0 <= alone_max_minor <= AMOUNT_MAX:
        raise Invalid("The limit is an amount.", param="alone_max")
    Merchant.objects.filter(pk=merchant_id).update(refund_alone_max_minor=alone_max_minor)
