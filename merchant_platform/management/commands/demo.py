"""`manage.py demo`: a believable small world to try the platform with, and how to get in."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from merchant_platform.demo import offers, online, seed, stored_cards, world
from merchant_platform.kernel import clock


class Command(BaseCommand):
    help = "Seed the demo world where it is missing, and write DATA_DIR/demo.json with its keys and logins. Idempotent."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=world.DAYS, help="how far the history goes back")
        parser.add_argument("--orders", type=int, default=world.ORDERS, help="how many orders the café has, about")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.DATA_DIR / "demo.json"
        began, now = time.monotonic(), clock.wall()
        try:
            planted = seed.ensure(
                path=path,
                base_url=settings.PUBLIC_URL,
                now=now,
                days=options["days"],
                orders=options["orders"],
            )
        except world.AddressTaken as error:
            raise CommandError(str(error)) from error
        online.play(now=now)
        offers.make(now=now)
        stored_cards.make(now=now)
        if planted is None:
            self.stdout.write(f"The demo world is there: {path}")
        else:
            self.stdout.write(f"Demo world: {planted.in_words} in {time.monotonic() - began:.1f} s. {path}")
