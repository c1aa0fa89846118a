"""Read a sheet of members and say, row by row, what it would do. Nothing is written here.

A row names its member by the number on the card, else by the telephone number, else by
the e-mail address; who is not found is new, and keeps the number of the old system. A
column that the sheet has not, or a cell that is empty, changes nothing; tags and consents
are added, never taken away. So a sheet that was brought once changes nothing the second time.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import Any
from uuid import UUID

from members.directory import contacts, profile, queries
from members.directory.hand import Hand
from members.directory.models import CONTACTS, EMAIL, PHONE, Contact, Member
from members.directory.objects import About
from members.importing.models import CHANGED, CREATED, SAME, WRONG
from merchant_platform.kernel.cells import unguarded
from merchant_platform.kernel.errors import Invalid
from security.privacy import queries as allowed
from security.privacy.wording import PERSONALISATION, PURPOSES

COLUMNS = ("number", "name", "phone", "email", "birthday", "household", "tags", "consents", "joined")
# What sheets in Chinese call them.
HEADINGS = {
    "会员号": "number", "卡号": "number", "姓名": "name", "电话": "phone", "手机": "phone", "手机号": "phone",
    "邮箱": "email", "电子邮箱": "email", "生日": "birthday", "家庭": "household", "标签": "tags", "同意项": "consents",
    "入会日期": "joined",
}  # fmt: skip
ROWS_MAX, BYTES_MAX = 2_000, 1024 * 1024
CELL_LENGTH_MAX = 500
# A cell may go over several lines, up to here.
ROW_LINES_MAX = 20
# What is wrong with a row as a whole.
BROKEN, TOO_MANY_CELLS = "broken_quotes", "too_many_cells"
_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{3,29}")


class Unreadable(Invalid):
    """The file is no such sheet; `why` is one word for what is wrong with it, `column` the heading that is."""

    def __init__(self, message: str, *, why: str = "not_text", column: str = "") -> None:
        super().__init__(message, param="file")
        self.why = why
        self.column = column


@dataclass(slots=True)
class Row:
    """What one row of the sheet says and would do."""

    number: int
    cells: dict[str, str]
    kind: str = SAME
    # Column, what it was, what it would be; contacts as their masks.
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    # Column and a stable code for what is wrong.
    problems: list[tuple[str, str]] = field(default_factory=list)
    member: Member | None = None
    # The contacts, birthday and so on in their one form.
    said: dict[str, Any] = field(default_factory=dict)


def read(text: str) -> list[Row]:
    """The rows of a sheet, unjudged. Raises Unreadable."""
    return [Row(number, cells) for number, cells in _cells(text)]


def judge(rows: Sequence[Row], *, hand: Hand) -> None:
    """Say what each row would do to the open book as it stands. Seven statements, however many rows."""
    for row in rows:
        _read(row, hand)
    box = contacts.box(now=hand.now)
    by_number = _by_number(rows)
    by_digest = _by_digest(rows, box)
    named: dict[Any, int] = {}
    for row in rows:
        if not row.problems:
            row.member = _member(row, by_number, by_digest, box)
        marks: set[Any] = {(kind, row.said[kind]) for kind in CONTACTS if row.said.get(kind)}
        marks |= {("number", row.said["number"])} if row.said.get("number") else set()
        marks |= {("member", row.member.pk)} if row.member else set()
        first = next((named[mark] for mark in marks if mark in named), None)
        if first is not None and not row.problems:
            row.problems.append((f"line {first}", "named_before"))
        for mark in marks:
            named.setdefault(mark, row.number)
    _compare(rows, box)


def _cells(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each row by their column, with its line. What a row has beside the columns stands under ""."""
    records = _records(text)
    named = [name.strip().lower() for name in next(records, (1, None))[1] or ()]
    header = [HEADINGS.get(name, name) for name in named]
    if not {"number", "name", PHONE, EMAIL} & set(header):
        raise Unreadable("The first row names the columns.", why="no_header")
    for position, name in enumerate(header):
        if name not in COLUMNS or name in header[:position]:
            raise Unreadable("A column is unknown.", why="unknown_column", column=named[position][:60])
    found = 0
    for number, line in records:
        if line is not None and not any(cell.strip() for cell in line):
            continue
        found += 1
        if found > ROWS_MAX:
            raise Unreadable("The sheet has too many rows.", why="too_many_rows")
        if line is None:
            yield number, {"": BROKEN}
            continue
        cells = {name: unguarded(cell.strip()) for name, cell in zip(header, line, strict=False)}
        yield number, cells if len(line) <= len(header) else {**cells, "": TOO_MANY_CELLS}
    if not found:
        raise Unreadable("The sheet has no rows.", why="empty")


