"""Tags of the audit page."""

from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from merchant_platform.kernel import ids
from security.merchants.models import Staff

register = template.Library()

# Deeds in words; another one is shown by its own name, which says it in English.
DEEDS: dict[str, Any] = {
    "approval.approved": _("Approved a request"),
    "approval.expired": _("A request expired"),
    "approval.refused": _("Refused a request"),
    "approval.requested": _("Asked for an approval"),
    "audit.export": _("Exported the audit log"),
    "consent.granted": _("Gave a consent"),
    "consent.withdrawn": _("Withdrew a consent"),
    "customer.create": _("Added a customer"),
    "customer.delete": _("Deleted a customer"),
    "customer.detach": _("Took a payment method away"),
    "customer.edit": _("Changed a customer"),
    "customer.export": _("Exported customers"),
    "device.add": _("Added a device"),
    "device.revoke": _("Revoked a device"),
    "login.email_changed": _("Changed the e-mail address"),
    "login.in": _("Signed in"),
    "login.out": _("Signed out"),
    "login.password_changed": _("Changed the password"),
    "login.password_reset": _("Reset the password"),
    "login.recovery_codes_generated": _("Made new recovery codes"),
    "login.refused": _("Sign-in refused"),
    "login.session_ended": _("Signed a device out"),
    "login.totp_activated": _("Added an authenticator app"),
    "login.totp_deactivated": _("Removed an authenticator app"),
    "login.webauthn_added": _("Added a passkey"),
    "login.webauthn_removed": _("Removed a passkey"),
    "member.codes": _("Made codes to join by"),
    "member.contacts": _("Saw a member's contacts"),
    "member.create": _("Added a member"),
    "member.edit": _("Changed a member"),
    "member.export": _("Exported members"),
    "member.import": _("Imported members"),
    "member.leave": _("Ended a membership"),
    "member.merge": _("Merged two members"),
    "member.told_apart": _("Said that two members are two people"),
    "member.unmerge": _("Undid a merge"),
    "merchant.edit": _("Changed the settings of the business"),
    "offer.code_off": _("Switched a code off"),
    "offer.code_on": _("Switched a code on"),
    "offer.codes": _("Made codes"),
    "offer.codes_export": _("Exported codes"),
    "offer.create": _("Made an offer"),
    "offer.edit": _("Changed an offer"),
    "offer.end": _("Ended an offer"),
    "offer.pause": _("Paused an offer"),
    "offer.resume": _("Resumed an offer"),
    "offer.start": _("Started an offer"),
    "order.refund": _("Refunded an order"),
    "price.archive": _("Archived a price"),
    "price.create": _("Added a price"),
    "price.default": _("Chose the default price"),
    "price.restore": _("Restored a price"),
    "product.archive": _("Archived a product"),
    "product.create": _("Added a product"),
    "product.edit": _("Changed a product"),
    "product.export": _("Exported products"),
    "product.import": _("Imported products"),
    "product.restore": _("Put a product on sale again"),
    "report.again": _("Had a report made again"),
    "report.ask": _("Asked for a report"),
    "report.cancel": _("Called a report off"),
    "report.download": _("Took a report away"),
    "report.remove": _("Deleted a report"),
    "report.schedule": _("Began a schedule of reports"),
    "report.schedule_active": _("Resumed a schedule of reports"),
    "report.schedule_ended": _("Ended a schedule of reports"),
    "report.schedule_paused": _("Paused a schedule of reports"),
    "staff.change": _("Changed a role"),
    "staff.hand_over": _("Handed the business over"),
    "staff.invite": _("Invited somebody"),
    "staff.invite_again": _("Sent an invitation again"),
    "staff.join": _("Accepted an invitation"),
    "staff.leave": _("Ended somebody's work here"),
    "staff.uninvite": _("Revoked an invitation"),
    "step_up.proved": _("Confirmed an act with a factor"),
    "stored_value.freeze": _("Froze a stored-value card"),
    "stored_value.issue": _("Issued a stored-value card"),
    "stored_value.load": _("Loaded a stored-value card"),
    "stored_value.pin": _("Gave a stored-value card another PIN"),
    "stored_value.unfreeze": _("Let a stored-value card be spent again"),
    "store.close": _("Closed a store"),
    "store.edit": _("Changed a store"),
    "store.open": _("Opened a store"),
    "store.reopen": _("Opened a store again"),
}


@register.filter
def deed(action: str) -> Any:
    """An action in words, where it has some."""
    return DEEDS.get(action, action)


@register.simple_tag
def staff_id(staff: Staff) -> str:
    """The id of a member of staff as addresses have it."""
    return ids.show(Staff.id_prefix, staff.pk)
