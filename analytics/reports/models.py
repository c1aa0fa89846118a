"""Reports that somebody asked for, and schedules that ask for them."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models

from analytics.reports import states
from merchant_platform.kernel import privacy
from merchant_platform.kernel.tables import TenantForeignKey, book_unique

SALES, MEMBERS, TAX, BOOKS = "sales", "members", "tax", "books"
KINDS = (SALES, MEMBERS, TAX, BOOKS)
CSV, XLSX, PDF = "csv", "xlsx", "pdf"
FORMATS = (CSV, XLSX, PDF)
LANGUAGES = ("en", "zh-hans")
DAILY, WEEKLY, MONTHLY = "daily", "weekly", "monthly"
FREQUENCIES = (DAILY, WEEKLY, MONTHLY)


class _Asked(models.Model):
    """What a report is of, and how it is written."""

    id = models.UUIDField(primary_key=True, editable=False)
    book_id = models.UUIDField()
    kind = models.TextField()
    format = models.TextField()
    language = models.TextField()
    # Whose amounts are shown where there are several; empty: the merchant's own.
    currency = models.CharField(max_length=3, default="", blank=True)
    status = models.TextField()
    created_at = models.DateTimeField()

    _asked = "id book_id kind format language currency status created_at"

    class Meta:
        abstract = True


def _is_known(table: str) -> list[models.CheckConstraint]:
    return [
        models.CheckConstraint(
            condition=models.Q(kind__in=KINDS, format__in=FORMATS, language__in=LANGUAGES),
            name=f"{table}_asks_for_what_is_known",
        )
    ]


class ReportSchedule(_Asked):
    """A report that is made again and again, at an hour of the merchant's, and told of by e-mail."""

    id_prefix = "rsch"
    status = models.TextField(default=states.ACTIVE)
    staff = models.ForeignKey("security.Staff", models.PROTECT, related_name="+", db_index=False)
    frequency = models.TextField()
    hour = models.PositiveSmallIntegerField()
    # Of the week (1 is Monday), or of the month (28 at most: every month has it).
    day = models.PositiveSmallIntegerField(null=True)
    # Staff of this merchant who are written to.
    recipient_ids = ArrayField(models.UUIDField())
    # When it is due, in the world's time; null while it is paused.
    next_at = models.DateTimeField(null=True)

    privacy = privacy.classes(opaque=f"{_Asked._asked} frequency hour day next_at", personal="staff recipient_ids")

    class Meta:
        constraints = [
            book_unique("analytics_reportschedule"),
            *_is_known("analytics_reportschedule"),
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(states.SCHEDULE_MOVES.states)),
                name="analytics_reportschedule_status_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(frequency=DAILY, day__isnull=True)
                | models.Q(frequency=WEEKLY, day__gte=1, day__lte=7)
                | models.Q(frequency=MONTHLY, day__gte=1, day__lte=28),
                name="analytics_reportschedule_has_its_day",
            ),
            models.CheckConstraint(condition=models.Q(hour__lte=23), name="analytics_reportschedule_hour_is_one"),
        ]
        indexes = [
            # beat, over all books: what is due.
            models.Index(
                fields=["next_at"], condition=models.Q(status=states.ACTIVE), name="analytics_reportschedule_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.frequency} {self.kind}"


class Report(_Asked):
    """One report: what was asked for, how far it is, and its file.

    The queue is this table. A claim is a lease (`due_at`), and `tries_count` is its number:
    a worker whose lease ran out writes nothing any more.
    """

    id_prefix = "rpt"
    status = models.TextField(default=states.QUEUED)
    # Who asked: a person, or a key of the API. What a schedule asks for is its owner's.
    staff = models.ForeignKey("security.Staff", models.PROTECT, null=True, related_name="+", db_index=False)
    key_id = models.UUIDField(null=True)
    schedule = TenantForeignKey(ReportSchedule, null=True)
    # The days of the merchant's that it is of, both included.
    first_date = models.DateField()
    last_date = models.DateField()
    progress_percent = models.PositiveSmallIntegerField(default=0)
    tries_count = models.PositiveSmallIntegerField(default=0)
    # Why it failed, as a code.
    failure = models.TextField(default="", blank=True)
    # When it is to be taken up, when it ended, and until when its file is kept: the world's time.
    due_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    rows_count = models.PositiveBigIntegerField(default=0)
    file_bytes = models.PositiveBigIntegerField(default=0)
    file_sha256 = models.TextField(default="", blank=True)

    privacy = privacy.classes(
        opaque=f"{_Asked._asked} key_id schedule first_date last_date progress_percent tries_count failure due_at "
        "finished_at expires_at rows_count file_bytes file_sha256",
        personal="staff",
    )

    class Meta:
        verbose_name = "report"
        constraints = [
            book_unique("analytics_report"),
            *_is_known("analytics_report"),
            models.CheckConstraint(
                condition=models.Q(status__in=sorted(states.MOVES.states)), name="analytics_report_status_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(staff__isnull=True) ^ models.Q(key_id__isnull=True),
                name="analytics_report_has_one_who_asked",
            ),
            models.CheckConstraint(
                condition=~models.Q(status=states.SUCCEEDED) | models.Q(expires_at__isnull=False, file_bytes__gt=0),
                name="analytics_report_succeeded_with_a_file",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=states.UNFINISHED, due_at__isnull=False)
                | (~models.Q(status__in=states.UNFINISHED) & models.Q(due_at__isnull=True)),
                name="analytics_report_is_due_while_unfinished",
            ),
            models.UniqueConstraint(
                fields=["book_id", "schedule", "first_date"],
                condition=models.Q(schedule__isnull=False),
                name="analytics_report_once_a_period_of_a_schedule",
            ),
        ]
        indexes = [
            # somebody's own, newest first; those of keys stand together under null.
            models.Index(fields=["book_id", "staff", "id"], name="analytics_report_own"),
            # the workers, over all books: what is due; what is finished leaves the index.
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="analytics_report_due"),
            # the sweep: what ended long ago, and files that are old.
            models.Index(
                fields=["finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="analytics_report_finished",
            ),
            models.Index(
                fields=["expires_at"], condition=models.Q(status=states.SUCCEEDED), name="analytics_report_expires"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.first_date}"

    @property
    def is_finished(self) -> bool:
        return self.status not in states.UNFINISHED

    @property
    def may_be_canceled(self) -> bool:
        return states.MOVES.allows(self.status, states.CANCELED)

    @property
    def may_be_made_again(self) -> bool:
        return states.MOVES.allows(self.status, states.QUEUED) and self.is_finished

    def has_file(self, at: datetime) -> bool:
        """Whether there is a file to take away at a moment of the world's."""
        return self.status == states.SUCCEEDED and self.expires_at is not None and at < self.expires_at

    @property
    def file_name(self) -> str:
        """What a person's computer calls the file."""
        return f"{self.kind}-{self.first_date.isoformat()}-{self.last_date.isoformat()}.{self.format}"
