"""Bring members from a sheet: planned row by row, agreed to, then done in the background, each row once."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from django.db import connections

from members.directory import profile, queries
from members.directory.hand import Hand
from members.directory.models import IMPORT
from members.directory.profile import Profile
from members.importing import planning
from members.importing.models import (
    AGREED,
    CHANGED,
    CREATED,
    DONE,
    FAILED,
    PLANNED,
    SAME,
    WAITING,
    WRONG,
    ImportRow,
    MemberImport,
)
from members.importing.planning import Row
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Conflict, PlatformError, missing
from merchant_platform.kernel.idempotency import lock_timeouts
from payments.origin import Origin
from security.audit.operations import Actor
from security.merchants import queries as merchants
from security.vault import operations as vault
from security.vault.boxes import Box

logger = logging.getLogger(__name__)

PURPOSE = "member imports"
BATCH_MAX = 50
# A row that a dead worker held is taken up again, and one that was in somebody's way is tried again.
LEASE, TRIES_MAX = timedelta(seconds=120), 5
KEPT = timedelta(days=1)


def plan(text: str, *, staff_id: UUID, hand: Hand, at: datetime) -> MemberImport:
    """Read a sheet and keep what it would do, under seal; `at` is wall time. Raises planning.Unreadable."""
    rows = planning.read(text)
    job = MemberImport.objects.create(
        id=ids.new(hand.now), book_id=tenancy.book_id(), staff_id=staff_id, created_at=hand.now, uploaded_at=at
    )
    planning.judge(rows, hand=hand)
    box = vault.box(PURPOSE, now=hand.now)
    ImportRow.objects.bulk_create((_kept(row, job, box, hand.now) for row in rows), batch_size=500)
    return job


def agree(*, job_id: UUID, hand: Hand, at: datetime) -> MemberImport:
    """Have it done. This will put the rows that do something into the queue, once; of the others the text is deleted.

    Raises NotFound.
    """
    job = MemberImport.objects.select_for_update().filter(pk=job_id).first()
    if job is None:
        raise missing("import", ids.show("mimp", job_id))
    if job.status == PLANNED:
        rows = ImportRow.objects.filter(job=job)
        queued = rows.filter(kind__in=[CREATED, CHANGED]).update(due_at=at)
        rows.filter(kind__in=[SAME, WRONG]).update(nonce=None, ciphertext=None)
        rows.filter(kind=SAME).update(state=DONE)
        rows.filter(kind=WRONG).update(state=FAILED)
        job.status = AGREED
        job.save(update_fields=["status"])
        hand.sign("member.import", ids.show("mimp", job_id), count=queued)
    return job


def run_due(*, at: datetime) -> int:
    """Do some of what waits, of all books. This will return how many rows were taken up; `at` is wall time.

    Each row stands alone. What a worker that died had taken up is taken up again when its lease ends.
    """
    taken = _claim(at)
    for book_id, row_id in taken:
        _one(book_id, row_id)
    return len(taken)


def purge(*, at: datetime) -> int:
    """Throw away what nobody agreed to for a day. This will delete the rows and return how many sheets there were."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "WITH old AS (SELECT id FROM members_memberimport WHERE status = 'planned' AND uploaded_at < %s LIMIT 100),"
            " gone AS (DELETE FROM members_importrow r USING old WHERE r.job_id = old.id)"
            " SELECT array_agg(id) FROM old",
            [at - KEPT],
        )
        (old,) = cursor.fetchone()
        if old:
            cursor.execute("DELETE FROM members_memberimport WHERE id = ANY (%s::uuid[])", [old])
    return len(old or ())


def opened(rows: Sequence[ImportRow], *, now: datetime) -> list[tuple[ImportRow, dict[str, Any]]]:
    """Rows with what they say and would change, in the clear; of those that are done, nothing."""
    box = vault.box(PURPOSE, now=now)
    return [(row, _said(row, box)) for row in rows]


