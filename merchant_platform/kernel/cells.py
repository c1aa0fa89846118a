"""Cells of sheets that go out and come in: what no spreadsheet program takes for a formula."""

# How a formula begins, in half and in full width; a tab or a line break before it is skipped by some programs.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
GUARD = "'"


def guarded(text: str) -> str:
    """A text that is read as a text: what could be a formula gets an apostrophe in front."""
    return GUARD + text if text.startswith(FORMULA_STARTS) else text


def unguarded(text: str) -> str:
    """What stood there before it was guarded."""
    return text[1:] if text.startswith(GUARD) and text[1:].startswith(FORMULA_STARTS) else text
