"""The demo world is there, once, and its file says how to get in: what `manage.py demo` does."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.db import connections, transaction
from psycopg2 import sql

from merchant_platform import tables
from merchant_platform.demo import access, world
from payments.ledger import checkpoints

# Two hosts on one database may start at the same moment; the second waits and finds the world there.
_LOCK = 0x64656D6F  # "demo"
_PATIENCE = "120s"


def ensure(
    *, path: Path, base_url: str, now: datetime, days: int = world.DAYS, orders: int = world.ORDERS
) -> world.Planted | None:
    """See that the world is there. This will plant it where it is missing, and always write the file.

    Returns what was planted, None where nothing was. Killed at any moment it leaves all of
    the world or nothing, and the next call finishes the work. Raises world.AddressTaken.
    """
    planted = None
    with transaction.atomic():
        _prepare_transaction()
        is_new = not world.is_planted()
        said = None if is_new else access.handed_out(path)
        if said is None:
            with access.new_passwords() as passwords:
                if is_new:
                    with _no_search_for_cycles():
                        planted = world.plant(now=now, days=days, orders=orders)
                said = access.grant(passwords, now=now)
        # Before the commit, under the lock: a file without its world is found out and made anew.
        access.hand_out(path, said, base_url=base_url)
    if planted is not None:
        checkpoints.roll_forward()
        _analyze()
    return planted


def _prepare_transaction() -> None:
    with connections["default"].cursor() as cursor:
        # What a row points at is written before it, so nothing has to be left to the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for limit in ("lock_timeout", "statement_timeout"):
            cursor.execute("SELECT set_config(%s, %s, true)", [limit, _PATIENCE])
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Hundreds of thousands of rows hold no cycle; looking for some again and again took a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _analyze() -> None:
    """The planner's statistics, which would be a minute late: only the owner may gather them."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in sorted(tables.TENANT | tables.PLATFORM))
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql.SQL("ANALYZE {}").format(names))
