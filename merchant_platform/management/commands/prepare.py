"""`manage.py prepare`: all that a database needs before the platform serves from it."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

from merchant_platform.kernel.database import ProvisioningFailed, provision


class Command(BaseCommand):
    help = "Make the roles and the database, bring the tables up to date, found the platform's merchant. Idempotent."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for url in (settings.OWNER_URL, settings.APP_URL, settings.PLATFORM_URL):
            try:
                parse_dsn(url)
            except ProgrammingError:
                # From None: the driver's own words repeat the address, and a password with it.
                raise CommandError(
                    "DATABASE_URL is not an address of Postgres: write postgres://user:password@host:5432/database."
                ) from None
        try:
            provision(owner_url=settings.OWNER_URL, app_url=settings.APP_URL, platform_url=settings.PLATFORM_URL)
        except ProvisioningFailed as error:
            raise CommandError(str(error)) from error
        call_command("migrate", database="owner", interactive=False)
        call_command("found_platform")
