from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from merchant_platform.kernel.errors import PlatformError
from security.vault import keys, operations, queries


class Command(BaseCommand):
    help = (
        "The card vault's keys. `key` prints a new one for the front of VAULT_KEYS; once every process has it, "
        "`rotate` wraps the books' keys by it; `status` says which keys are still needed."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("key").add_argument("id", help="the new key's name, such as 2027-01")
        verbs.add_parser("rotate")
        verbs.add_parser("status")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except PlatformError as error:
            raise CommandError(error.message) from error

    def _key(self, options: dict[str, Any]) -> None:
        if not options["id"] or set(options["id"]) & set(":, "):
            raise CommandError("A key's name has no colon, no comma and no blank.")
        self.stdout.write(keys.as_setting(options["id"], keys.new_key()))

    def _rotate(self, options: dict[str, Any]) -> None:
        done = operations.rotate()
        self.stdout.write(f"{done} data keys were wrapped by '{keys.ring().current_id}'.")

    def _status(self, options: dict[str, Any]) -> None:
        ring, counts = keys.ring(), queries.data_keys_by_wrapping_key()
        for key_id in {**ring.keys, **counts}:
            state = "current" if key_id == ring.current_id else "old" if key_id in ring.keys else "MISSING"
            self.stdout.write(f"{key_id}  {state}  wraps {counts.get(key_id, 0)}")