def _kept(row: Row, job: MemberImport, box: Box, now: datetime) -> ImportRow:
    identifier = ids.new(now)
    sealed = box.seal(
        orjson.dumps({"cells": row.cells, "changes": row.changes}).decode(),
        row_id=identifier,
    )
    return ImportRow(
        id=identifier,
        book_id=job.book_id,
        job=job,
        number=row.number,
        kind=row.kind,
        nonce=sealed.nonce,
        ciphertext=sealed.text,
        problems=row.problems,
        member=row.member,
    )


def _said(row: ImportRow, box: Box) -> dict[str, Any]:
    if row.nonce is None or row.ciphertext is None:
        return {"cells": {}, "changes": []}
    return orjson.loads(box.open(row.nonce, row.ciphertext, row_id=row.pk))


def _one(book_id: UUID, row_id: UUID) -> None:
    """One row, in a unit of work of its own: what is wrong with it stops no other."""
    book = merchants.book(book_id)
    try:
        with lock_timeouts(), tenancy.within(book_id):
            row = ImportRow.objects.select_for_update().select_related("job").get(pk=row_id)
            if row.state != WAITING:
                return
            hand = Hand(
                source=IMPORT,
                actor=Actor.staff(row.job.staff_id),
                book_id=book_id,
                merchant_id=book.merchant_id,
                country=book.merchant.country,
                now=book.now,
                origin=Origin(livemode=book.livemode),
            )
            cells = _said(row, vault.box(PURPOSE, now=book.now))["cells"]
            _do(row, Row(row.number, cells), hand)
            _finish(row)
        return
    except Conflict:
        problem = "lock_timeout"  # Somebody is at it: the lease ends, and it is tried again.
    except PlatformError as refused:
        column = refused.param if refused.param in planning.COLUMNS else ""
        _fail(book_id, row_id, refused.code, column=column)
        return
    except Exception:
        logger.exception("a row of an import failed", extra={"row": str(row_id)})
        problem = "api_error"
    if row.tries_count >= TRIES_MAX:
        _fail(book_id, row_id, problem)


def _do(kept: ImportRow, row: Row, hand: Hand) -> None:
    """What the row says, held against the book as it stands now: done before, it does nothing."""
    planning.judge([row], hand=hand)
    kept.member = row.member
    if row.kind == WRONG:
        kept.state, kept.problems = FAILED, row.problems
        return
    kept.state = DONE
    said = row.said
    given = {name: said.get(name) for name in ("name", "phone", "email", "birthday", "household")}
    if row.kind == CREATED:
        kept.member = profile.add(
            Profile(**given, tags=said["tags"]),
            hand=hand,
            consents_to=said["consents"],
            number=said.get("number"),
            joined_on=said.get("joined"),
        )
    elif row.kind == CHANGED:
        assert row.member is not None, "what is changed is there"
        tags = sorted({*queries.about([row.member.pk])[row.member.pk].tags, *said["tags"]})
        profile.change(Profile(**given, tags=tags), member_id=row.member.pk, hand=hand, consents_to=said["consents"])


def _finish(row: ImportRow) -> None:
    row.nonce = row.ciphertext = row.due_at = None
    row.save(update_fields=["state", "problems", "member", "nonce", "ciphertext", "due_at"])


def _fail(book_id: UUID, row_id: UUID, code: str, *, column: str = "") -> None:
    with tenancy.within(book_id):
        row = ImportRow.objects.select_for_update().get(pk=row_id)
        row.state, row.problems = FAILED, [[column, code]]
        _finish(row)


def _claim(at: datetime) -> list[tuple[UUID, UUID]]:
    """Rows that are due, each pushed past its lease, so that no other worker takes it too."""
    with connections["platform"].cursor() as cursor:
        cursor.execute(
            "UPDATE members_importrow SET due_at = %s, tries_count = tries_count + 1 WHERE id = ANY"
            " (ARRAY(SELECT id FROM members_importrow WHERE state = 'waiting' AND due_at <= %s ORDER BY due_at, id"
            " LIMIT %s FOR UPDATE SKIP LOCKED)) RETURNING book_id, id",
            [at + LEASE, at, BATCH_MAX],
        )
        return cursor.fetchall()
