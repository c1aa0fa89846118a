from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from payments.ledger import checkpoints


class Command(BaseCommand):
    help = "Keep the ledger: `rebase` after a dump was restored into another database cluster."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["rebase"])

    def handle(self, *args: Any, **options: Any) -> None:
        rebuilt = checkpoints.rebase()
        self.stdout.write(self.style.SUCCESS(f"The ledger belongs to this cluster now: {rebuilt} totals rebuilt."))
