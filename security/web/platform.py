"""/operator/: how the platform does, for those who run it. Merchants and their books, what waits, the proof, flags."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from celery import current_app
from django import forms as django_forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from kombu.exceptions import OperationalError

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid
from security.access import flags
from security.access.models import Flag
from security.approvals import queries as approvals
from security.audit import operations as audit
from security.audit import queries as audited
from security.audit.models import AuditRecord
from security.merchants.models import Book, Merchant
from security.web import lists
from security.web.operators import Operator, Waiting, operator_page
from security.web.step_up import Binding, step_up

# Each book is asked in a unit of work of its own, so a page holds few.
MERCHANTS_A_PAGE = 10
PROVED = "books.proved"


@dataclass(frozen=True, slots=True)
class Standing:
    """One book as an operator sees it."""

    book: Book
    shown: str
    waiting: list[Waiting]
    flags: list[Flag]


@dataclass(frozen=True, slots=True)
class Row:
    merchant: Merchant
    books: list[Standing]


@require_safe
@operator_page("books.prove")
def index(request: HttpRequest, operator: Operator) -> HttpResponse:
    """The merchants, newest first. Seven statements, and three for each book."""
    found = lists.page(Merchant.objects.all(), request, prefix=Merchant.id_prefix, size=MERCHANTS_A_PAGE)
    books = list(Book.objects.filter(merchant__in=found.rows).order_by("mode"))
    set_flags = flags.of_books([book.pk for book in books])
    standings = [
        Standing(book, ids.show(Book.id_prefix, book.pk), _waiting(book.pk), set_flags[book.pk]) for book in books
    ]
    context = {
        "rows": [
            Row(merchant, [each for each in standings if each.book.merchant_id == merchant.pk])
            for merchant in found.rows
        ],
        "ways": found.ways,
        "proved": _last_proof(),
        "counts": {"merchants": Merchant.objects.count()},
    }
    return operator.render(request, "operator/index.html", context)


@require_POST
@operator_page("books.prove")
def prove(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Ask for the proof of all books now; a worker does it, and the page then says how it went."""
    name, queue = settings.PROOF_TASK
    try:
        current_app.send_task(name, queue=queue, retry=False)
    except OperationalError:
        messages.error(request, _("The workers cannot be reached just now. Try again in a moment."))
    else:
        with transaction.atomic():
            audit.record(actor=operator.actor, action="books.prove", book_id=None, merchant_id=None)
        messages.success(request, _("The books are being proved. Load this page again to see the result."))
    return HttpResponseRedirect(reverse("operator"))


class FlagForm(django_forms.Form):
    """A feature and the share of a book that has it."""

    name = django_forms.RegexField(
        flags.NAME.pattern, label=gettext_lazy("Flag"), widget=django_forms.TextInput(attrs={"class": "input"})
    )
    percent = django_forms.IntegerField(
        label=gettext_lazy("Percent"),
        min_value=0,
        max_value=100,
        widget=django_forms.NumberInput(attrs={"class": "input"}),
    )


def _of_flag(request: HttpRequest, operator: Operator, book: str) -> Binding | None:
    """What a factor is shown for: this feature, in this book, to this share of it."""
    form, found = FlagForm(request.GET), _book(book)
    if not form.is_valid():
        return None
    said = form.cleaned_data
    what = _("Switch %(flag)s on for %(percent)d %% of %(merchant)s") % {
        "flag": said["name"],
        "percent": said["percent"],
        "merchant": f"{found.merchant.name} ({found.mode})",
    }
    return Binding(object_id=f"{book}:{said['name']}", amount_minor=said["percent"], what=what)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_page("flag.manage")
@step_up("flag.manage", binds=_of_flag)
def flag(request: HttpRequest, operator: Operator, book: str) -> HttpResponse:
    """The page that asks once more, and the change. What is changed stands in the address."""
    found, form = _book(book), FlagForm(request.GET or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        with transaction.atomic():
            try:
                flags.set_percent(book_id=found.pk, name=said["name"], percent=said["percent"], now=operator.now)
            except Invalid as refused:
                raise Http404 from refused  # the form lets nothing through that a room refuses
            audit.record(
                actor=operator.actor,
                action="flag.manage",
                object_id=book,
                detail={"flag": said["name"], "percent": said["percent"]},
                book_id=None,
                merchant_id=None,
            )
        messages.success(request, _("The flag was changed."))
        return HttpResponseRedirect(reverse("operator"))
    query = urlencode(form.cleaned_data) if form.is_valid() else ""
    context = {"book": found, "shown": book, "form": form, "query": query}
    return operator.render(request, "operator/flag.html", context, status=400 if form.errors else 200)


def approvals_waiting() -> Waiting:
    """What waits for a second person in the open book (settings.OPERATOR_WATCH)."""
    count = approvals.approvals(book_id=tenancy.book_id(), is_waiting=True)[: approvals.COUNTED_MAX].count()
    return Waiting("approvals", gettext_lazy("Open approvals"), count)


def _waiting(book_id: UUID) -> list[Waiting]:
    with tenancy.within(book_id):
        return [import_string(name)() for name in settings.OPERATOR_WATCH]


def _last_proof() -> AuditRecord | None:
    found = audited.records(merchant_id=None, book_id=None, search=audited.Search(action=PROVED))
    return found.order_by("-pk").first()


def _book(shown: str) -> Any:
    try:
        return Book.objects.select_related("merchant").get(pk=ids.parse(Book.id_prefix, shown))
    except (ids.MalformedId, Book.DoesNotExist) as missing:
        raise Http404 from missing
