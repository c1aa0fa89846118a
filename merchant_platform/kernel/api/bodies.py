"""Request bodies: form-encoded with nested brackets, and JSON. What is malformed is refused before anything is read.

The bracket form is Stripe's: `a[b][0][c]=v`, `expand[]=x`. An index makes a mapping with
number keys, which a parameter that is a list turns into one (params.py); a bare `[]`
appends.
"""

import json
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from merchant_platform.kernel.errors import Invalid, PlatformError

DEPTH_MAX = 8
FIELDS_MAX = 1_000
INTEGER_MIN, INTEGER_MAX = -(10**19) + 1, 10**19 - 1


class MalformedBody(Invalid):
    """The request cannot be read as what it says it is."""

    code = "request_malformed"


class UnsupportedMedia(PlatformError):
    """The body is neither a form nor JSON."""

    code = "unsupported_media_type"


def parse(body: bytes, content_type: str) -> tuple[dict[str, Any], bool]:
    """The parameters of a body, and whether their types are JSON's (a form knows text alone).

    Raises MalformedBody and UnsupportedMedia.
    """
    if not body:
        return {}, False
    media = content_type.partition(";")[0].strip().lower()
    if media in ("application/x-www-form-urlencoded", ""):
        return parse_form(body), False
    if media == "application/json":
        return parse_json(body), True
    raise UnsupportedMedia(
        f"Content type '{media[:100]}' is not supported: send application/x-www-form-urlencoded or application/json."
    )


def parse_json(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)  # refuses bad UTF-8, lone surrogates, NaN and Infinity
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"The body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedBody("The body must be a JSON object.")
    # A parser keeps the last of two. Each key has a colon after it, so that where there are no more
    # colons than keys nothing was lost; only a text with a colon in it (an address) is read a second time.
    if body.count(b":") > _check(value):
        json.loads(body, object_pairs_hook=_once)
    return value


def parse_form(body: bytes) -> dict[str, Any]:
    """Nested mappings and lists from `a[b][]=c` pairs. Values are text."""
    pairs = [pair for pair in body.replace(b"+", b" ").split(b"&") if pair]
    if len(pairs) > FIELDS_MAX:
        raise MalformedBody(f"More than {FIELDS_MAX} fields.")
    root: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        _place(root, _segments(_text(name)), _text(value))
    return root


def _text(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBody("The request is not valid UTF-8.") from error
    if "\0" in text:
        raise MalformedBody("The request contains a NUL character.")
    return text


def _segments(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    if head and not bracket:
        return [name]
    if not head or not rest.endswith("]"):
        raise MalformedBody(f"Malformed parameter name: '{name[:100]}'")
    segments = [head, *rest[:-1].split("][")]
    if any("[" in segment or "]" in segment for segment in segments) or "" in segments[:-1]:
        raise MalformedBody(f"Malformed parameter name: '{name[:100]}'")
    if len(segments) > DEPTH_MAX:
        raise MalformedBody(f"Parameters are nested more than {DEPTH_MAX} deep.")
    return segments


def _place(root: dict[str, Any], segments: list[str], value: str) -> None:
    place: Any = root
    for i, segment in enumerate(segments[:-1]):
        wanted: Any = [] if segments[i + 1] == "" else {}
        inner = place.setdefault(segment, wanted)
        if type(inner) is not type(wanted):
            raise MalformedBody(f"Parameter '{segment[:100]}' is given in two shapes.")
        place = inner
    if segments[-1] == "":
        place.append(value)
    elif segments[-1] in place:
        raise MalformedBody(f"Parameter '{segments[-1][:100]}' is given twice.")
    else:
        place[segments[-1]] = value


def _once(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise MalformedBody(f"Parameter '{name[:100]}' is given twice.")
        seen.add(name)


def _check(value: Any) -> int:
    """Bounds of a JSON document: depth, number of fields, integers, NUL. This will return how many keys it has."""
    stack, fields, keys = [(value, 1)], 0, 0
    while stack:
        item, depth = stack.pop()
        if isinstance(item, dict | list):
            if depth > DEPTH_MAX:
                raise MalformedBody(f"Parameters are nested more than {DEPTH_MAX} deep.")
            fields += len(item)
            if fields > FIELDS_MAX:
                raise MalformedBody(f"More than {FIELDS_MAX} fields.")
            if isinstance(item, dict):
                keys += len(item)
                stack += [(key, depth) for key in item]
                item = list(item.values())
            stack += [(inner, depth + 1) for inner in item]
        elif isinstance(item, str):
            if "\0" in item:
                raise MalformedBody("The request contains a NUL character.")
        # An integer that 64 bits do not hold is a float by now.
        elif isinstance(item, int | float) and not INTEGER_MIN <= item <= INTEGER_MAX:
            raise MalformedBody("A number has more than 19 digits.")
    return keys
