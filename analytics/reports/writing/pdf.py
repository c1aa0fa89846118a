"""PDF: what people print and file. Charts are drawn with the library's own lines; the font comes with the platform.

Long sections are left out, and said to be: their place is in CSV and XLSX.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import noto_cjk_sans_otc
from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue

from analytics.reports.papers import BAR, Column, Kind, Paper, Row, Section, height, text

_FONT = "NotoSansCJK"
# The collection's fonts are those of Japan, Korea, China, Taiwan and Hong Kong.
_SIMPLIFIED = 2
_INK, _MUTED, _LINE, _PRIMARY, _SECOND = (24, 36, 51), (92, 107, 128), (230, 233, 238), (15, 98, 214), (151, 166, 186)
_MARGIN, _ROW = 14.0, 6.2
_CHART_HEIGHT, _BAR_ROW = 46.0, 6.0
# Of a table's letters, the largest that lets every number stand whole.
_SIZES = (8.0, 7.0, 6.0)
_BARS_MAX = 12
# What of a table stands on paper: nobody reads more there.
ROWS_MAX = 400


def write(paper: Paper, path: Path, *, language: str) -> int:
    """Write a paper as pages of A4."""
    pages = _Pages(paper, language)
    count = sum(pages.add(section) for section in paper.sections)
    pages.output(str(path))
    return count


class _Pages(FPDF):
    def __init__(self, paper: Paper, language: str) -> None:
        super().__init__(format="A4")
        self.paper = paper
        self.set_title(paper.title)
        self.set_lang("zh-CN" if language == "zh-hans" else "en")
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(auto=True, margin=16)
        font = Path(noto_cjk_sans_otc.__file__).with_name("NotoSansCJK-Regular.ttc")
        self.add_font(_FONT, fname=font, collection_font_number=_SIMPLIFIED)
        self.add_page()
        self._write_head()

    def header(self) -> None:
        """From the second page on, what it is of and whose: pages lie about by themselves."""
        if self.page_no() > 1:
            self._set(8, _MUTED)
            said = " · ".join([self.paper.title, *(words for _name, words in self.paper.head[:2])])
            self.cell(0, 4, self._fitting(said, self.epw))
            self.ln(8)

    def footer(self) -> None:
        self.set_y(-12)
        self._set(8, _MUTED)
        # The library puts the number of pages in the place of {nb}.
        self.cell(0, 4, f"{self.page_no()} / {{nb}}", align=Align.R)

    def add(self, section: Section) -> int:
        """A section: its title, its chart, its table. Returns how many rows were written."""
        if section.is_long:
            self._title(section.title)
            self._say(_("These rows are in the CSV and XLSX files of this report."))
            return 0
        rows: list[Row] = []
        left_out = 0
        for row in section.rows:
            if len(rows) < ROWS_MAX:
                rows.append(row)
            else:
                left_out += 1
        drawn = _drawn(section, rows)
        is_bar = section.chart is not None and section.chart.form == BAR
        self._title(section.title, above=(_BAR_ROW * len(drawn) if is_bar else _CHART_HEIGHT) + 14 if drawn else 0)
        if section.note:
            self._say(section.note)
        if not rows:
            self._say(_("Nothing in this period."))
            return 0
        if drawn and is_bar:
            self._bars(section, drawn)
        elif drawn:
            self._lines(section, drawn)
        self._table(section.columns, rows)
        if left_out:
            self._say(_("%(count)s more rows are in the CSV and XLSX files of this report.") % {"count": left_out})
        return len(rows)

    # --- parts -----------------------------------------------------------------------

    def _write_head(self) -> None:
        self._set(20, _INK)
        self.multi_cell(0, 10, self.paper.title, align=Align.L, new_x="LMARGIN", new_y="NEXT")
        self.ln(2)
        for name, said in self.paper.head:
            self._set(9, _MUTED)
            self.cell(38, 5.4, name)
            self._set(9, _INK)
            self.multi_cell(0, 5.4, said, align=Align.L, new_x="LMARGIN", new_y="NEXT")

    def _title(self, title: str, *, above: float = 0) -> None:
        """A title, never the last thing on a page: `above` is how high the chart is that it stands above."""
        if self.will_page_break(40 + above):
            self.add_page()
        self.ln(7)
        self._set(13, _INK)
        self.multi_cell(0, 7, title, align=Align.L, new_x="LMARGIN", new_y="NEXT")
        self.ln(1)

    def _say(self, words: str) -> None:
        self._set(9, _MUTED)
        self.multi_cell(0, 5, words, align=Align.L, new_x="LMARGIN", new_y="NEXT")
        self.ln(1)

    def _table(self, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        shown = [[text(value, column.kind) for value, column in zip(row, columns, strict=True)] for row in rows]
        size = next((size for size in _SIZES if self._fits(columns, shown, size)), _SIZES[-1])
        widths = self._widths(columns, shown, size)
        if self.will_page_break(4 * _ROW):
            self.add_page()
        self._heads(columns, widths, size)
        for cells in shown:
            if self.will_page_break(_ROW):
                self.add_page()
                self._heads(columns, widths, size)
            self._set(size, _INK)
            for cell, column, width in zip(cells, columns, widths, strict=True):
                align = Align.R if column.is_number else Align.L
                self.cell(width, _ROW, self._fitting(cell, width - 2), align=align)
            self.ln(_ROW)
            self._rule()

    def _heads(self, columns: Sequence[Column], widths: Sequence[float], size: float) -> None:
        self._set(size, _MUTED)
        heads = [
            self.multi_cell(width, 4, column.title, dry_run=True, output=MethodReturnValue.LINES)
            for column, width in zip(columns, widths, strict=True)
        ]
        lines = max(len(each) for each in heads)  # type: ignore[arg-type]
        top = self.get_y()
        for column, width in zip(columns, widths, strict=True):
            left = self.get_x()
            align = Align.R if column.is_number else Align.L
            self.multi_cell(width, 4, column.title, align=align, new_x="RIGHT", new_y="TOP")
            self.set_xy(left + width, top)
        self.set_xy(self.l_margin, top + 4 * lines + 1)
        self._rule()

    def _wanted(self, columns: Sequence[Column], shown: Sequence[Sequence[str]], size: float) -> list[float]:
        """As wide as what stands there."""
        self._set(size, _INK)
        wanted = []
        for place, column in enumerate(columns):
            longest = max((self.get_string_width(row[place]) for row in shown), default=0)
            wanted.append(max(longest, min(self.get_string_width(column.title), 22)) + 4)
        return wanted

    def _fits(self, columns: Sequence[Column], shown: Sequence[Sequence[str]], size: float) -> bool:
        return sum(self._wanted(columns, shown, size)) <= self.epw

    def _widths(self, columns: Sequence[Column], shown: Sequence[Sequence[str]], size: float) -> list[float]:
        """As wide as what stands there; where that is too much, the texts give way and numbers stay whole."""
        wanted = self._wanted(columns, shown, size)
        texts = [place for place, column in enumerate(columns) if column.kind == Kind.TEXT] or [0]
        over = sum(wanted) - self.epw
        if over > 0:
            share = sum(wanted[place] for place in texts)
            for place in texts:
                wanted[place] = max(wanted[place] - over * wanted[place] / share, 14)
        else:
            # Half of what is left keeps numbers apart, the other half keeps texts whole.
            wanted = [width - over / 2 / len(wanted) for width in wanted]
            wanted[0] -= over / 2
        scale = min(self.epw / sum(wanted), 1)
        return [width * scale for width in wanted]

    def _lines(self, section: Section, rows: Sequence[Row]) -> None:
        """A line a column along the first one, its lowest and highest value beside it."""
        assert section.chart is not None
        values = [[height(row[column]) for row in rows] for column in section.chart.columns]
        low, high = min(0.0, *(min(line) for line in values)), max(0.0, *(max(line) for line in values))
        self._set(7, _MUTED)
        levels = _levels(low, high, is_whole=all(value.is_integer() for line in values for value in line))
        high, low = levels[0], levels[-1]
        top, gutter = self.get_y() + 3, max(self.get_string_width(_axis(each, high - low)) for each in levels) + 5
        left, width = self.l_margin + gutter, self.epw - gutter
        for level in levels:
            y = top + _CHART_HEIGHT * (high - level) / (high - low)
            self.set_draw_color(*_LINE)
            self.set_line_width(0.2)
            self.line(left, y, left + width, y)
            self.set_xy(self.l_margin, y - 2)
            self.cell(gutter - 2, 4, _axis(level, high - low), align=Align.R)
        for colour, line in zip((_SECOND, _PRIMARY), values[::-1], strict=False):
            self.set_draw_color(*(colour if len(values) > 1 else _PRIMARY))
            self.set_line_width(0.5)
            self.polyline(
                [
                    (left + width * place / (len(line) - 1), top + _CHART_HEIGHT * (high - value) / (high - low))
                    for place, value in enumerate(line)
                ]
            )
        self._set(7, _MUTED)
        self.set_xy(left, top + _CHART_HEIGHT + 1.5)
        self.cell(width / 2, 4, text(rows[0][0], section.columns[0].kind))
        self.cell(width / 2, 4, text(rows[-1][0], section.columns[0].kind), align=Align.R)
        self.set_xy(self.l_margin, top + _CHART_HEIGHT + 6)
        if len(values) > 1:
            self._legend([section.columns[column].title for column in section.chart.columns], left)
        self.ln(3)

    def _legend(self, titles: Sequence[str], left: float) -> None:
        self.set_x(left)
        for colour, title in zip((_PRIMARY, _SECOND), titles, strict=False):
            self.set_fill_color(*colour)
            self.rect(self.get_x(), self.get_y() + 1.6, 5, 0.8, style="F")
            self.set_x(self.get_x() + 6)
            self.cell(self.get_string_width(title) + 6, 4, title)
        self.ln(4)

    def _bars(self, section: Section, rows: Sequence[Row]) -> None:
        """A bar a row; below zero a bar is grey."""
        assert section.chart is not None
        columns, column = section.columns, section.chart.columns[0]
        values = [height(row[column]) for row in rows]
        largest = max((abs(value) for value in values), default=0.0)
        self.ln(1)
        name_width, value_width = 44.0, 30.0
        width = self.epw - name_width - value_width
        for row, value in zip(rows, values, strict=True):
            self._set(8, _INK)
            y = self.get_y()
            self.cell(name_width, _BAR_ROW, self._fitting(text(row[0], columns[0].kind), name_width - 3))
            self.set_fill_color(*(_PRIMARY if value >= 0 else _SECOND))
            if value:
                self.rect(self.get_x(), y + 1.4, max(width * abs(value) / largest, 0.4), _BAR_ROW - 2.8, style="F")
            self.set_x(self.l_margin + name_width + width)
            self.cell(value_width, _BAR_ROW, text(row[column], columns[column].kind), align=Align.R)
            self.ln(_BAR_ROW)
        self.ln(3)

    # --- strokes ---------------------------------------------------------------------

    def _set(self, size: float, colour: tuple[int, int, int]) -> None:
        self.set_font(_FONT, size=size)
        self.set_text_color(*colour)

    def _rule(self) -> None:
        self.set_draw_color(*_LINE)
        self.set_line_width(0.2)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())

    def _fitting(self, words: str, width: float) -> str:
        """As much of a text as fits on one line."""
        words = " ".join(words.split())
        if self.get_string_width(words) <= width:
            return words
        while words and self.get_string_width(words + "…") > width:
            words = words[: -max(1, len(words) // 20)]
        return words + "…"


def _drawn(section: Section, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows of a section's chart; none where there is nothing to see."""
    if section.chart is None:
        return []
    drawn = rows[: min(section.chart.most, _BARS_MAX) if section.chart.form == BAR else section.chart.most]
    has_values = any(height(row[column]) for row in drawn for column in section.chart.columns)
    return drawn if has_values and (section.chart.form == BAR or len(drawn) > 1) else []


def _levels(low: float, high: float, *, is_whole: bool) -> list[float]:
    """Round numbers from above the highest value down to below the lowest; whole ones where all values are."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    if is_whole:
        step = max(step, 1.0)
    return [place * step for place in range(math.ceil(high / step), math.floor(low / step) - 1, -1)]


def _axis(level: float, span: float) -> str:
    """A level beside its line: whole numbers, unless all of them lie close together."""
    shown = f"{abs(level):,.0f}" if span >= 4 else f"{abs(level):,.2f}"
    return ("\u2212" if level < 0 and float(shown.replace(",", "")) else "") + shown
