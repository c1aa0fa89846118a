"""How many members there are, and how that came: numbers alone, nobody's name."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from members.directory.models import MERGED, Member


@dataclass(frozen=True, slots=True)
class Joined:
    """Those who joined on a day in one way."""

    day: date
    source: str
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How many members there were as a period began and as it ended, and who came and left in it."""

    before: int
    joined: int
    left: int

    @property
    def after(self) -> int:
        return self.before + self.joined - self.left


def standing(*, since: datetime, until: datetime) -> Standing:
    """The open book's members over a period. An alias is nobody of its own. One statement."""
    counted = Member.objects.exclude(status=MERGED).aggregate(
        before=Count("pk", filter=Q(joined_at__lt=since) & (Q(left_at__isnull=True) | Q(left_at__gte=since))),
        joined=Count("pk", filter=Q(joined_at__gte=since, joined_at__lt=until)),
        # Whoever came and left before the period is in neither.
        left=Count("pk", filter=Q(left_at__gte=since, left_at__lt=until, joined_at__lt=until)),
    )
    return Standing(counted["before"], counted["joined"], counted["left"])


def joined(*, since: datetime, until: datetime, zone: ZoneInfo) -> list[Joined]:
    """Who joined in a period, by day and by how. One statement."""
    rows = (
        Member.objects.exclude(status=MERGED)
        .filter(joined_at__gte=since, joined_at__lt=until)
        .annotate(day=TruncDate("joined_at", tzinfo=zone))
        .values_list("day", "source")
        .annotate(count=Count("pk"))
        .order_by("day", "source")
    )
    return [Joined(*row) for row in rows]
