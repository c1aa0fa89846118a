"""/admin/: the tables as they are, for operators, to read. Nothing is changed here: rooms do that.

Fields that are secret are never shown, and those that relate to a person only where a table
says so. A merchant's tables are seen one book at a time, as everywhere. What was looked at is
recorded.
"""

from functools import cached_property
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

from allauth.account.adapter import get_adapter
from allauth.core.internal.httpkit import authenticated_user
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import ids, privacy, tenancy
from merchant_platform.kernel.privacy import PrivacyClass
from security.audit import operations as audit
from security.merchants.models import Book
from security.web.accounts.views import is_strong

_COLUMNS_MAX = 8
_COUNTED_MAX = 1_000
_BOOKS_MAX = 500


class Site(admin.AdminSite):
    """Behind the sign-in of everybody, with a second factor, for operators alone."""

    site_header = site_title = _("The platform's tables")
    index_title = _("Read only")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return bool(user.is_authenticated and user.is_active and user.is_operator and is_strong(request))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return HttpResponseRedirect(reverse("account_logout"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return HttpResponseRedirect(reverse("account_change_password"))


class FewPages(Paginator):
    """Counts no further than anybody turns pages."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows[: _COUNTED_MAX + 1].count()


def _check(*texts: str) -> None:
    """Django hands filters and ids on to the database as they are, and that refuses NUL. Raises BadRequest."""
    if any("\0" in text for text in texts):
        raise BadRequest


class ReadOnly(admin.ModelAdmin):
    """A table to look at."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    paginator = FewPages
    # Whether fields that relate to a person are shown.
    shows_people = False
    # Fields that are no columns, and the hidden columns that they read.
    extra_fields: tuple[str, ...] = ()
    extra_needs: tuple[str, ...] = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self._shown(), *self.extra_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._shown()[:_COLUMNS_MAX]

    def get_ordering(self, request: HttpRequest) -> Any:
        return ["-pk"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        hidden = [field.name for field in self.model._meta.concrete_fields if field.name not in self._shown()]
        needed = {*hidden} - {self.model._meta.pk.name, *self.extra_needs}
        return super().get_queryset(request).defer(*needed)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        _check(*(text for texts in dict(request.GET.lists()).values() for text in texts))
        self._record(request, "")
        return super().changelist_view(request, extra_context)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        _check(object_id or "")
        self._record(request, object_id or "")
        return super().changeform_view(request, object_id, *args, **kwargs)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Nothing is deleted here, whatever it is."""
        raise PermissionDenied

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Django's own log of changes is empty: nothing is changed here."""
        raise PermissionDenied

    def _shown(self) -> list[str]:
        allowed = {PrivacyClass.OPAQUE, PrivacyClass.BUSINESS}
        if self.shows_people:
            allowed.add(PrivacyClass.PERSONAL)
        classes = privacy.of(self.model)
        return [field.name for field in self.model._meta.concrete_fields if classes.get(field.name) in allowed]

    def _record(self, request: HttpRequest, object_id: str) -> None:
        ip = get_adapter(request).get_client_ip(request)
        with transaction.atomic():
            audit.record(
                actor=audit.Actor.operator(authenticated_user(request).pk, ip=ip),
                action="admin.view",
                object_id=object_id[:100],
                detail={"table": self.model._meta.db_table},
                book_id=None,
                merchant_id=None,
            )


class BookFilter(admin.SimpleListFilter):
    """Which book is open. Row-level security shows its rows and no others."""

    title = _("book")
    parameter_name = "book"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        books = Book.objects.select_related("merchant").order_by("merchant__name", "mode")[:_BOOKS_MAX]
        return [(ids.show(Book.id_prefix, book.pk), f"{book.merchant.name} ({book.mode})") for book in books]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset


class OfOneBook(ReadOnly):
    """A merchant's table, one book at a time; without one chosen it is empty."""

    list_filter = (BookFilter,)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self._within(request, super().changelist_view, request, extra_context)

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        return self._within(request, super().changeform_view, request, object_id, *args, **kwargs)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        book_id = self._book(request)
        found = super().get_queryset(request)
        return found.filter(book_id=book_id) if book_id else found.none()

    def _within(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> Any:
        book_id = self._book(request)
        if book_id is None:
            return view(*args, **kwargs)
        with tenancy.within(book_id):
            response = view(*args, **kwargs)
            # The page reads its rows as it is written.
            return response.render() if hasattr(response, "render") else response

    @staticmethod
    def _book(request: HttpRequest) -> UUID | None:
        kept = parse_qs(request.GET.get("_changelist_filters", "")).get("book", [""])[0]
        try:
            return ids.parse(Book.id_prefix, request.GET.get("book", "") or kept)
        except ids.MalformedId:
            return None
