"""What a person of staff may refund alone: of one payment, in the currency of the business.

In any other currency all of it needs a second person. What was refunded before counts, so
that a large refund is not made as many small ones.
"""

from merchant_platform.kernel.errors import Forbidden
from security.merchants.models import Merchant


class NeedsSecondPerson(Forbidden):
    """The merchant wants somebody else to allow so large a refund."""

    code = "approval_required"


def is_over(*, merchant: Merchant, currency: str, refunded_minor: int) -> bool:
    """Whether a person may not bring what is refunded of a payment to this sum alone."""
    limit = merchant.refund_alone_max_minor
    if limit is None:
        return False
    return currency != merchant.default_currency or refunded_minor > limit


def check(*, merchant: Merchant, currency: str, refunded_minor: int) -> None:
    """Refuse what one person may not do alone. Raises NeedsSecondPerson."""
    if is_over(merchant=merchant, currency=currency, refunded_minor=refunded_minor):
        raise NeedsSecondPerson("So large a refund needs a second person: ask for an approval.")
