"""CSV: the sections one after the other, each begun by a line with `#` and its title, and parted by an empty line.

So do the bills of Alipay and of banks: people see where they are, and a program that takes
`#` for a remark finds plain tables. Amounts are plain decimals, every text is guarded.
"""

from pathlib import Path

from analytics.reports.papers import Paper, plain
from merchant_platform.kernel import cells


def write(paper: Paper, path: Path, *, language: str) -> int:
    """Write a paper, a row at a time."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(cells.BYTE_ORDER_MARK + cells.line([f"# {paper.title}"]))
        for name, said in paper.head:
            file.write(cells.line([f"# {name}", said]))
        for section in paper.sections:
            file.write(cells.line([]) + cells.line([f"# {section.title}"]))
            if section.note:
                file.write(cells.line([f"# {section.note}"]))
            file.write(cells.line(column.title for column in section.columns))
            kinds = [column.kind for column in section.columns]
            for row in section.rows:
                file.write(cells.line(plain(value, kind) for value, kind in zip(row, kinds, strict=True)))
                count += 1
    return count
