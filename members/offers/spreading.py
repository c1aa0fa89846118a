"""Spread a discount over lines so that every minor unit has its place (docs/algorithms/offers.md)."""

from collections.abc import Sequence

from merchant_platform.kernel.money import share_of, split


def spread(amount_minor: int, *, weights: Sequence[int], rooms: Sequence[int], step: int = 1) -> list[int]:
    """Parts in proportion to `weights`, by largest remainder, none above its room; they sum to as much as fits.

    What one line has no room for goes to the others by the same proportion. Every part is
    a multiple of `step`, the smallest amount that the currency is paid in.
    """
    parts = [0] * len(weights)
    left = amount_minor // step
    free = [room // step for room in rooms]
    while left:
        able = [i for i, weight in enumerate(weights) if weight > 0 and free[i] > 0]
        if not able:
            break
        # Each round ends it, or fills a line for good.
        for i, part in zip(able, split(left, [weights[i] for i in able]), strict=True):
            given = min(part, free[i])
            parts[i] += given * step
            free[i] -= given
            left -= given
    return parts


def returned(share_minor: int, *, amount_minor: int, refunded_minor: int) -> int:
    """How much of a line's discount a refund of the line takes back, in all so far.

    Reckoned on the sum of all refunds, so that any number of them gives back in all what
    one whole refund would: nothing remains of a line that was refunded wholly.
    """
    return share_of(share_minor, refunded_minor, amount_minor) if refunded_minor else 0
