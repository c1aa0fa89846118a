"""`expand[]`: an id in an answer becomes the object it names, up to four levels, set-based for lists.

Each app registers what can be expanded and how to load it; a loader gets all ids of one
kind at once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from merchant_platform.kernel.api.params import InvalidParameter

Loader = Callable[[Sequence[str]], Mapping[str, dict[str, Any]]]

# object name -> field -> kind of the loader
_fields: dict[str, dict[str, str]] = {}
_included: dict[str, dict[str, str]] = {}
_loaders: dict[str, Loader] = {}
_ways: dict[str, set[str]] = {}


def expandable(object_name: str, **fields: str) -> None:
    """Register which fields of an object can be expanded, and by which loader."""
    _fields.setdefault(object_name, {}).update(fields)


def includable(object_name: str, **fields: str) -> None:
    """Register fields that an object shows only where they are asked for, loaded by the object's own id."""
    _included.setdefault(object_name, {}).update(fields)


def passable(object_name: str, *fields: str) -> None:
    """Register parts of an object that are always there, through which a path leads on: `total_details.breakdown`."""
    _ways.setdefault(object_name, set()).update(fields)


def loader(kind: str, load: Loader) -> None:
    """Register how ids of a kind become objects."""
    _loaders[kind] = load


def apply(answer: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Expand `paths` in an answer, in place. Raises InvalidParameter for a path that cannot be expanded."""
    for path in paths:
        is_list = answer.get("object") in ("list", "search_result")
        segments = path.split(".")
        if is_list and segments[0] != "data":
            raise _refusal(path)
        level = answer["data"] if is_list else [answer]
        names = segments[1:] if is_list else segments
        if not names:
            raise _refusal(path)
        for name in names:
            level = _expand_level(level, name, path)
    return answer


def _expand_level(objects: Iterable[dict[str, Any]], name: str, path: str) -> list[dict[str, Any]]:
    pending: dict[str, list[dict[str, Any]]] = {}
    expanded: list[dict[str, Any]] = []
    for holder in objects:
        kind = _fields.get(holder.get("object", ""), {}).get(name)
        included = _included.get(holder.get("object", ""), {}).get(name)
        is_way = name in _ways.get(holder.get("object", ""), ())
        if kind is None and included is None and not is_way:
            raise _refusal(path)
        value = holder.get(name)
        if isinstance(value, list):
            expanded += value
        elif isinstance(value, dict):  # expanded by an earlier path, or a way
            expanded.append(value)
        elif included is not None:
            holder[name] = _loaders[included]([holder["id"]])[holder["id"]]
            expanded.append(holder[name])
        elif value is not None and kind is not None:
            pending.setdefault(kind, []).append(holder)
    for kind, holders in pending.items():
        loaded = _loaders[kind](sorted({holder[name] for holder in holders}))
        for holder in holders:
            if holder[name] in loaded:
                # A copy for each holder: deeper paths change it in place.
                holder[name] = dict(loaded[holder[name]])
                expanded.append(holder[name])
    return expanded


def _refusal(path: str) -> InvalidParameter:
    return InvalidParameter(f"This property cannot be expanded ({path[:100]}).", param="expand")
