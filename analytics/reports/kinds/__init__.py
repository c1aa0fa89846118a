"""The kinds of reports: what each is called, who may have it, and what stands in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from analytics.reports.kinds import books, members, sales, tax
from analytics.reports.kinds.subject import Steps, Subject
from analytics.reports.models import BOOKS, MEMBERS, SALES, TAX
from analytics.reports.papers import Paper

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as Text


@dataclass(frozen=True, slots=True)
class ReportKind:
    """`action` is what a person must be allowed (security/access/roles.py), `permission` what a restricted key."""

    title: "Text"
    words: "Text"
    action: str
    permission: str
    paper: Callable[[Subject, Steps], Paper]


KINDS: Mapping[str, ReportKind] = {
    SALES: ReportKind(
        _("Sales report"),
        _("The sales summary, day by day and by category, store and method: the numbers of the sales page."),
        "sales.view",
        "metrics:read",
        sales.paper,
    ),
    TAX: ReportKind(
        _("Tax report"),
        _("What was sold, given back and taxed, by rate and month."),
        "sales.view",
        "metrics:read",
        tax.paper,
    ),
    BOOKS: ReportKind(
        _("Books report"),
        _("What you are owed, the trial balance, fees, and every balance transaction."),
        "balance.view",
        "balance:read",
        books.paper,
    ),
    MEMBERS: ReportKind(
        _("Members report"),
        _("Members who came, bought and left, and points issued, spent and expired. Numbers alone, nobody's name."),
        "programme.view",
        "members:read",
        members.paper,
    ),
}
