"""Webhook endpoints: list, add, edit, switch on and off, the signing secret, and what of the past is sent again.

The list costs the desk's statements and three more, an endpoint's page eight: the unit of
work, the endpoint, a page of deliveries with their events, and how many wait.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from merchant_platform.kernel import clock, idempotency, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.events import router
from merchant_platform.kernel.wire import dump, load
from payments.webhooks import addresses, queries, retries, secrets
from payments.webhooks import operations as webhooks
from payments.webhooks.models import CANCELED, FAILED, FAILING, GONE, PENDING, SUCCEEDED, WebhookEndpoint
from payments.webhooks.queries import WantedDeliveries
from security.web import paging
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.parts import Chip, Tab, Ways

VIEW, MANAGE = "webhook.view", "webhook.manage"
# After its form was answered, the secret is shown to the same person for so long; then nobody sees it again.
SHOWN_AGAIN = timedelta(minutes=10)
STATUSES: dict[str, tuple[str, Any]] = {
    PENDING: ("info", pgettext_lazy("delivery", "On its way")),
    SUCCEEDED: ("success", pgettext_lazy("delivery", "Arrived")),
    FAILED: ("danger", pgettext_lazy("delivery", "Failed")),
    CANCELED: ("neutral", pgettext_lazy("delivery", "Canceled")),
}
ANSWERS = {2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx", 0: _("No answer")}
SLOW_MS = (1_000, 5_000)
OVERLAPS = {0: _("At once"), 1: _("For 1 hour"), 24: _("For 1 day"), 72: _("For 3 days"), 168: _("For 7 days")}
OVERLAP_DEFAULT = 24


@dataclass(frozen=True, slots=True)
class Shown:
    """An endpoint as a page shows it."""

    id: str
    row: WebhookEndpoint

    @property
    def state(self) -> tuple[str, Any]:
        if not self.row.is_enabled:
            return "neutral", pgettext_lazy("endpoint", "Switched off")
        if self.row.failing_since:
            return "warning", pgettext_lazy("endpoint", "Failing")
        return "success", pgettext_lazy("endpoint", "On")

    @property
    def why_off(self) -> Any:
        """Why nothing is sent to it, where the platform decided that."""
        if self.row.is_enabled:
            return ""
        return {
            GONE: _("It answered 410 Gone, which says that nobody listens there any more."),
            FAILING: _("It answered nothing but failures for days."),
        }.get(self.row.disabled_reason, "")

    @property
    def hears_all(self) -> bool:
        return webhooks.EVERY in self.row.enabled_events


def shown(row: WebhookEndpoint) -> Shown:
    return Shown(ids.show("we", row.pk), row)


class EndpointForm(forms.Form):
    """Where to send, and what. `once` makes a form that is sent twice one endpoint."""

    url = forms.CharField(
        label=_("Address"),
        max_length=addresses.URL_LENGTH_MAX,
        widget=forms.URLInput(
            attrs={"class": "input", "placeholder": "https://example.com/webhooks", "autocomplete": "off"}
        ),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}),
    )
    hears = forms.ChoiceField(choices=[("all", "all"), ("some", "some")], initial="all")
    types = forms.MultipleChoiceField(choices=lambda: [(name, name) for name in router.public_types()], required=False)
    once = forms.CharField(max_length=64, widget=forms.HiddenInput, required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("hears") == "some" and not said.get("types") and "types" not in self.errors:
            self.add_error("types", _("Choose at least one type, or all of them."))
        return said

    @property
    def fields_given(self) -> dict[str, Any]:
        """What the operation is told."""
        said = self.cleaned_data
        return {
            "url": said["url"],
            "description": said["description"] or None,
            "enabled_events": [webhooks.EVERY] if said["hears"] == "all" else said["types"],
        }

    @property
    def hears_all(self) -> bool:
        return self["hears"].value() != "some"

    @property
    def groups(self) -> list[tuple[str, list[tuple[str, bool]]]]:
        """Every type, by the object that it is about, and whether it is ticked."""
        ticked = set(self["types"].value() or ())
        found: dict[str, list[tuple[str, bool]]] = {}
        for name in router.public_types():
            found.setdefault(name.rpartition(".")[0], []).append((name, name in ticked))
        return list(found.items())


class BackfillForm(forms.Form):
    """Which events to send again: a range of the book's time."""

    since = forms.DateTimeField(
        label=_("From"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    before = forms.DateTimeField(
        label=_("Until"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput(attrs={"class": "input", "type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    includes_succeeded = forms.BooleanField(label=_("Also those that arrived"), required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "since" in said and "before" in said and said["before"] <= said["since"]:
            raise forms.ValidationError(_("The range ends before it begins."))
        return said


@require_safe
@desk_page(VIEW)
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The endpoints of the book."""
    with tenancy.within(desk.book.pk):
        rows = queries.every_endpoint()
    context = {"endpoints": [shown(row) for row in rows], "endpoints_max": webhooks.ENDPOINTS_MAX}
    return desk.render(request, "developers/webhooks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret", "told")
@desk_page(MANAGE)
def create(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add an endpoint; the answer to the form shows its secret."""
    form = EndpointForm(request.POST or None, initial={"once": uuid4().hex})
    if request.method == "POST" and form.is_valid():
        fields = form.fields_given

        def make() -> tuple[WebhookEndpoint, str]:
            row, sealed = webhooks.create(fields=dict(fields), livemode=desk.book.livemode, now=clock.wall())
            note(request, desk, "webhook.create", ids.show("we", row.pk), types=fields["enabled_events"])
            return row, sealed

        try:
            return _with_secret(request, desk, form.cleaned_data["once"], fields, make)
        except PlatformError as error:
            form.add_error("url" if error.param == "url" else None, said(error))
    return _form_page(request, desk, form, {})


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
def edit(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """Another address, other types. Sent twice it says the same twice."""
    with tenancy.within(desk.book.pk):
        row = find(webhook)
    hears_all = webhooks.EVERY in row.enabled_events
    initial = {
        "url": row.url,
        "description": row.description or "",
        "hears": "all" if hears_all else "some",
        "types": [] if hears_all else row.enabled_events,
    }
    form = EndpointForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        fields = form.fields_given
        try:
            with tenancy.within(desk.book.pk):
                webhooks.update(endpoint_id=row.pk, fields=dict(fields), livemode=desk.book.livemode)
                note(request, desk, "webhook.edit", webhook, types=fields["enabled_events"])
        except PlatformError as error:
            form.add_error("url" if error.param == "url" else None, said(error))
        else:
            messages.success(request, gettext("The endpoint is changed."))
            return HttpResponseRedirect(desk.url("webhook", webhook=webhook))
    return _form_page(request, desk, form, {"endpoint": shown(row)})


@require_safe
@desk_page(VIEW)
def show(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """An endpoint and what it was sent, newest first, by what is asked."""
    wanted = _wanted(request, desk)
    with tenancy.within(desk.book.pk):
        row = find(webhook)
        found = queries.deliveries(
            endpoint_id=row.pk, wanted=wanted, below=paging.cursor(request, paging.OLDER, "whd"), limit=paging.SIZE
        )
    below = found.goes_on_below
    context = {
        "endpoint": shown(row),
        "deliveries": [delivery_line(each, *found.last[each.pk]) for each in found.rows],
        "tabs": _tabs(request),
        "chips": _chips(request),
        "clear_url": desk.url("webhook", webhook=webhook),
        "ways": Ways(
            newer=paging.with_params(request, {}) if paging.OLDER in request.GET else "",
            older=paging.with_params(request, {paging.OLDER: ids.show("whd", below)}) if below else "",
        ),
        "looks_further": below is not None and len(found.rows) < paging.SIZE,
        "looked_at_max": queries.LOOKED_AT_MAX,
        "answers": ANSWERS,
        "slow": [(ms, ms // 1_000) for ms in SLOW_MS],
        "asked": request.GET.dict(),
        "kept_days": webhooks.KEPT.days,
        "signs_with_old": bool(row.old_secret_until and row.old_secret_until > clock.wall()),
    }
    return desk.render(request, "developers/webhook.html", context)


@require_POST
@desk_page(MANAGE)
def switch(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """On or off, as `to` says: sent twice it is no other than once."""
    is_disabled = request.POST.get("to") == "off"
    with tenancy.within(desk.book.pk):
        row = find(webhook)
        if row.is_enabled == is_disabled:
            webhooks.update(endpoint_id=row.pk, fields={"is_disabled": is_disabled}, livemode=desk.book.livemode)
            note(request, desk, "webhook.disable" if is_disabled else "webhook.enable", webhook)
    if is_disabled:
        messages.success(request, gettext("Nothing is sent to it any more. What it is owed waits."))
    else:
        messages.success(
            request, gettext("It is told again of what happens. Send it what it missed, if it needs that.")
        )
    return HttpResponseRedirect(desk.url("webhook", webhook=webhook))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
def delete(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """Ask once more, then forget an endpoint and its secrets."""
    with tenancy.within(desk.book.pk):
        row = find(webhook)
        if request.method == "POST":
            webhooks.delete(endpoint_id=row.pk, now=clock.wall())
            note(request, desk, "webhook.delete", webhook)
    if request.method == "POST":
        messages.success(request, gettext("The endpoint is deleted."))
        return HttpResponseRedirect(desk.url("webhooks"))
    return desk.render(request, "developers/webhook_delete.html", {"endpoint": shown(row)})


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret", "told")
@desk_page(MANAGE)
def rotate(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """A new secret; the old one signs beside it for a while."""
    with tenancy.within(desk.book.pk):
        row = find(webhook)
    if request.method == "POST":
        asked = request.POST.get("overlap", "")
        hours = int(asked) if asked in map(str, OVERLAPS) else OVERLAP_DEFAULT

        def make() -> tuple[WebhookEndpoint, str]:
            made = webhooks.rotate_secret(endpoint_id=row.pk, overlap=timedelta(hours=hours), now=clock.wall())
            note(request, desk, "webhook.rotate_secret", webhook, overlap_hours=hours)
            return made

        try:
            told = {"rotate": webhook, "overlap": str(hours)}
            return _with_secret(request, desk, request.POST.get("once", ""), told, make)
        except PlatformError as error:
            messages.error(request, said(error))
            return HttpResponseRedirect(desk.url("webhook", webhook=webhook))
    context = {"endpoint": shown(row), "overlaps": OVERLAPS, "overlap": OVERLAP_DEFAULT, "once": uuid4().hex}
    return desk.render(request, "developers/webhook_rotate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page(MANAGE)
def backfill(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """Send what a time range held; then watch it go. What is on its way already is not sent again."""
    with tenancy.within(desk.book.pk):
        row = find(webhook)
        waiting = queries.waiting_count(row.pk) if "sent" in request.GET else 0
    local = desk.now.astimezone(desk.zone).replace(tzinfo=None, second=0, microsecond=0)
    initial = {"since": local - timedelta(days=1), "before": local + timedelta(minutes=1)}
    form = BackfillForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            count = _backfill(request, desk, row.pk, form.cleaned_data)
        except PlatformError as error:
            form.add_error(None, said(error))
        else:
            return HttpResponseRedirect(f"{desk.url('webhook_backfill', webhook=webhook)}?sent={count}")
    sent = request.GET.get("sent", "")
    total = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 7 else None
    context = {
        "endpoint": shown(row),
        "form": form,
        "total": total,
        "done": max(0, (total or 0) - waiting),
        "is_over": waiting == 0,
        "events_max": webhooks.BACKFILL_MAX,
        "days_max": webhooks.BACKFILL_AGE_MAX.days,
    }
    if request.headers.get("HX-Request"):
        return desk.render(request, "developers/_backfill.html", context)
    return desk.render(request, "developers/webhook_backfill.html", context, status=400 if form.errors else 200)


def find(shown_id: str) -> WebhookEndpoint:
    """An endpoint of the open book. Raises Http404."""
    endpoint_id = paging.identifier("we", shown_id)
    row = queries.find(endpoint_id) if endpoint_id else None
    if row is None:
        raise Http404
    return row


def said(error: PlatformError) -> str:
    """A refusal in the reader's language."""
    told = {
        "url_invalid": gettext(
            "This address cannot be used: it must be a public domain name without a user name, with https:// in live mode."
        ),
        "webhook_endpoint_limit": gettext("There are as many endpoints as there may be: delete one first."),
        "webhook_endpoint_disabled": gettext(
            "Nothing is sent to an endpoint that is switched off: switch it on first."
        ),
        "backfill_too_large": gettext("The range holds too many events: choose a shorter one."),
        "webhook_test_running": gettext("It was tried a moment ago. Wait a few seconds."),
        "idempotency_error": gettext("This form was sent before, with other words. Begin again."),
        "resource_missing": gettext("It is not here any more."),
    }
    return told.get(error.code, gettext("That could not be done. Try again."))


def delivery_line(row: Any, http_status: int | None, duration_ms: int | None) -> dict[str, Any]:
    """A delivery as lists show it."""
    colour, word = STATUSES[row.status]
    return {
        "id": ids.show("whd", row.pk),
        "event_id": ids.show("evt", row.event_id),
        "type": row.event.type,
        "row": row,
        "colour": colour,
        "word": word,
        "http_status": http_status,
        "duration_ms": duration_ms,
        "attempts_max": retries.ATTEMPTS_MAX,
    }


def _backfill(request: HttpRequest, desk: Desk, endpoint_id: UUID, asked: dict[str, Any]) -> int:
    since, before = (asked[name].replace(tzinfo=desk.zone) for name in ("since", "before"))
    with tenancy.within(desk.book.pk):
        count = webhooks.backfill(
            endpoint_id=endpoint_id,
            since=since,
            before=before,
            types=None,
            includes_succeeded=asked["includes_succeeded"],
            now=clock.wall(),
            book_now=desk.now,
        )
        note(
            *(request, desk, "webhook.backfill", ids.show("we", endpoint_id)),
            since=clock.unix(since),
            before=clock.unix(before),
            count=count,
        )
    return count


@sensitive_variables("secret", "answer", "kept")
def _with_secret(
    request: HttpRequest,
    desk: Desk,
    token: str,
    told: dict[str, Any],
    make: Callable[[], tuple[WebhookEndpoint, str]],
) -> HttpResponse:
    """Make a secret once a form, and show it: also where a browser sent the form twice."""
    now = clock.wall()

    def operation() -> idempotency.Answer:
        row, sealed = make()
        kept = {"webhook": ids.show("we", row.pk), "secret": sealed, "made_at": clock.unix(now)}
        return idempotency.Answer(status=200, body=dump(kept))

    answer = idempotency.run_once(
        desk.book.pk,
        idempotency.Request(
            key=f"dashboard:{desk.staff.pk}:{token}"[: idempotency.KEY_LENGTH_MAX],
            fingerprint=idempotency.fingerprint("POST", "dashboard/webhooks", told),
            request_id="",
        ),
        operation,
    )
    kept = load(answer.body)
    endpoint_id = ids.parse("we", kept["webhook"])
    is_fresh = now - clock.from_unix(kept["made_at"]) <= SHOWN_AGAIN
    secret = secrets.unseal(kept["secret"], endpoint_id=endpoint_id) if is_fresh else None
    with tenancy.within(desk.book.pk):
        row = find(kept["webhook"])
    return desk.render(request, "developers/webhook_secret.html", {"endpoint": shown(row), "secret": secret})


def _form_page(request: HttpRequest, desk: Desk, form: EndpointForm, context: dict[str, Any]) -> HttpResponse:
    status = 400 if form.is_bound and form.errors else 200
    return desk.render(request, "developers/webhook_form.html", {"form": form, **context}, status=status)


def _wanted(request: HttpRequest, desk: Desk) -> WantedDeliveries:
    asked = request.GET
    answer, slow = asked.get("answer", ""), asked.get("slow", "")
    return WantedDeliveries(
        status=asked["status"] if asked.get("status") in STATUSES else "",
        answer_class=int(answer) if answer in map(str, ANSWERS) else None,
        slower_than_ms=int(slow) if slow in map(str, SLOW_MS) else None,
        was_retried=asked.get("retried") == "1",
        since=paging.moment(request, "since", desk.zone),
        before=paging.moment(request, "before", desk.zone),
    )


def _tabs(request: HttpRequest) -> list[Tab]:
    current = request.GET.get("status", "")
    tabs = [Tab(title=_("All"), url=paging.with_params(request, {"status": ""}), is_current=current not in STATUSES)]
    return tabs + [
        Tab(title=word, url=paging.with_params(request, {"status": status}), is_current=current == status)
        for status, (_colour, word) in STATUSES.items()
    ]


def _chips(request: HttpRequest) -> list[Chip]:
    asked = request.GET
    words: list[tuple[str, Any, Any]] = [
        ("answer", _("Answer"), {str(each): word for each, word in ANSWERS.items()}.get(asked.get("answer", ""))),
        ("slow", _("Took"), f"≥ {asked['slow']} ms" if asked.get("slow") in map(str, SLOW_MS) else None),
        ("retried", _("Attempts"), f"≥ {queries.TRIED_AGAIN}" if asked.get("retried") == "1" else None),
        ("since", _("From"), asked.get("since")),
        ("before", _("Until"), asked.get("before")),
    ]
    return [
        Chip(title=title, value=str(value)[:64], remove_url=paging.with_params(request, {name: ""}))
        for name, title, value in words
        if value
    ]
