from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from merchant_platform.kernel import clock
from payments.ledger import checkpoints
from payments.webhooks import fan_out


class Command(BaseCommand):
    help = "Keep the ledger: `rebase` after a dump was restored into another database cluster."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["rebase"])

    def handle(self, *args: Any, **options: Any) -> None:
        # First, since the ledger's is what turns readiness green again.
        fan_out.rebase(now=clock.wall())
        rebuilt = checkpoints.rebase()
        self.stdout.write(self.style.SUCCESS(f"The ledger belongs to this cluster now: {rebuilt} totals rebuilt."))
