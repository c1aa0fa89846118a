"""The editor of an object's metadata: rows of a key and a value; an emptied value takes its key away."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _

from merchant_platform.kernel.metadata import KEY_LENGTH, KEYS_MAX, VALUE_LENGTH

KEY, VALUE = "meta_key", "meta_value"
_BLANK_ROWS = 2
_BRACKETS = re.compile(r"\[|\]")


def rows(present: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the editor shows: the pairs, and some empty rows for more."""
    return [*present.items(), *[("", "")] * _BLANK_ROWS]


def typed(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of a form that was sent."""
    assert isinstance(data, QueryDict), "a browser sent it"
    keys, values = data.getlist(KEY), data.getlist(VALUE)
    return [(key.strip(), value.strip()) for key, value in zip(keys, values, strict=False)]


def change(present: Mapping[str, str], given: list[tuple[str, str]]) -> dict[str, str | None]:
    """The change that makes what was typed of what is there. Raises ValidationError."""
    wanted = {key: value for key, value in given if key and value}
    if len(wanted) != sum(1 for key, value in given if key and value):
        raise ValidationError(_("Each key can stand once."))
    if any(value and not key for key, value in given):
        raise ValidationError(_("A value needs a key."))
    if len(wanted) > KEYS_MAX:
        raise ValidationError(_("There can be up to {count} keys.").format(count=KEYS_MAX))
    if any(len(key) > KEY_LENGTH or _BRACKETS.search(key) for key in wanted):
        raise ValidationError(_("A key has up to {count} characters and no square brackets.").format(count=KEY_LENGTH))
    if any(len(value) > VALUE_LENGTH for value in wanted.values()):
        raise ValidationError(_("A value has up to {count} characters.").format(count=VALUE_LENGTH))
    return {**{key: None for key in present if key not in wanted}, **wanted}
