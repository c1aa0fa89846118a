"""Analytics' door for work by the clock."""

from time import monotonic

from celery import shared_task

from analytics.facts import operations as facts

# Well under the visibility timeout: what is left is due again.
_SECONDS = 60


@shared_task(name="analytics.follow_facts", time_limit=300)
def follow_facts(**_: object) -> int:
    ends_at = monotonic() + _SECONDS
    return facts.run(until=lambda: monotonic() > ends_at)
