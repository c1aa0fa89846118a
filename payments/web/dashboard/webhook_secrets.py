"""The signing secret of an endpoint: shown by the answer that makes it, replaced with overlap."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from merchant_platform.kernel import clock, idempotency, ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from merchant_platform.kernel.wire import dump, load
from payments.web.dashboard.endpoints import MANAGE, find, said, shown
from payments.webhooks import operations as webhooks
from payments.webhooks import secrets
from payments.webhooks.models import WebhookEndpoint
from security.authentication.step_up import Binding
from security.web.deeds import note
from security.web.desk import Desk, desk_page
from security.web.step_up import step_up

# After its form was answered, the secret is shown to the same person for so long; then nobody sees it again.
SHOWN_AGAIN = timedelta(minutes=10)
OVERLAPS = {0: _("At once"), 1: _("For 1 hour"), 24: _("For 1 day"), 72: _("For 3 days"), 168: _("For 7 days")}
OVERLAP_DEFAULT = 24


def of_secret(request: HttpRequest, desk: Desk, webhook: str = "") -> Binding:
    """What a factor is shown for: a secret that proves live events is about to be shown."""
    if webhook and not desk.is_test:
        with tenancy.within(desk.book.pk):
            find(webhook)  # nobody is asked for what is not there
    what = gettext("Replace a live signing secret") if webhook else gettext("Add a live webhook endpoint")
    return Binding(object_id=webhook, what=what, is_required=not desk.is_test)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret", "told")
@desk_page(MANAGE)
@step_up(MANAGE, binds=of_secret)
def rotate(request: HttpRequest, desk: Desk, webhook: str) -> HttpResponse:
    """A new secret; the old one signs beside it for a while."""
    with tenancy.within(desk.book.pk):
        row = find(webhook)
    if request.method == "POST":
        asked = request.POST.get("overlap", "")
        hours = int(asked) if asked in map(str, OVERLAPS) else OVERLAP_DEFAULT

        def make() -> tuple[WebhookEndpoint, str]:
            made = webhooks.rotate_secret(endpoint_id=row.pk, overlap=timedelta(hours=hours), now=clock.wall())
            note(desk, "webhook.rotate_secret", webhook, overlap_hours=hours)
            return made

        try:
            told = {"rotate": webhook, "overlap": str(hours)}
            once = request.POST.get("once", "").replace("\x00", "")
            return with_secret(request, desk, once, told, make)
        except PlatformError as error:
            messages.error(request, said(error))
            return HttpResponseRedirect(desk.url("webhook", webhook=webhook))
    context = {"endpoint": shown(row), "overlaps": OVERLAPS, "overlap": OVERLAP_DEFAULT, "once": uuid4().hex}
    return desk.render(request, "developers/webhook_rotate.html", context)


@sensitive_variables("secret", "answer", "kept")
def with_secret(
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
