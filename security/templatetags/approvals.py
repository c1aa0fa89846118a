"""Tags of the pages of approvals."""

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import ids
from merchant_platform.kernel.templatetags.ui import badge
from security.approvals.models import Approval
from security.approvals.operations import deed_of
from security.approvals.states import APPROVED, DONE, EXPIRED, FAILED, REFUSED, REQUESTED

register = template.Library()

_STATES = {
    REQUESTED: ("warning", _("Waiting")),
    APPROVED: ("info", _("Approved")),
    REFUSED: ("danger", _("Refused")),
    EXPIRED: ("neutral", _("Expired")),
    DONE: ("success", _("Done")),
    FAILED: ("danger", _("Not possible any more")),
}


@register.filter
def approval_id(approval: Approval) -> str:
    """The approval's id as addresses have it."""
    return ids.show(Approval.id_prefix, approval.pk)


@register.simple_tag
def approval_badge(approval: Approval) -> SafeString:
    """The approval's state."""
    kind, word = _STATES[approval.status]
    return badge(kind, str(word))


@register.filter
def why_not(approval: Approval) -> str:
    """Why what was allowed could not be done; nothing where it could."""
    deed = deed_of(approval.action)
    return deed.why(approval.outcome) if deed and approval.status == FAILED else ""
