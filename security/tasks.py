"""Security's door for work by the clock."""

from typing import Any
from uuid import UUID

from celery import shared_task

from merchant_platform.kernel import clock
from security.approvals import operations as approvals
from security.authentication import step_up
from security.messaging import operations as messaging


@shared_task(name="security.send_message", time_limit=60)
def send_message(*, message_id: str, **_: Any) -> bool:
    """One message at once; what this misses, `send_messages` finds."""
    return messaging.send(identifier=UUID(message_id), now=clock.wall())


@shared_task(name="security.send_messages", time_limit=300)
def send_messages(**_: Any) -> int:
    return messaging.send_due(now=clock.wall())


@shared_task(name="security.purge_messages", time_limit=300)
def purge_messages(**_: Any) -> int:
    return messaging.purge(now=clock.wall())


@shared_task(name="security.expire_approvals", time_limit=120)
def expire_approvals(**_: Any) -> int:
    return approvals.expire_due(now=clock.wall())


@shared_task(name="security.carry_out_approvals", time_limit=300)
def carry_out_approvals(**_: Any) -> int:
    return approvals.carry_out_due()


@shared_task(name="security.purge_step_ups", time_limit=120)
def purge_step_ups(**_: Any) -> int:
    return step_up.purge(now=clock.wall())
