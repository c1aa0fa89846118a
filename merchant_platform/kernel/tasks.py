"""The kernel's door for work by the clock."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings

from merchant_platform.kernel import clock, idempotency
from merchant_platform.kernel.request_log import operations as request_log


@shared_task(name="kernel.purge_idempotency_keys", time_limit=300)
def purge_idempotency_keys(**_: object) -> int:
    return idempotency.purge(now=clock.wall())


@shared_task(name="kernel.purge_request_log", time_limit=600)
def purge_request_log(**_: object) -> int:
    return request_log.purge(before=clock.wall() - timedelta(days=settings.REQUEST_LOG_DAYS))
