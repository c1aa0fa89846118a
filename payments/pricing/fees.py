"""Fees: pure sums. A rate is parts per million of the amount, rounded half-even to a whole minor unit."""

from django.conf import settings

from merchant_platform.kernel import money


def rate_for(method: str) -> int:
    """The rate of a payment method, in parts per million. Raises KeyError for a method without one."""
    return settings.DEFAULT_FEE_RATES_PPM[method]


def fee(amount_minor: int, rate_ppm: int) -> int:
    """What the platform keeps of a payment."""
    return money.rate_of(amount_minor, rate_ppm)


def fee_returned(
    *, fee_minor: int, captured_minor: int, refunded_before: int, refund_minor: int, returned_before: int | None = None
) -> int:
    """The part of a fee that a refund gives back: pro rata to what was captured.

    Computed on the sum of all refunds so far, so that any number of partial refunds gives
    back in all exactly what one whole refund would. `returned_before` is what those that
    stand gave back of the fee; it differs from the formula's own share by a unit where a
    refund between them failed.
    """
    if returned_before is None:
        returned_before = money.share_of(fee_minor, refunded_before, captured_minor)
    after = money.share_of(fee_minor, refunded_before + refund_minor, captured_minor)
    return max(after - returned_before, 0)
