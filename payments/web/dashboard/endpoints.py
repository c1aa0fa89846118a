"""A webhook endpoint as pages show it, how it is found, and what a refusal about it is called."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import PlatformError
from payments.webhooks import operations as webhooks
from payments.webhooks import queries
from payments.webhooks.models import FAILING, GONE, WebhookEndpoint
from security.web import paging

VIEW, MANAGE = "webhook.view", "webhook.manage"


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
            "This address cannot be used: name a public domain, with https:// in live mode, and no user name."
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
