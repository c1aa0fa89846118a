"""Analytics' door for work by the clock."""

from time import monotonic

from celery import shared_task

from analytics.datasets import operations as datasets
from analytics.facts import operations as facts
from analytics.reports import schedules, working
from merchant_platform.kernel import clock

# Well under the visibility timeout: what is left is due again.
_SECONDS = 60


@shared_task(name="analytics.follow_facts", time_limit=300)
def follow_facts(**_: object) -> int:
    ends_at = monotonic() + _SECONDS
    return facts.run(until=lambda: monotonic() > ends_at, is_patient=True)


@shared_task(name="analytics.write_datasets", time_limit=600)
def write_datasets(**_: object) -> int:
    ends_at = monotonic() + _SECONDS
    return datasets.run(now=clock.wall(), until=lambda: monotonic() > ends_at)


@shared_task(name="analytics.sweep_datasets", time_limit=600)
def sweep_datasets(**_: object) -> int:
    return datasets.sweep(now=clock.wall())


@shared_task(name="analytics.run_reports", time_limit=600)
def run_reports(**_: object) -> int:
    """Schedules ask for theirs, then what waits is made: whoever asked sent a hint, beat asks anyway."""
    ends_at = monotonic() + _SECONDS
    schedules.run_due(at=clock.wall())
    return working.run_due(until=lambda: monotonic() > ends_at)


@shared_task(name="analytics.sweep_reports", time_limit=300)
def sweep_reports(**_: object) -> int:
    return working.sweep(at=clock.wall())
