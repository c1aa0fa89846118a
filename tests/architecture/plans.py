"""How much a statement reads: its plan, made and run by the role that asks."""

from collections.abc import Iterable, Iterator

from django.db import connections

from merchant_platform.kernel.wire import load

# A unit of work names its book in the trip of its first statement.
NAMING = "SELECT set_config('app.book'"


def rows_read(alias: str, statements: Iterable[str]) -> int:
    """How many rows the scans of statements read, whether they kept them or not. In the open unit of work."""
    return sum(rows for statement in statements for rows, _ in scans(alias, statement))


def scans(alias: str, statement: str, *, by_index: bool = False) -> list[tuple[int, str]]:
    """Each scan of a statement: the rows that it read, and what it read them from.

    `by_index` asks for the plan that goes by indexes: in a table of some thousands of rows
    the planner may find it cheaper to read them all than to look a window of them up.
    """
    if statement.startswith(NAMING):
        statement = statement.partition(";")[2]
    if not statement.lstrip(" \n(").startswith(("SELECT", "UPDATE", "WITH")):
        return []
    with connections[alias].cursor() as cursor:
        for choice in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{choice} = {'off' if by_index else 'on'}")
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY OFF, FORMAT JSON) {statement}")
        (plan,) = cursor.fetchone()
    return [
        (_rows(node), f"{node['Node Type']} {node.get('Index Name') or node.get('Relation Name') or ''}".strip())
        for node in _nodes((load(plan) if isinstance(plan, str) else plan)[0]["Plan"])
        # What a bitmap's index names is read once, by the scan of the table above it.
        if node["Node Type"].endswith("Scan") and node["Node Type"] != "Bitmap Index Scan"
    ]


def _rows(node: dict) -> int:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return round((node["Actual Rows"] + removed) * node["Actual Loops"])


def _nodes(plan: dict) -> Iterator[dict]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)
