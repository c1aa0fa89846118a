from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from merchant_platform.kernel import clock
from merchant_platform.kernel.errors import PlatformError
from security.merchants import operations as merchants


class Command(BaseCommand):
    help = "Found a merchant, with a live and a test book. `manage.py keys make` then makes its first key."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the short name, as in addresses")
        parser.add_argument("--name", required=True)
        parser.add_argument("--country", required=True, help="two letters, ISO 3166-1")
        parser.add_argument("--time-zone", required=True, help="Asia/Shanghai")
        parser.add_argument("--currency", required=True, help="three letters, ISO 4217")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            merchants.found(
                slug=options["slug"],
                name=options["name"],
                country=options["country"].upper(),
                time_zone=options["time_zone"],
                currency=options["currency"].upper(),
                now=clock.wall(),
            )
        except IntegrityError as error:
            raise CommandError(f"A merchant called {options['slug']!r} exists.") from error
        except PlatformError as error:
            raise CommandError(error.message) from error
