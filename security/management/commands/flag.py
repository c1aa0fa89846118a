from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from merchant_platform.kernel import clock
from merchant_platform.kernel.errors import PlatformError
from security.access import flags
from security.merchants.models import LIVE, TEST, Book


class Command(BaseCommand):
    help = "Switch a feature on for a share of a merchant's book, in percent."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("merchant", help="the merchant's short name, as in addresses")
        parser.add_argument("name")
        parser.add_argument("percent", type=int)
        parser.add_argument("--live", action="store_true", help="the live book; without it the test book")

    def handle(self, *args: Any, **options: Any) -> None:
        mode = LIVE if options["live"] else TEST
        book = Book.objects.filter(merchant__slug=options["merchant"], mode=mode).first()
        if book is None:
            raise CommandError(f"No merchant is called {options['merchant']!r}.")
        try:
            flags.set_percent(book_id=book.pk, name=options["name"], percent=options["percent"], now=clock.wall())
        except PlatformError as error:
            raise CommandError(error.message) from error
