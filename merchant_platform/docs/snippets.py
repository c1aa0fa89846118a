"""The programs of the guide: one story, told with curl and in Python, each from the first line to the last.

They stand in the folder programs/. A test takes them from the page and runs them in
their order, and holds each answer against the true one. `...` is what a reader fills in;
an address is written as ADDRESS and shown as the platform's own.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString

from merchant_platform.docs.highlighting import highlight

CURL, PYTHON, SHELL, JSON = "curl", "python", "shell", "json"
# Whole programs of the reader's own: one that runs until it is stopped, and one that comes to an end.
SERVER, PROGRAM = "python-server", "python-program"
# What a reader can choose, as it is called.
LANGUAGES = {CURL: "curl", PYTHON: "Python"}
CAPTIONS = {**LANGUAGES, SHELL: "Shell", JSON: "JSON", SERVER: "Python", PROGRAM: "Python"}
ADDRESS = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A program as the page shows it."""

    name: str
    language: str
    text: str
    has_choice: bool = False

    @property
    def caption(self) -> str:
        return CAPTIONS[self.language]

    @property
    def html(self) -> SafeString:
        return highlight(self.text)

    @property
    def request(self) -> SafeString:
        """The first request alone, without what is kept for the next."""
        return highlight(self.text.partition("\n\n")[0])


def chosen(language: str) -> dict[str, Snippet]:
    """Every snippet by its name, in the language that the reader chose where it is told in both."""
    shown = {name: _snippet(name, spoken, text) for name, (spoken, text) in ALONE.items()}
    for name, text in STORY[language].items():
        shown[name] = _snippet(name, language, text, has_choice=True)
    return shown


def _snippet(name: str, language: str, text: str, *, has_choice: bool = False) -> Snippet:
    return Snippet(name, language, text.replace(ADDRESS, settings.PUBLIC_URL), has_choice)


def _chapters(story: str) -> dict[str, str]:
    """The parts of a story, by the names that stand above them."""
    _, *parts = re.split(r"^### (\w+)$", story, flags=re.MULTILINE)
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


_FOLDER = Path(__file__).with_name("programs")
# The story by language, and by name what is told in one language alone: of a file's name, the ending is the language.
STORY = {language: _chapters((_FOLDER / f"story.{language}").read_text()) for language in LANGUAGES}
ALONE = {
    path.stem: (path.suffix[1:], path.read_text().strip()) for path in sorted(_FOLDER.iterdir()) if path.stem != "story"
}
