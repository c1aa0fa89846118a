"""The third half of the books proof: what a provider's statement says against what we posted.

A provider's day and a book's may differ at their edges, and a refund is posted when it is
asked for, which may be before the provider has done it. So each line of a day must be
among our entries of any day, and each of our entries of a day among the lines of that day
and its neighbours; a refund that is still pending owes no line.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.db import connections

from merchant_platform.kernel import ids, tenancy
from payments.intents.models import Attempt, Refund
from payments.intents.states import REFUND_PENDING
from payments.ledger.reconcile import Difference
from payments.providers import port
from payments.providers.port import StatementLine, Unanswered, Unreachable
from security.merchants import queries as merchants
from security.merchants.models import Book

CHECK = "provider_statement"
# A line's kind, and the kind of our entry.
KINDS = {"capture": "charge", "refund": "refund", "refund_failed": "refund_failure"}
DAY = timedelta(days=1)


def differences(*, day: date) -> list[Difference]:
    """Compare every book's charges and refunds with its providers' statements of a day (UTC). Reads only."""
    found: list[Difference] = []
    for book, provider in _accounts():
        try:
            statement = port.find(provider).statement
            by_day = {each: statement(account=book.pk.hex, day=each) for each in (day - DAY, day, day + DAY)}
        except (Unanswered, Unreachable):
            found.append(Difference(CHECK, f"book {book.pk}: {provider} gave no statement of {day}"))
            continue
        with tenancy.within(book.pk):
            found += _compare(book, provider, day, by_day)
    return found


def _accounts() -> list[tuple[Book, str]]:
    with connections["platform"].cursor() as cursor:
        cursor.execute("SELECT DISTINCT book_id, provider FROM payments_attempt WHERE provider IS NOT NULL")
        return [(merchants.book(book_id), provider) for book_id, provider in sorted(cursor.fetchall())]


def _compare(book: Book, provider: str, day: date, by_day: dict[date, Sequence[StatementLine]]) -> list[Difference]:
    stated = Counter(_word(line) for line in by_day[day] if line.kind in KINDS)
    around = Counter(_word(line) for lines in by_day.values() for line in lines if line.kind in KINDS)
    named = {word[1] for word in stated}
    posted_ever = _posted(provider, names=named)
    posted_today = _posted(provider, day=day)
    unposted = [(word, "is on the statement and was not posted") for word in sorted((stated - posted_ever).elements())]
    unstated = [(word, "was posted and is on no statement") for word in sorted((posted_today - around).elements())]
    return [
        Difference(CHECK, f"book {book.pk}: {kind} of {amount} for {name} {what}")
        for (kind, name, amount), what in unposted + unstated
    ]


def _word(line: StatementLine) -> tuple[str, str, int]:
    """A line as kind, charge or refund, and amount: a capture's own key begins with its charge's."""
    return KINDS[line.kind], line.key.partition(":")[0], line.amount_minor


def _posted(provider: str, *, day: date | None = None, names: set[str] | None = None) -> Counter[tuple[str, str, int]]:
    """Our entries of provider payments: of a day, or of the named charges and refunds."""
    charges = Attempt.objects.filter(provider=provider)
    refunds = Refund.objects.filter(attempt__provider=provider)
    if names is not None:
        charges = charges.filter(pk__in=[ids.parse("ch", name) for name in names if name.startswith("ch_")])
        refunds = refunds.filter(pk__in=[ids.parse("re", name) for name in names if name.startswith("re_")])
        began, ended = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    else:
        assert day is not None, "either a day or names"
        began = datetime.combine(day, time(), UTC)
        ended = began + DAY
        refunds = refunds.exclude(status=REFUND_PENDING)
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT kind, source_id, amount_minor FROM payments_entry WHERE kind IN ('charge', 'refund',"
            " 'refund_failure') AND source_id = ANY (%s::uuid[]) AND effective_at >= %s AND effective_at < %s",
            [[*charges.values_list("pk", flat=True), *refunds.values_list("pk", flat=True)], began, ended],
        )
        return Counter(
            (kind, ids.show("ch" if kind == "charge" else "re", source_id), amount)
            for kind, source_id, amount in cursor.fetchall()
        )
