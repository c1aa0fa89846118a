"""Bring a catalogue from a sheet: first what it would change, row by row, then, once somebody agreed, exactly that.

A row is one product with at most one price. It names its product by id, or else by name;
rows that name the same product add prices to it. Nothing is taken away: a price that the
sheet does not have stays. What is the same is left alone, so that a sheet that was brought
once changes nothing the second time. One wrong row, and nothing of the sheet is written.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from typing import Any
from uuid import UUID

from merchant_platform.kernel import ids, money, versions
from merchant_platform.kernel.cells import unguarded
from merchant_platform.kernel.errors import Invalid
from payments.catalog import operations, queries
from payments.catalog.models import Price, Product, name_key
from payments.origin import Origin

COLUMNS = ("product", "name", "category", "description", "active", "cost", "currency", "price", "lookup_key")
# What sheets in Chinese call them.
HEADINGS = {
    "编号": "product", "商品编号": "product", "名称": "name", "商品名称": "name", "商品名": "name",
    "分类": "category", "类别": "category", "说明": "description", "描述": "description", "在售": "active",
    "成本": "cost", "币种": "currency", "价格": "price", "单价": "price", "售价": "price", "查找键": "lookup_key",
}  # fmt: skip
ROWS_MAX, BYTES_MAX = 500, 256 * 1024
LENGTHS = {"name": 250, "category": 100, "description": 5000, "lookup_key": 200}
AMOUNT_MAX = 99_999_999
ACTIVE = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False, "是": True, "否": False}
CREATED, CHANGED, SAME, WRONG = "created", "changed", "same", "wrong"


class Unreadable(Invalid):
    """The file is no such sheet; `why` is one word for what is wrong with it, `column` the heading that is."""

    def __init__(self, message: str, *, why: str = "not_text", column: str = "") -> None:
        super().__init__(message)
        self.why = why
        self.column = column


class SheetIsWrong(Invalid):
    """A row of the sheet cannot be brought, so none is."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell, by a stable code."""

    code: str
    column: str
    value: str = ""
    # Of an amount: what it was to be in.
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A column with what it was and what it would be."""

    column: str
    before: str
    after: str


@dataclass(slots=True)
class Row:
    """What one row of the sheet would do."""

    number: int
    name: str
    kind: str = SAME
    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    product_id: UUID | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    price: dict[str, Any] | None = None
    # The row that first named the same product, which this one adds a price to.
    first: "Row | None" = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sheet would do. Its version changes with the sheet and with the catalogue."""

    rows: list[Row]

    @property
    def version(self) -> str:
        return versions.of(
            [
                [row.number, row.kind, row.name, [[each.column, each.before, each.after] for each in row.changes]]
                for row in self.rows
            ]
        )

    def count(self, kind: str) -> int:
        return sum(row.kind == kind for row in self.rows)

    @property
    def is_right(self) -> bool:
        return not self.count(WRONG)

    @property
    def does_something(self) -> bool:
        return bool(self.count(CREATED) + self.count(CHANGED))


def plan(text: str, *, currency: str) -> Plan:
    """What a sheet would do to the open book's catalogue. Reads only. Raises Unreadable.

    `currency` is the merchant's: costs are in it, and prices that name no other.
    """
    cells = list(_cells(text))
    by_id, by_name = _present(cells)
    prices = queries.prices_of([product.pk for product in by_id.values()])
    rows: list[Row] = []
    named: dict[Any, Row] = {}
    for number, row_cells in cells:
        row = Row(number=number, name=row_cells.get("name", ""))
        product = _product(row, row_cells, by_id, by_name)
        _read_fields(row, row_cells, currency)
        _read_price(row, row_cells, currency)
        mark = product.pk if product else name_key(row.name)
        if row.problems:
            row.kind = WRONG
        elif mark in named:
            row.first = named[mark]
            _join(row, prices.get(product.pk, []) if product else [], rows)
        else:
            named[mark] = row
            _compare(row, product, prices.get(product.pk, []) if product else [], currency)
        rows.append(row)
    return Plan(rows)


