"""The kernel's door for work by the clock."""

from celery import shared_task

from merchant_platform.kernel import clock, idempotency


@shared_task(name="kernel.purge_idempotency_keys", time_limit=300)
def purge_idempotency_keys(**_: object) -> int:
    return idempotency.purge(now=clock.wall())
