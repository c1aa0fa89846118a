"""Members' door for work by the clock."""

from celery import shared_task

from members.features import operations as features
from merchant_platform.kernel import clock


@shared_task(name="members.refresh_features", time_limit=600)
def refresh_features(**_: object) -> int:
    return features.refresh(at=clock.wall())


@shared_task(name="members.refresh_all_features", time_limit=600)
def refresh_all_features(**_: object) -> int:
    return features.refresh_all()
