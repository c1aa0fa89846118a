"""Every code that an error can carry, and what its page says: an answer's `doc_url` opens /docs/errors/<code>.

What is said stands in error_codes.toml. A test finds every code in the source and asks
for its entry there; another provokes what can be provoked and compares. `message` is the
API's own sentence, which is English in every language.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel.errors import doc_url

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Text

PATH = Path(__file__).with_suffix(".toml")
INVALID_REQUEST, CARD = "invalid_request_error", "card_error"
# The fields whose words are translated, as a group's title is.
TRANSLATED = ("title", "meaning", "cause", "mend")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """What is said of one code. `guide` names the section of the guide that tells more."""

    code: str
    statuses: tuple[int, ...]
    title: "Text"
    meaning: "Text"
    cause: "Text"
    mend: "Text"
    message: str
    type: str = INVALID_REQUEST
    param: str | None = None
    guide: str = ""
    # Of a card_error: whether it is the code itself, or the reason under `card_declined`.
    is_own_code: bool = False
    # Of a card_error: whether a payment was tried, and stands in the answer.
    has_payment: bool = True

    @property
    def is_decline(self) -> bool:
        """Whether a payment was refused, not a request."""
        return self.type == CARD

    def example(self) -> dict[str, Any]:
        """An answer that carries the code, cut short where an object stands inside."""
        error: dict[str, Any] = {"type": self.type, "code": self.code, "message": self.message}
        if self.is_decline and not self.is_own_code:
            error["code"] = "card_declined"
            error["decline_code"] = self.code if self.code != "card_declined" else "insufficient_funds"
        if self.code == "authentication_required":
            error["decline_code"] = self.code
        if self.is_decline and self.has_payment:
            error["charge"] = "ch_0351h7qSmjBXB55YCiNTdM"
        if self.param:
            error["param"] = self.param
        error["doc_url"] = doc_url(error.get("decline_code", self.code))
        if self.is_decline and self.has_payment:
            error["payment_intent"] = _INTENT
        return {"error": error}


_INTENT = {
    "id": "pi_0351h7qSmjBXB4p1WenQ4D",
    "object": "payment_intent",
    "status": "requires_payment_method",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Codes that have the same ground."""

    name: str
    title: "Text"
    codes: Sequence[ErrorCode]


def _read(name: str, entries: dict[str, Any]) -> Group:
    title = _(entries.pop("title"))
    return Group(name, title, tuple(_error_code(code, entry) for code, entry in entries.items()))


def _error_code(code: str, entry: dict[str, Any]) -> ErrorCode:
    statuses = tuple(entry.pop("statuses"))
    # A text that stands on several lines is one line.
    said: dict[str, Any] = {
        name: " ".join(value.split()) if isinstance(value, str) else value for name, value in entry.items()
    }
    said |= {name: _(said[name]) for name in TRANSLATED}
    return ErrorCode(code=code, statuses=statuses, **said)


GROUPS = tuple(_read(name, entries) for name, entries in tomllib.loads(PATH.read_text()).items())
CODES = {each.code: each for group in GROUPS for each in group.codes}


def search(words: str) -> Iterator[tuple[Group, list[ErrorCode]]]:
    """The groups with the codes that contain every word, in the active language, the code or the status."""
    wanted = words.casefold().split()
    for group in GROUPS:
        found = [each for each in group.codes if all(word in _searched(each) for word in wanted)]
        if found:
            yield group, found


def _searched(each: ErrorCode) -> str:
    statuses = " ".join(map(str, each.statuses))
    return f"{each.code} {statuses} {each.title} {each.meaning} {each.cause} {each.mend} {each.message}".casefold()
