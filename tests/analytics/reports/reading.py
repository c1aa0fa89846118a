"""Files of reports, read as other programs read them."""

import csv

from analytics.reports import files
from analytics.reports.models import Report


def path_of(report: Report):
    return files.path_of(report.book_id, report.pk, report.format)


def sections(report: Report) -> dict[str, list[list[str]]]:
    """A CSV's sections by title, each with its header and its rows; remarks left out."""
    text = path_of(report).read_text(encoding="utf-8-sig")
    found: dict[str, list[list[str]]] = {}
    for part in text.replace("\r\n", "\n").split("\n\n")[1:]:
        rows = list(csv.reader(part.splitlines()))
        remarks = [row[0] for row in rows if row and row[0].startswith("# ")]
        found[remarks[0].removeprefix("# ")] = [row for row in rows if not (row and row[0].startswith("# "))]
    return found


def columns(rows: list[list[str]], *names: str) -> list[list[str]]:
    """Some columns of a section's rows, by their titles."""
    places = [rows[0].index(name) for name in names]
    return [[row[place] for place in places] for row in rows[1:]]
