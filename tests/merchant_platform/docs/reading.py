"""Reads a page as a browser would: its elements, its visible words, its programs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta"}
# Attributes that a person sees or hears.
SPOKEN = ("alt", "aria-label", "content", "data-copied", "placeholder", "title")


@dataclass
class Element:
    """One element, with the words that stand directly in it."""

    name: str
    attributes: Mapping[str, str | None]
    parent: "Element | None" = None
    words: list[str] = field(default_factory=list)
    children: list["Element"] = field(default_factory=list)

    def __getitem__(self, attribute: str) -> str:
        return self.attributes[attribute] or ""

    def __contains__(self, attribute: str) -> bool:
        return attribute in self.attributes

    @property
    def ancestors(self) -> Iterator["Element"]:
        """The element and what it stands in, from inside out."""
        element: Element | None = self
        while element is not None:
            yield element
            element = element.parent

    @property
    def is_translated(self) -> bool:
        """Whether its words are ours: not code, and nothing that somebody typed."""
        return not any(
            element.name in ("code", "pre", "script") or element.attributes.get("translate") == "no"
            for element in self.ancestors
        )

    @property
    def text(self) -> str:
        return "".join(self.words)


class Page(HTMLParser):
    """Every element of a page, in its order; `text` of an element includes that of the elements in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), self._open[-1] if self._open else None)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].name == tag, f"</{tag}> where <{self._open[-1].name}> is open"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.words.append(data)
        if self._open and data.strip():
            self._open[-1].children.append(Element("#text", {}, self._open[-1], [data]))

    def all(self, *names: str) -> list[Element]:
        return [element for element in self.elements if element.name in names]

    def one(self, name: str) -> Element:
        (element,) = self.all(name)
        return element

    def our_words(self) -> Iterator[str]:
        """What a person reads or hears, where the words are ours."""
        for element in self.elements:
            if element.is_translated:
                yield from (child.text.strip() for child in element.children)
                if element.attributes.get("name") not in ("viewport", "color-scheme", "theme-color", "robots"):
                    yield from (element[attribute] for attribute in SPOKEN if attribute in element)

    def snippets(self) -> dict[str, tuple[str, str]]:
        """The programs of a page: name to language and text."""
        return {
            element["data-snippet"]: (element["data-language"], element.text)
            for element in self.all("pre")
            if "data-snippet" in element
        }