def bring(text: str, *, currency: str, seen: str, now: datetime, origin: Origin) -> Plan:
    """Do what a sheet says. This will add and change products and prices, and tell of each.

    `seen` is the version of the plan that somebody agreed to. Raises Unreadable,
    ChangedMeanwhile where the sheet would do something else now, and SheetIsWrong.
    """
    agreed = plan(text, currency=currency)
    versions.check_seen(seen, agreed.version)
    if not agreed.is_right:
        raise SheetIsWrong("Mend the rows that are wrong first.")
    made: dict[int, UUID] = {}
    for row in agreed.rows:
        if row.kind == SAME:
            continue
        product_id = row.product_id or (made.get(row.first.number) if row.first else None)
        if product_id is None:
            priced = [row.price] if row.price else []
            product = operations.create_priced(fields=dict(row.fields), prices=priced, now=now, origin=origin)
            made[row.number] = product.pk
            continue
        if row.fields:
            operations.update_product(product_id=product_id, fields=dict(row.fields), now=now, origin=origin)
        if row.price:
            operations.add_price(product_id=product_id, fields=dict(row.price), now=now, origin=origin)
    return agreed


def sheet(product: Product, prices: Sequence[Price], *, currency: str) -> Iterator[list[str]]:
    """The rows of a product in a sheet that `plan` finds the same: one for each price on sale."""
    shown: list[Price | None] = [price for price in prices if price.is_active] or [None]
    for price in shown:
        yield [
            ids.show("prod", product.pk),
            product.name,
            product.category,
            product.description or "",
            "yes" if product.is_active else "no",
            "" if product.cost_minor is None else money.to_type(product.cost_minor, currency),
            price.currency if price else "",
            money.to_type(price.unit_amount_minor, price.currency) if price else "",
            (price.lookup_key or "") if price else "",
        ]


