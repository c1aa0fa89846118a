"""Tell a worker that a message waits. The broker is a hint: what it loses is found by the clock."""

import logging
from uuid import UUID

from celery import current_app
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def hint(message_id: UUID) -> None:
    """Ask for a message to be sent now."""
    try:
        current_app.send_task(
            "security.send_message", kwargs={"message_id": str(message_id)}, queue="delivery", retry=False
        )
    except OperationalError:
        logger.warning("a message waits for the clock: Valkey does not answer")