def _records(text: str) -> Iterator[tuple[int, list[str] | None]]:
    """The rows of a table with the line that each begins on; None for a line whose quotes do not match.

    Such a line is passed over alone: what follows it is read as if it were not there.
    """
    lines = list(StringIO(text.lstrip("\ufeff"), newline=""))
    at = 0
    while at < len(lines):
        reader = csv.reader(lines[at : at + ROW_LINES_MAX], strict=True)
        try:
            record = next(reader)
        except csv.Error:
            yield at + 1, None
            at += 1
        else:
            yield at + 1, record
            at += reader.line_num


def _read(row: Row, hand: Hand) -> None:
    """Bring the cells into their one form, and note what is wrong with them."""
    cells, said = row.cells, row.said
    if "" in cells:
        row.problems.append(("", cells[""]))
    row.problems += [(column, "too_long") for column, text in cells.items() if len(text) > CELL_LENGTH_MAX]
    if row.problems:
        return
    for kind in CONTACTS:
        if cells.get(kind):
            try:
                said[kind] = contacts.read(kind, cells[kind], country=hand.country)
            except contacts.ContactInvalid:
                row.problems.append((kind, f"no_{kind}"))
    if cells.get("number"):
        if _NUMBER.fullmatch(cells["number"]):
            said["number"] = cells["number"]
        else:
            row.problems.append(("number", "no_number"))
    for column, length_max in (("name", profile.NAME_LENGTH_MAX), ("household", profile.HOUSEHOLD_LENGTH_MAX)):
        if text := " ".join(cells.get(column, "").split()):
            said[column] = text
            if len(text) > length_max:
                row.problems.append((column, "too_long"))
    for column, oldest in (("birthday", profile.OLDEST), ("joined", date(1970, 1, 1))):
        if cells.get(column):
            _read_day(row, column, oldest, hand.now.date())
    _read_tags(row)
    said["consents"] = _listed(cells.get("consents", "").lower())
    if not set(said["consents"]) <= set(PURPOSES):
        row.problems.append(("consents", "unknown_purpose"))
    if not ({"name", "number", *CONTACTS} & said.keys()) and not row.problems:
        row.problems.append(("name", "nobody"))


def _read_day(row: Row, column: str, oldest: date, newest: date) -> None:
    try:
        day = date.fromisoformat(row.cells[column].replace("/", "-"))
    except ValueError:
        row.problems.append((column, "no_day"))
        return
    if oldest <= day <= newest:
        row.said[column] = day
    else:
        row.problems.append((column, "no_day"))


def _read_tags(row: Row) -> None:
    try:
        row.said["tags"] = [profile.check_tag(each) for each in _listed(row.cells.get("tags", ""))]
    except profile.ProfileInvalid:
        row.problems.append(("tags", "no_tag"))


def _listed(text: str) -> list[str]:
    return sorted({each.strip() for each in re.split(r"[,;，；、|]", text) if each.strip()})


