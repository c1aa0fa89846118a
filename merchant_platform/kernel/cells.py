"""Cells of sheets that go out and come in: what no spreadsheet program takes for a formula.

The same for CSV and for workbooks (XLSX), whose writers take a text that begins with `=` for a formula too.
"""

import csv
from collections.abc import Iterable
from io import StringIO

# By this mark Excel knows that a file is UTF-8: the first line of a sheet begins with it.
BYTE_ORDER_MARK = "\ufeff"
# How a formula begins, in half and in full width; a tab or a line break before it is skipped by some programs.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
GUARD = "'"


def guarded(text: str) -> str:
    """A text that is read as a text: what could be a formula gets an apostrophe in front."""
    return GUARD + text if text.startswith(FORMULA_STARTS) else text


def unguarded(text: str) -> str:
    """What stood there before it was guarded."""
    return text[1:] if text.startswith(GUARD) and text[1:].startswith(FORMULA_STARTS) else text


def line(cells: Iterable[object]) -> str:
    """One line of a CSV file. Numbers stay numbers, a negative one too; every text is guarded."""
    written = StringIO()
    csv.writer(written).writerow(guarded(cell) if isinstance(cell, str) else cell for cell in cells)
    return written.getvalue()
