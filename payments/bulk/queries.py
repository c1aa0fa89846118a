"""Questions about bulk jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from payments.bulk.models import DONE, REFUSED, WAITING, BulkItem, BulkJob


@dataclass(frozen=True, slots=True)
class Progress:
    """A job and what became of each of its payments."""

    job: BulkJob
    items: Sequence[BulkItem]

    @property
    def total_count(self) -> int:
        return len(self.items)

    @property
    def done_count(self) -> int:
        return sum(item.status == DONE for item in self.items)

    @property
    def refused_count(self) -> int:
        return sum(item.status == REFUSED for item in self.items)

    @property
    def finished_count(self) -> int:
        return self.done_count + self.refused_count

    @property
    def is_finished(self) -> bool:
        return all(item.status != WAITING for item in self.items)


def progress(job_id: UUID) -> Progress | None:
    """How far a job of the open book is: two statements."""
    job = BulkJob.objects.select_related("staff__user").filter(pk=job_id).first()
    if job is None:
        return None
    return Progress(job, list(BulkItem.objects.filter(job_id=job_id).select_related("intent").order_by("pk")))
