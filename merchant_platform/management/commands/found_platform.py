from typing import Any

from django.core.management.base import BaseCommand

from merchant_platform.kernel import clock
from security.merchants import operations as merchants


class Command(BaseCommand):
    help = "Found the platform's own merchant, where entries without another merchant go. Idempotent."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        merchants.found_platform(now=clock.wall())
