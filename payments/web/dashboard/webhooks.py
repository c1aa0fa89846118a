"""Webhook endpoints: list, add, edit, switch on and off, delete. A list costs three statements and the desk's."""

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from payments.web.dashboard.endpoints import MANAGE, VIEW, find, said, shown
from payments.web.dashboard.webhook_forms import EndpointForm
from payments.web.dashboard.webhook_secrets import of_secret, with_secret
from payments.webhooks import operations as webhooks
from payments.webhooks import queries
from payments.webhooks.models import WebhookEndpoint
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up


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
@step_up(MANAGE, binds=of_secret)
def create(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Add an endpoint; the answer to the form shows its secret."""
    form = EndpointForm(request.POST if request.method == "POST" else None, initial={"once": uuid4().hex})
    if request.method == "POST" and form.is_valid():
        fields = form.fields_given

        def make() -> tuple[WebhookEndpoint, str]:
            row, sealed = webhooks.create(fields=dict(fields), livemode=desk.book.livemode, now=clock.wall())
            note(desk, "webhook.create", ids.show("we", row.pk), types=fields["enabled_events"])
            return row, sealed

        try:
            return with_secret(request, desk, form.cleaned_data["once"], fields, make)
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
    form = EndpointForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        fields = form.fields_given
        try:
            with tenancy.within(desk.book.pk):
                webhooks.update(endpoint_id=row.pk, fields=dict(fields), livemode=desk.book.livemode)
                note(desk, "webhook.edit", webhook, types=fields["enabled_events"])
        except PlatformError as error:
            form.add_error("url" if error.param == "url" else None, said(error))
        else:
            messages.success(request, gettext("The endpoint is changed."))
            return HttpResponseRedirect(desk.url("webhook", webhook=webhook))
    return _form_page(request, desk, form, {"endpoint": shown(row)})


@require_POST
@desk_page(MANAGE)
def switch(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """On or off, as `to` says: sent twice it is no other than once."""
    is_disabled = request.POST.get("to") == "off"
    with tenancy.within(desk.book.pk):
        row = find(webhook)
        if row.is_enabled == is_disabled:
            webhooks.update(endpoint_id=row.pk, fields={"is_disabled": is_disabled}, livemode=desk.book.livemode)
            note(desk, "webhook.disable" if is_disabled else "webhook.enable", webhook)
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
            note(desk, "webhook.delete", webhook)
    if request.method == "POST":
        messages.success(request, gettext("The endpoint is deleted."))
        return HttpResponseRedirect(desk.url("webhooks"))
    return desk.render(request, "developers/webhook_delete.html", {"endpoint": shown(row)})


def _form_page(request: HttpRequest, desk: Desk, form: EndpointForm, context: dict[str, Any]) -> HttpResponse:
    status = 400 if form.is_bound and form.errors else 200
    return desk.render(request, "developers/webhook_form.html", {"form": form, **context}, status=status)
