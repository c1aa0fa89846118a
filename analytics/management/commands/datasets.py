"""`manage.py datasets`: checks the files of a book, or of all, against their manifest, or writes them again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from analytics.datasets import operations as datasets
from merchant_platform.kernel import clock, ids
from security.merchants.models import Book


class Command(BaseCommand):
    help = "Check the files of sales by columns, or write them again. What is killed goes on by itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["check", "rebuild"])
        parser.add_argument("--book", help="bk_…: this book alone")

    def handle(self, *args: Any, act: str, book: str | None, **options: Any) -> None:
        chosen = [ids.parse("bk", book)] if book else list(Book.objects.order_by("pk").values_list("pk", flat=True))
        for book_id in chosen:
            if act == "rebuild":
                datasets.rebuild(book_id)
            elif wrong := datasets.check(book_id):
                self.stdout.write(f"{ids.show('bk', book_id)}: {wrong} files are not what was written")
        self.stdout.write(f"{datasets.run(now=clock.wall())} files written")
