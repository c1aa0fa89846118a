import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from merchant_platform.kernel import clock, ids
from merchant_platform.kernel.errors import PlatformError
from security.credentials import certificates, keys, networks, signatures
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET, ApiKey
from security.merchants.models import LIVE, TEST, Book


class Command(BaseCommand):
    help = "API keys of a merchant: list, make, rotate with overlap, revoke. A new key's text is shown once."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        for verb in ("list", "make"):
            each = verbs.add_parser(verb)
            each.add_argument("merchant", help="the merchant's short name, as in addresses")
            each.add_argument("--live", action="store_true", help="the live book; without it the test book")
        each.add_argument("--kind", choices=[SECRET, PUBLISHABLE, RESTRICTED], default=SECRET)
        each.add_argument("--name", default="")
        each.add_argument("--allow", action="append", default=[], metavar="RESOURCE:VERB", help="charges:read")
        limit = verbs.add_parser("limit", help="let a key be used from these networks alone; from anywhere for none")
        limit.add_argument("key")
        limit.add_argument("networks", nargs="*", metavar="NETWORK", help="203.0.113.0/24")
        certificates = verbs.add_parser("certificates", help="let a key be used with these client certificates alone")
        certificates.add_argument("key")
        certificates.add_argument("fingerprints", nargs="*", metavar="SHA256", help="none: no certificate is needed")
        for verb, what in (
            ("sign", "take signed requests alone: the public Ed25519 key, in PEM"),
            ("encrypt", "encrypt answers on request: the public P-256 key, as JWK"),
        ):
            each = verbs.add_parser(verb, help=what)
            each.add_argument("key")
            each.add_argument("file", nargs="?", type=Path, help="none: no more")
        rotate = verbs.add_parser("rotate")
        rotate.add_argument("key", help="key_…, as `list` shows it")
        rotate.add_argument("--overlap-hours", type=int, default=24, help="how long the old key still works")
        verbs.add_parser("revoke").add_argument("key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except PlatformError as error:
            raise CommandError(error.message) from error

    def _list(self, options: dict[str, Any]) -> None:
        for key in ApiKey.objects.filter(book=self._book(options)).order_by("pk"):
            ends = key.revoked_at or key.expires_at
            state = f"ends {ends:%Y-%m-%d %H:%M} UTC" if ends else "works"
            self.stdout.write(f"{ids.show('key', key.pk)}  {key.kind:<11}  …{key.last_four}  {state}  {key.name}")

    def _make(self, options: dict[str, Any]) -> None:
        permissions = dict(word.partition(":")[::2] for word in options["allow"])
        _, text = keys.make(
            book=self._book(options),
            kind=options["kind"],
            name=options["name"],
            permissions=permissions or None,
            now=clock.wall(),
        )
        self.stdout.write(text)

    def _limit(self, options: dict[str, Any]) -> None:
        networks.allow(key=self._key(options), networks=options["networks"])

    def _certificates(self, options: dict[str, Any]) -> None:
        certificates.bind(key=self._key(options), fingerprints=options["fingerprints"])

    def _sign(self, options: dict[str, Any]) -> None:
        signatures.require(key=self._key(options), public_pem=self._text(options))

    def _encrypt(self, options: dict[str, Any]) -> None:
        try:
            jwk = json.loads(self._text(options) or "null")
        except ValueError as error:
            raise CommandError(f"{options['file']} is no JSON.") from error
        if not isinstance(jwk, dict | None):
            raise CommandError(f"{options['file']} is no JWK.")
        keys.encrypt_to(key=self._key(options), jwk=jwk)

    def _text(self, options: dict[str, Any]) -> str:
        try:
            return options["file"].read_text() if options["file"] else ""
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read.") from error

    def _rotate(self, options: dict[str, Any]) -> None:
        overlap = timedelta(hours=options["overlap_hours"])
        _, text = keys.rotate(key=self._key(options), overlap=overlap, now=clock.wall())
        self.stdout.write(text)

    def _revoke(self, options: dict[str, Any]) -> None:
        keys.revoke(key=self._key(options), now=clock.wall())

    def _book(self, options: dict[str, Any]) -> Book:
        mode = LIVE if options["live"] else TEST
        book = Book.objects.select_related("merchant").filter(merchant__slug=options["merchant"], mode=mode).first()
        if book is None:
            raise CommandError(f"No merchant is called {options['merchant']!r}.")
        return book

    def _key(self, options: dict[str, Any]) -> ApiKey:
        try:
            key = ApiKey.objects.select_related("book").filter(pk=ids.parse("key", options["key"])).first()
        except ids.MalformedId:
            key = None
        if key is None:
            raise CommandError(f"No such key: {options['key']!r}.")
        return key
