"""Walks the dashboard from link to link: a page is tried because it can be reached, not because it is listed."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, resolve

from merchant_platform.management.commands import messages
from tests.merchant_platform.docs.reading import Page

# Three words of Latin letters in a row are a sentence of ours that nobody translated.
LATIN_SENTENCE = re.compile(r"[A-Za-z’']+(?:[ ,]+[A-Za-z’']+){2,}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
MARKS_LEFT_OVER = re.compile(r"%\(|\{[{%]|[%}]\}|`")
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}|%s|%d")


@dataclass
class Stop:
    """An address that somebody came to."""

    url: str
    name: str
    status: int
    statements: int
    reply: Any
    page: Page | None


@dataclass
class Walk:
    """Everything that can be reached from some addresses by links, one address for each name of a route."""

    client: Client
    prefix: str
    stops: dict[str, Stop] = field(default_factory=dict)

    def follow(self, urls: list[str]) -> None:
        """Visit addresses, and from each page one link for every route that was not seen yet."""
        open_ = [(name_of(url), url) for url in urls]
        while open_:
            name, url = open_.pop(0)
            if name in self.stops:
                continue
            stop = self.stops[name] = visit(self.client, url)
            if stop.page is not None:
                open_ += [(name_of(link), link) for link in self._links(stop.page)]

    def _links(self, page: Page) -> Iterator[str]:
        for element in page.elements:
            for attribute in ("href", "hx-get"):
                url = element.attributes.get(attribute) or ""
                if url.startswith(self.prefix) and name_of(url):
                    yield url


def visit(client: Client, url: str) -> Stop:
    with CaptureQueriesContext(connections["default"]) as captured:
        reply = client.get(url)
        is_page = not reply.streaming and reply.headers.get("Content-Type", "").startswith("text/html")
        html = reply.content.decode() if is_page else ""
    page = Page(html) if html.startswith("<!doctype") else None
    return Stop(url, name_of(url), reply.status_code, len(captured), reply, page)


def name_of(url: str) -> str:
    """The route of an address; empty for one that leads nowhere."""
    try:
        return resolve(urlsplit(url).path).url_name or ""
    except Resolver404:
        return ""


class Catalogue:
    """The texts of the source language that have words of their own in Chinese."""

    def __init__(self) -> None:
        (path,) = messages.catalogues()
        texts: set[str] = set()
        for message in messages.load(path):
            for text in [message.id] if isinstance(message.id, str) else message.id:
                if text and text not in forms(message):
                    texts.add(text)
        self._plain = {text for text in texts if not PLACE.search(text)}
        filled = [
            "".join(".+?" if PLACE.fullmatch(part) else re.escape(part) for part in split(text))
            for text in texts - self._plain
            if re.search(r"[A-Za-z]{3}", PLACE.sub("", text))
        ]
        self._filled = re.compile("|".join(filled))

    def untranslated(self, words: str) -> bool:
        """Whether words of a Chinese page are English ones of ours, or a sentence that no translator ever saw."""
        words = " ".join(words.split())
        if words in self._plain or self._filled.fullmatch(words):
            return True
        # A sentence in Chinese may name what is called so everywhere: columns of a file, an address.
        return bool(LATIN_SENTENCE.search(words)) and not CHINESE.search(words)


def foreign_to(language: str) -> Callable[[str], Any]:
    """Tells words that do not belong on a page of a language. A language and a zone have one name everywhere."""
    names = {name for _, name in settings.LANGUAGES} | {each.replace("_", " ") for each in available_timezones()}
    catalogue = Catalogue()
    judge = catalogue.untranslated if language == "zh-hans" else CHINESE.search
    return lambda words: words not in names and (judge(words) or MARKS_LEFT_OVER.search(words))


def forms(message: Any) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def split(text: str) -> list[str]:
    return re.split(f"({PLACE.pattern})", text)
