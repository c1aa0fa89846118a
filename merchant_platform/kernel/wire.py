"""JSON as it goes over the wire and into rows: one writer, compact, UTF-8."""

from typing import Any

import orjson

# The version of Stripe's API whose shapes are served: the one that the pinned SDK names.
API_VERSION = "2026-10-28.endive"


def dump(value: Any) -> str:
    """JSON text. Raises TypeError for what JSON has not; nothing is guessed."""
    return orjson.dumps(value).decode()


def load(text: str | bytes) -> Any:
    return orjson.loads(text)


def pretty(value: Any) -> str:
    """The same, indented, for a person."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
