"""Metadata: up to fifty pairs of text that a merchant keeps on an object. An empty value deletes its key."""

from collections.abc import Mapping

from merchant_platform.kernel.errors import Invalid

KEYS_MAX, KEY_LENGTH, VALUE_LENGTH = 50, 40, 500
# A change that deletes everything: what `metadata=""` reads as. No merchant can write this key.
DELETE_ALL: dict[str, str | None] = {"[*]": None}


class TooManyKeys(Invalid):
    """The object would have more than KEYS_MAX keys."""

    code = "metadata_too_long"


def merge(present: Mapping[str, str], change: Mapping[str, str | None] | None) -> dict[str, str]:
    """Metadata after a change; no change where there is none. Raises TooManyKeys."""
    if change is None:
        return dict(present)
    if change == DELETE_ALL:
        return {}
    merged = {key: value for key, value in {**present, **change}.items() if value is not None}
    if len(merged) > KEYS_MAX:
        raise TooManyKeys(f"Metadata can have up to {KEYS_MAX} keys.", param="metadata")
    return merged
