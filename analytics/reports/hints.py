"""Ask the workers at once. Beat asks them within seconds anyway: the broker is a hint."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def after_commit() -> None:
    """Once the open transaction is committed, tell a worker that there is something to make."""
    transaction.on_commit(_send)


def _send() -> None:
    try:
        current_app.send_task("analytics.run_reports", queue="reports", retry=False)
    except OperationalError:
        logger.warning("a report waits for beat: the broker does not answer")
