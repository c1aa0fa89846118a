"""Questions about imports."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from members.importing.models import DONE, FAILED, SAME, WAITING, WRONG, ImportRow, MemberImport


@dataclass(frozen=True, slots=True)
class Progress:
    """An import, how many rows would do what, and how far it is."""

    job: MemberImport
    counts: dict[tuple[str, str], int]

    def kind(self, kind: str) -> int:
        return sum(count for (each, _), count in self.counts.items() if each == kind)

    def _of_work(self, state: str) -> int:
        return sum(n for (kind, each), n in self.counts.items() if each == state and kind not in (SAME, WRONG))

    @property
    def total_count(self) -> int:
        return self._of_work(WAITING) + self.finished_count

    @property
    def done_count(self) -> int:
        return self._of_work(DONE)

    @property
    def failed_count(self) -> int:
        return self._of_work(FAILED)

    @property
    def finished_count(self) -> int:
        return self.done_count + self.failed_count

    @property
    def is_finished(self) -> bool:
        return self._of_work(WAITING) == 0


def wrong(job_id: UUID) -> QuerySet[ImportRow]:
    """The lines of an import that cannot be brought, or could not when their turn came."""
    rows = ImportRow.objects.select_related("member__customer").filter(job_id=job_id)
    return rows.filter(Q(kind=WRONG) | Q(state=FAILED))


def progress(job_id: UUID) -> Progress | None:
    """How far an import of the open book is: two statements."""
    job = MemberImport.objects.select_related("staff__user").filter(pk=job_id).first()
    if job is None:
        return None
    counted = ImportRow.objects.filter(job_id=job_id).values_list("kind", "state").annotate(count=Count("pk"))
    return Progress(job, {(kind, state): count for kind, state, count in counted})
