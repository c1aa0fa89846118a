"""`manage.py messages`: collect what is to be translated, keep what is, and compile it.

Django's own makemessages needs xgettext, which is not on every machine; Babel is here
anyway. Templates become Python by Django's `templatize`, and Babel reads Python.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import translation
from django.utils.translation import to_locale
from django.utils.translation.template import templatize

from merchant_platform.docs import error_codes
from merchant_platform.kernel.api.openapi import endpoints

# What is read; tests and migrations say nothing to a person.
FOLDERS = ("merchant_platform", "security", "payments", "members", "analytics", "templates")
READ = (".py", ".html", ".txt", error_codes.PATH.suffix)
LEFT_OUT = {"migrations", "locale", "static"}
KEYWORDS: dict[str, Any] = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# What Babel would fill with blanks for somebody to complete.
HEADER: dict[str, Any] = {
    "header_comment": "# Written by manage.py messages.",
    "project": "merchant-platform",
    "version": "0",
    "msgid_bugs_address": "none",
    "last_translator": "merchant-platform",
    "language_team": "merchant-platform",
}
# The language that the source is written in needs no catalogue.
SOURCE_LANGUAGE = "en"


class Command(BaseCommand):
    help = "Collect the texts of code and templates into each locale's django.po, and compile django.mo from it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        found = collect()
        for path in catalogues():
            present = load(path)
            present.update(found, no_fuzzy_matching=True, update_creation_date=False)
            path.write_bytes(po(present))
            path.with_suffix(".mo").write_bytes(mo(present))
            open_ = [message.id for message in present if message.id and not is_translated(message)]
            self.stdout.write(f"{path.relative_to(settings.BASE_DIR)}: {len(present)} texts, {len(open_)} to translate")


def catalogues() -> list[Path]:
    """The django.po of every language but the source's, whether it exists yet or not."""
    return [
        Path(folder) / to_locale(code) / "LC_MESSAGES" / "django.po"
        for folder in settings.LOCALE_PATHS
        for code, _ in settings.LANGUAGES
        if code != SOURCE_LANGUAGE
    ]


def load(path: Path) -> Catalog:
    """A catalogue as it is on disk, or an empty one."""
    locale = path.parent.parent.name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        return Catalog(locale=locale, fuzzy=False, **HEADER)
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def collect() -> Catalog:
    """Every text that code and templates want translated."""
    found = Catalog()
    for path in sources():
        name = str(path.relative_to(settings.BASE_DIR))
        for _, text, comments, context in extract("python", BytesIO(_python(path)), keywords=KEYWORDS):
            found.add(text, locations=[(name, 0)], auto_comments=comments, context=context)
    for *_, each in endpoints():
        # What a door says of itself, which the API reference shows.
        name = each.function.__module__.replace(".", "/") + ".py"
        for text in (each.summary, *each.extra_statuses.values()):
            found.add(text, locations=[(name, 0)])
    return found


def sources() -> Iterator[Path]:
    """The files that are read, in one order everywhere."""
    for folder in FOLDERS:
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            if path.suffix in READ and not LEFT_OUT & set(path.relative_to(settings.BASE_DIR).parts):
                yield path


def is_translated(message: Any) -> bool:
    """Whether a text has all its forms, and nobody doubts them."""
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(strings) and not message.fuzzy


def po(catalogue: Catalog) -> bytes:
    """A catalogue as django.po: without line numbers, so that it changes only where a text does."""
    file = BytesIO()
    write_po(file, catalogue, width=120, include_lineno=False, ignore_obsolete=True)
    return file.getvalue()


def mo(catalogue: Catalog) -> bytes:
    """A catalogue as django.mo."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def _python(path: Path) -> bytes:
    text = path.read_text()
    if path == error_codes.PATH:
        text = "\n".join(f"_({each!r})" for each in _texts_of_error_codes())
    elif path.suffix != ".py":
        # What is left of the markup would be indented without a reason, which Python's tokenizer refuses.
        text = "\n".join(line.lstrip() for line in templatize(text, str(path)).splitlines())
    return text.encode()


def _texts_of_error_codes() -> Iterator[str]:
    with translation.override(SOURCE_LANGUAGE):
        for group in error_codes.GROUPS:
            yield str(group.title)
            for each in group.codes:
                yield from (str(getattr(each, name)) for name in error_codes.TRANSLATED)
