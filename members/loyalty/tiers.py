"""Where a member stands among a programme's tiers: pure sums over what they bought.

A tier is reached at once. It is kept until a date that everybody can see: the day on
which the window no longer holds enough, plus the days of grace. Only what is taken back
(a refund) loses it sooner: a tier that was bought and returned was never earned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from members.loyalty.terms import CALENDAR, LIFETIME, Terms, Tier


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that counts: when, and how much of it still stands."""

    at: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Held:
    """The tier somebody has, by its key ("" is none), and until when; None: for ever."""

    key: str = ""
    until: datetime | None = None


def since(terms: Terms, *, now: datetime, zone: ZoneInfo) -> datetime | None:
    """From when on things count; None: always."""
    if terms.tier_window == LIFETIME:
        return None
    if terms.tier_window == CALENDAR:
        return now.astimezone(zone).replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return now - timedelta(days=terms.tier_days)


def score(terms: Terms, history: Sequence[Counted], *, now: datetime, zone: ZoneInfo) -> int:
    """How much of what somebody bought counts today."""
    start = since(terms, now=now, zone=zone)
    return sum(each.amount for each in history if start is None or each.at > start)


def of(terms: Terms, key: str) -> Tier | None:
    """The tier with a key; None for none, or one that is not there any more."""
    return next((tier for tier in terms.tiers if tier.key == key), None)


def reached(terms: Terms, amount: int) -> Tier | None:
    """The highest tier that an amount reaches."""
    return next((tier for tier in reversed(terms.tiers) if amount >= tier.threshold), None)


def following(terms: Terms, key: str) -> Tier | None:
    """The next tier above one, or above none."""
    held = of(terms, key)
    return next((tier for tier in terms.tiers if held is None or tier.threshold > held.threshold), None)


def evaluate(
    terms: Terms,
    held: Held,
    history: Sequence[Counted],
    *,
    now: datetime,
    zone: ZoneInfo,
    taken_back: int = 0,
) -> Held:
    """The tier that somebody has from now on. `taken_back` is what of the window a refund has just undone."""
    amount = score(terms, history, now=now, zone=zone)
    earned, present = reached(terms, amount), of(terms, held.key)
    if earned is not None and (present is None or earned.threshold >= present.threshold):
        return Held(earned.key, _kept_until(terms, earned, history, now=now, zone=zone))
    was_undone = present is not None and amount + taken_back >= present.threshold > amount
    if present is not None and not was_undone and (held.until is None or now < held.until):
        return held
    return Held(earned.key, _kept_until(terms, earned, history, now=now, zone=zone)) if earned else Held()


def _kept_until(
    terms: Terms, tier: Tier, history: Sequence[Counted], *, now: datetime, zone: ZoneInfo
) -> datetime | None:
    """The day on which a tier is lost if nothing more is bought."""
    if terms.tier_window == LIFETIME:
        return None
    grace = timedelta(days=terms.grace_days)
    if terms.tier_window == CALENDAR:
        # It lasts for the year after the one in which it was reached.
        year = now.astimezone(zone).year + 2
        return datetime(year, 1, 1, tzinfo=zone) + grace
    amount = 0
    for each in sorted(history, key=lambda counted: counted.at, reverse=True):
        amount += each.amount
        if amount >= tier.threshold:
            # Up to here it is enough; when this one leaves the window it no longer is.
            return each.at + timedelta(days=terms.tier_days) + grace
    raise AssertionError("a tier is kept that was not reached")
