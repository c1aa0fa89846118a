"""The roof: settings, addresses, reactions, schedule. Sees every app; no app imports it (the kernel excepted)."""

from merchant_platform.celery import celery_app

__all__ = ["celery_app"]
