"""Members' door for work by the clock."""

from time import monotonic

from celery import shared_task

from members.features import operations as features
from members.importing import operations as imports
from members.loyalty import rewards, runs
from merchant_platform.kernel import clock

# A task ends well before its broker would hand it to another one.
_SECONDS = 60


@shared_task(name="members.refresh_features", time_limit=600)
def refresh_features(**_: object) -> int:
    return features.refresh(at=clock.wall())


@shared_task(name="members.refresh_all_features", time_limit=600)
def refresh_all_features(**_: object) -> int:
    return features.refresh_all()


@shared_task(name="members.move_points", time_limit=300)
def move_points(**_: object) -> int:
    """Points mature and expire, members are told, tiers end: whatever is due or under way."""
    at, ends_at = clock.wall(), monotonic() + _SECONDS
    return runs.work(at=at, until=lambda: monotonic() > ends_at) + rewards.void_expired(now=at)


@shared_task(name="members.run_imports", time_limit=300)
def run_imports(**_: object) -> int:
    """Sheets of members, until nothing waits or the time is up."""
    done, ends_at = 0, monotonic() + _SECONDS
    while monotonic() < ends_at and (taken := imports.run_due(at=clock.wall())):
        done += taken
    return done


@shared_task(name="members.purge_imports", time_limit=300)
def purge_imports(**_: object) -> int:
    return imports.purge(at=clock.wall())
