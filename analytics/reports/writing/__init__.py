"""Papers as files: one writer a format. A writer gets a path of its own, and rows that it reads once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from analytics.reports.models import CSV, PDF, XLSX
from analytics.reports.papers import Paper
from analytics.reports.writing import csv, pdf, xlsx


class Writer(Protocol):
    def __call__(self, paper: Paper, path: Path, *, language: str) -> int:
        """This will write a file and return how many rows it has."""


WRITERS: Mapping[str, Writer] = {CSV: csv.write, XLSX: xlsx.write, PDF: pdf.write}
