"""`manage.py audit verify`: is the log what was recorded? `manage.py audit heads`: what to keep elsewhere."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from security.audit import queries


class Command(BaseCommand):
    help = (
        "verify: compare every record with its chain, and the chains with heads that were kept elsewhere. "
        "heads: write where every chain ends now."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify")
        verify.add_argument("--heads", type=Path, help="a file that `audit heads` wrote earlier")
        verbs.add_parser("heads")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "heads":
            self.stdout.write(json.dumps([_shown(head) for head in queries.heads()], indent=1))
            return
        differences = queries.verify(heads=_kept(options["heads"]))
        for difference in differences:
            self.stdout.write(f"{difference.chain_id} {difference.number or '-'} {difference.what}")
        if differences:
            raise CommandError(f"The audit log is not what was recorded: {len(differences)} differences.")
        ends = queries.heads()
        self.stdout.write(f"{sum(head.number for head in ends)} records in {len(ends)} chains are as recorded.")


def _shown(head: queries.Head) -> dict[str, Any]:
    return {"chain": str(head.chain_id), "number": head.number, "hash": head.hash}


def _kept(path: Path | None) -> tuple[queries.Head, ...]:
    if path is None:
        return ()
    try:
        return tuple(
            queries.Head(UUID(head["chain"]), int(head["number"]), bytes.fromhex(head["hash"]).hex())
            for head in json.loads(path.read_text())
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(f"{path} is not a file that `audit heads` wrote.") from error