def _cells(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    lines = csv.reader(StringIO(text.lstrip("\ufeff"), newline=""))
    try:
        named = [name.strip().lower() for name in next(lines, [])]
        header = [HEADINGS.get(name, name) for name in named]
        if "name" not in header and "product" not in header:
            raise Unreadable("The first row names the columns.", why="no_header")
        for position, name in enumerate(header):
            if name not in COLUMNS or name in header[:position]:
                raise Unreadable("A column is unknown.", why="unknown_column", column=named[position][:60])
        number = 1
        found = 0
        for line in lines:
            number += 1
            if not any(cell.strip() for cell in line):
                continue
            found += 1
            if found > ROWS_MAX:
                raise Unreadable("The sheet has too many rows.", why="too_many_rows")
            yield number, {name: unguarded(cell.strip()) for name, cell in zip(header, line, strict=False)}
        if not found:
            raise Unreadable("The sheet has no rows.", why="empty")
    except csv.Error as error:
        raise Unreadable("The file is no table.", why="not_text") from error


def _present(cells: Sequence[tuple[int, Mapping[str, str]]]) -> tuple[dict[UUID, Product], dict[str, list[Product]]]:
    """The products that rows name: by id, and by name, where there may be several. Two statements."""
    wanted = {identifier for _, row in cells if (identifier := _identifier(row.get("product", "")))}
    names = {name_key(row["name"]) for _, row in cells if row.get("name") and not row.get("product")}
    rows = queries.products()
    by_id = {product.pk: product for product in rows.filter(pk__in=wanted)}
    by_name: dict[str, list[Product]] = {}
    for product in rows.filter(name_key__in=names):
        by_name.setdefault(product.name_key, []).append(product)
        by_id.setdefault(product.pk, product)
    return by_id, by_name


def _identifier(text: str) -> UUID | None:
    try:
        return ids.parse("prod", text)
    except ids.MalformedId:
        return None


def _product(
    row: Row, cells: Mapping[str, str], by_id: Mapping[UUID, Product], by_name: Mapping[str, list[Product]]
) -> Product | None:
    product = None
    if named := cells.get("product", ""):
        identifier = _identifier(named)
        product = by_id.get(identifier) if identifier else None
        if product is None:
            row.problems.append(Problem("unknown_product", "product", named[:60]))
    elif found := by_name.get(name_key(row.name), []):
        if len(found) > 1:
            row.problems.append(Problem("several_products", "name", row.name[:60]))
        product = found[0]
    if product is not None:
        row.product_id = product.pk
        row.name = row.name or product.name
    elif not row.name:
        row.problems.append(Problem("missing", "name"))
    return product


def _read_fields(row: Row, cells: Mapping[str, str], currency: str) -> None:
    for column, length_max in LENGTHS.items():
        if len(cells.get(column, "")) > length_max:
            row.problems.append(Problem("too_long", column, str(length_max)))
    if cells.get("name"):
        row.fields["name"] = cells["name"]
    if "category" in cells:
        row.fields["category"] = cells["category"]
    if "description" in cells:
        row.fields["description"] = cells["description"] or None
    if active := cells.get("active", ""):
        if active.lower() not in ACTIVE:
            row.problems.append(Problem("not_yes_or_no", "active", active[:20]))
        else:
            row.fields["is_active"] = ACTIVE[active.lower()]
    if "cost" in cells:
        row.fields["cost_minor"] = _amount(row, "cost", cells["cost"], currency) if cells["cost"] else None


def _read_price(row: Row, cells: Mapping[str, str], currency: str) -> None:
    code = cells.get("currency", "").upper() or currency
    if code not in money.currencies():
        row.problems.append(Problem("unknown_currency", "currency", code[:10]))
        return
    if not cells.get("price"):
        return
    amount_minor = _amount(row, "price", cells["price"], code)
    if amount_minor is not None:
        row.price = {"currency": code, "unit_amount_minor": amount_minor}
        if cells.get("lookup_key"):
            row.price["lookup_key"] = cells["lookup_key"]


def _amount(row: Row, column: str, text: str, currency: str) -> int | None:
    try:
        amount_minor = money.typed(text, currency)
        if amount_minor > AMOUNT_MAX:
            raise money.NotAnAmount("too_large")
    except money.NotAnAmount as wrong:
        row.problems.append(Problem(f"amount_{wrong.reason}", column, text[:30], currency))
        return None
    return amount_minor


def _compare(row: Row, product: Product | None, prices: Sequence[Price], currency: str) -> None:
    """Keep of a row what is not so already."""
    if product is None:
        row.kind = CREATED
        row.changes = [Change(name, "", _shown(name, value, currency)) for name, value in row.fields.items() if value]
    else:
        row.fields = {name: value for name, value in row.fields.items() if getattr(product, name) != value}
        row.changes = [
            Change(name, _shown(name, getattr(product, name), currency), _shown(name, value, currency))
            for name, value in row.fields.items()
        ]
    _compare_price(row, prices)
    if product is not None and row.changes:
        row.kind = CHANGED


def _compare_price(row: Row, prices: Sequence[Price]) -> None:
    if row.price is None:
        return
    wanted = (row.price["currency"], row.price["unit_amount_minor"])
    if any((price.currency, price.unit_amount_minor) == wanted and price.is_active for price in prices):
        row.price = None
        return
    row.changes.append(Change("price", "", f"{money.to_type(wanted[1], wanted[0])} {wanted[0]}"))


def _join(row: Row, prices: Sequence[Price], before: Sequence[Row]) -> None:
    """A further row of a product adds its price, where no row before it did."""
    row.fields = {}
    _compare_price(row, prices)
    siblings = [each for each in before if each is row.first or each.first is row.first]
    if row.price is None or any(each.price and _same_price(each.price, row.price) for each in siblings):
        row.price, row.changes, row.kind = None, [], SAME
    else:
        row.kind = CHANGED


def _same_price(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return (one["currency"], one["unit_amount_minor"]) == (other["currency"], other["unit_amount_minor"])


def _shown(name: str, value: Any, currency: str) -> str:
    if name == "cost_minor":
        return "" if value is None else f"{money.to_type(value, currency)} {currency}"
    if name == "is_active":
        return "yes" if value else "no"
    return str(value or "")
