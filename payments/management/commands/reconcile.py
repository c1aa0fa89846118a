from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from payments import proof


class Command(BaseCommand):
    help = "Compute every balance, total, charge, refund and order again from the transfers, and fail on a difference."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--statements",
            type=date.fromisoformat,
            metavar="DAY",
            help="compare with providers' statements of a day too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = proof.prove()
        if options["statements"]:
            found += proof.prove_against_providers(day=options["statements"])
        for difference in found:
            self.stderr.write(f"{difference.check}: {difference.detail}")
        if found:
            raise CommandError(f"The books do not agree: {len(found)} differences shown above.")
        for check in proof.checks():
            self.stdout.write(f"ok  {check.sentence}")
        self.stdout.write(self.style.SUCCESS(f"The books agree: {len(proof.checks())} proofs."))