def _by_number(rows: Iterable[Row]) -> dict[str, Member]:
    wanted = {row.said["number"] for row in rows if row.said.get("number")}
    found = queries.members().select_related("merged_into__customer", "merged_into__household")
    return {each.number: each.merged_into or each for each in found.filter(number__in=wanted)}


def _by_digest(rows: Iterable[Row], box: Any) -> dict[str, Member]:
    wanted = [(kind, row.said[kind]) for row in rows for kind in CONTACTS if row.said.get(kind)]
    found = Contact.objects.filter(digest__in=set(contacts.digests(wanted, using=box))).select_related(
        "member__customer",
        "member__household",
        "member__merged_into__customer",
        "member__merged_into__household",
    )
    living: dict[str, Member] = {}
    for each in found.order_by("pk"):
        member = each.member.merged_into or each.member
        if member.is_active:
            living.setdefault(each.digest, member)
    return living


def _member(row: Row, by_number: Mapping[str, Member], by_digest: Mapping[str, Member], box: Any) -> Member | None:
    known = by_number.get(row.said.get("number", ""))
    found = {
        kind: by_digest.get(contacts.digests([(kind, row.said[kind])], using=box)[0])
        for kind in CONTACTS
        if row.said.get(kind)
    }
    if known is not None and not known.is_active:
        row.problems.append(("number", "left"))
    for kind, owner in found.items():
        if owner is None:
            continue
        if known is not None and owner.pk != known.pk:
            row.problems.append((kind, "somebody_elses"))
        known = known or owner
    if known is not None and row.said.get("number") and row.said["number"] not in by_number:
        row.problems.append(("number", "another_number"))
    return known


def _compare(rows: Sequence[Row], box: Any) -> None:
    """Keep of a row what is not so already."""
    there = {row.member.pk: row.member for row in rows if row.member}
    about = queries.about(there)
    digests = {
        (member_id, kind): digest
        for member_id, kind, digest in Contact.objects.filter(member_id__in=there).values_list(
            "member_id", "kind", "digest"
        )
    }
    customers = {each.customer_id for each in there.values()}
    consents = {purpose: allowed.allowing(customers, purpose) for purpose in PURPOSES}
    for row in rows:
        if not row.problems:
            member = row.member
            standing = {each for each in PURPOSES if member and member.customer_id in consents[each]}
            _compare_one(row, about[member.pk] if member else About(), digests, standing, box)
        if row.problems:
            row.kind, row.changes = WRONG, []
        elif row.member is None:
            row.kind = CREATED
        elif row.changes:
            row.kind = CHANGED


def _compare_one(row: Row, about: About, digests: Mapping[tuple[UUID, str], str], standing: set[str], box: Any) -> None:
    member, said = row.member, row.said
    if said.get("birthday") and PERSONALISATION not in {*standing, *said["consents"]}:
        row.problems.append(("birthday", "no_consent"))
    for kind in CONTACTS:
        if said.get(kind):
            known = digests.get((member.pk, kind)) if member else None
            if known != contacts.digests([(kind, said[kind])], using=box)[0]:
                row.changes.append((kind, about.masks.get(kind, ""), contacts.mask(kind, said[kind])))
    present = {
        "name": (member.customer.name or "") if member else "",
        "household": member.household.name if member and member.household else "",
        "birthday": member.birthday.isoformat() if member and member.birthday else "",
    }
    for column, before in present.items():
        if said.get(column) and str(said[column]) != before:
            row.changes.append((column, before, str(said[column])))
    if member is None:
        row.changes += [(column, "", str(said[column])) for column in ("number", "joined") if said.get(column)]
    if len({*about.tags, *said["tags"]}) > profile.TAGS_MAX:
        row.problems.append(("tags", "too_many_tags"))
    for column, has in (("tags", set(about.tags)), ("consents", standing)):
        if added := sorted(set(said.get(column, ())) - has):
            row.changes.append((column, ", ".join(sorted(has)), ", ".join(sorted({*has, *added}))))
