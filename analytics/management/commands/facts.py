"""`manage.py facts rebuild`: makes all facts of a book, or of every book, again."""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from analytics.facts import operations as facts
from merchant_platform.kernel import ids
from security.merchants.models import Book


class Command(BaseCommand):
    help = "Make the facts again, from the rows alone. What is killed goes on when it is started again, or by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["rebuild"])
        parser.add_argument("--book", help="bk_…: this book alone")

    def handle(self, *args: Any, book: str | None, **options: Any) -> None:
        chosen = [ids.parse("bk", book)] if book else list(Book.objects.order_by("pk").values_list("pk", flat=True))
        for book_id in chosen:
            facts.rebuild(book_id)
        self.stdout.write(f"{facts.run(hands=os.cpu_count() or 1)} quarters of an hour made")
