"""The Celery application: workers for reports and marketing, beat for due rows."""

import os

from celery import Celery

from merchant_platform.schedule import SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "merchant_platform.settings")

celery_app = Celery("merchant_platform")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.autodiscover_tasks()
celery_app.conf.beat_schedule = SCHEDULE
