"""XLSX: a sheet a section, numbers as numbers, charts that the spreadsheet program draws.

Rows go to a file as they come (`constant_memory`). Nothing is ever written as a formula or
a link, and texts are guarded besides: a sheet may be saved as CSV and opened again.
"""

from datetime import date, datetime
from functools import cache
from itertools import count as numbers
from pathlib import Path
from typing import Any

from babel.numbers import get_currency_symbol
from django.utils.translation import gettext as _
from xlsxwriter import Workbook

from analytics.reports.papers import BAR, Kind, Paper, Section, Value, decimal, locale
from merchant_platform.kernel import money
from merchant_platform.kernel.cells import guarded
from merchant_platform.kernel.money import Money

# A sheet has 1,048,576 rows; what is longer goes on in another one.
ROWS_MAX = 1_000_000
# What a sheet's name may not have, and how long it may be.
_NOT_IN_NAMES = str.maketrans("[]:*?/\\'", "        ")
_NAME_MAX = 31
_A4, _UPRIGHT_MAX = 9, 6
_FONTS = {"zh-hans": "Microsoft YaHei"}
_FONT = "Calibri"
_INK, _MUTED, _PRIMARY, _SECOND = "#182433", "#5C6B80", "#0F62D6", "#97A6BA"
_WIDTHS = {Kind.TEXT: 26, Kind.DAY: 13, Kind.MOMENT: 20, Kind.MONEY: 16, Kind.COUNT: 12, Kind.SHARE: 10}


def write(paper: Paper, path: Path, *, language: str) -> int:
    """Write a paper as a workbook. The first sheet says what it is of."""
    book = _Book(path, language)
    try:
        book.cover(paper)
        return sum(book.add(section) for section in paper.sections)
    finally:
        book.close()


class _Book:
    def __init__(self, path: Path, language: str) -> None:
        self._book = Workbook(
            str(path),
            {
                "constant_memory": True,
                "tmpdir": str(path.parent),
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_format_properties": {"font_name": _FONTS.get(language, _FONT), "font_size": 10},
            },
        )
        self._names: set[str] = set()
        self._format = cache(self._made)

    def close(self) -> None:
        self._book.close()

    def cover(self, paper: Paper) -> None:
        sheet = self._book.add_worksheet(self._name(_("Report")))
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 48)
        sheet.write_string(0, 0, guarded(paper.title), self._format(bold=True, font_size=18, font_color=_INK))
        for place, (name, said) in enumerate(paper.head, start=2):
            sheet.write_string(place, 0, guarded(name), self._format(font_color=_MUTED))
            sheet.write_string(place, 1, guarded(said), self._format())

    def add(self, section: Section) -> int:
        """A section's rows on a sheet, and on further ones where they do not fit; returns how many there are."""
        sheet, place, total = None, 0, 0
        for row in section.rows:
            if sheet is None or place == ROWS_MAX:
                sheet, place = self._sheet(section), 0
            place, total = place + 1, total + 1
            for column, (value, described) in enumerate(zip(row, section.columns, strict=True)):
                self._cell(sheet, place, column, value, described.kind)
        if sheet is None:
            sheet = self._sheet(section)
        elif section.chart and total <= ROWS_MAX:
            self._chart(sheet, section, total)
        return total

    def _sheet(self, section: Section) -> Any:
        sheet = self._book.add_worksheet(self._name(section.title))
        sheet.freeze_panes(1, 1)
        # On paper: A4, as wide as a page, and each page says which it is.
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        if len(section.columns) > _UPRIGHT_MAX:
            sheet.set_landscape()
        sheet.set_footer("&L&A&R&P / &N")
        sheet.repeat_rows(0)
        for place, column in enumerate(section.columns):
            sheet.set_column(place, place, max(_WIDTHS[column.kind], min(len(column.title) + 2, 30)))
            align = "right" if column.is_number else "left"
            head = self._format(bold=True, bottom=1, font_color=_INK, bg_color="#F6F7F9", align=align)
            sheet.write_string(0, place, guarded(column.title), head)
        if section.note:
            sheet.write_comment(0, 0, section.note, {"x_scale": 3})
        return sheet

    def _cell(self, sheet: Any, row: int, column: int, value: Value, kind: Kind) -> None:
        if value is None:
            return
        if isinstance(value, Money):
            sheet.write_number(row, column, float(decimal(value)), self._format(num_format=_money(value.currency)))
        elif isinstance(value, datetime):
            form = self._format(num_format="yyyy-mm-dd hh:mm:ss", align="left")
            sheet.write_datetime(row, column, value.replace(tzinfo=None), form)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, self._format(num_format="yyyy-mm-dd", align="left"))
        elif kind == Kind.SHARE and isinstance(value, int):
            sheet.write_number(row, column, value / 1_000_000, self._format(num_format="0.0%"))
        elif isinstance(value, int):
            sheet.write_number(row, column, value, self._format(num_format="#,##0"))
        else:
            sheet.write_string(row, column, guarded(value), self._format())

    def _chart(self, sheet: Any, section: Section, total: int) -> None:
        assert section.chart is not None
        last = min(total, section.chart.most)
        is_bar = section.chart.form == BAR
        chart = self._book.add_chart({"type": "bar" if is_bar else "line"})
        for colour, column in zip((_PRIMARY, _SECOND), section.chart.columns, strict=False):
            line = {"color": colour, "width": 1.75}
            chart.add_series(
                {
                    "name": [sheet.name, 0, column],
                    "categories": [sheet.name, 1, 0, last, 0],
                    "values": [sheet.name, 1, column, last, column],
                    **({"fill": {"color": colour}, "gap": 60} if is_bar else {"line": line}),
                }
            )
        chart.set_title({"name": section.title, "overlay": False, "name_font": {"size": 12, "bold": False}})
        chart.set_legend({"position": "bottom"} if len(section.chart.columns) > 1 else {"none": True})
        # Bars begin at the top, as the table does.
        along = {"date_axis": section.columns[0].kind == Kind.DAY, "reverse": is_bar}
        chart.set_x_axis(
            {**along, "num_font": {"size": 9}, "major_gridlines": {"visible": False}, "label_position": "low"}
        )
        chart.set_y_axis({"num_font": {"size": 9}, "major_gridlines": {"visible": True, "line": {"color": "#E6E9EE"}}})
        chart.set_size({"width": 760, "height": 320 if not is_bar else min(140 + 26 * last, 700)})
        sheet.insert_chart(1, len(section.columns) + 1, chart, {"description": section.title})

    def _name(self, title: str) -> str:
        """A name that no sheet has yet: programs cut long ones and refuse some signs."""
        for number in numbers(1):
            end = f" ({number})" if number > 1 else ""
            name = title.translate(_NOT_IN_NAMES).strip()[: _NAME_MAX - len(end)] + end
            if name.lower() not in self._names:
                self._names.add(name.lower())
                return name
        raise AssertionError("there are always more numbers")

    def _made(self, **properties: Any) -> Any:
        return self._book.add_format({"valign": "top", **properties})


def _money(currency: str) -> str:
    """How a spreadsheet program shows an amount: the currency's sign, its decimals, and the minus before both."""
    digits = money.exponent(currency)
    number = "#,##0" + ("." + "0" * digits if digits else "")
    sign = get_currency_symbol(currency, locale=locale()).replace('"', "")
    return f'"{sign}"{number};"\u2212{sign}"{number}'
