"""Django's register of the kernel's tables."""

from merchant_platform.kernel.decisions.models import Decision
from merchant_platform.kernel.events.models import Delivery, Event
from merchant_platform.kernel.idempotency import IdempotencyKey
from merchant_platform.kernel.request_log.models import LoggedRequest

__all__ = ["Decision", "Delivery", "Event", "IdempotencyKey", "LoggedRequest"]
