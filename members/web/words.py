"""Members in the words of pages."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from members.directory import models

STATES: dict[str, tuple[str, Any]] = {
    models.ACTIVE: ("success", _("Member")),
    models.LEFT: ("neutral", pgettext_lazy("of a member", "Left")),
    models.MERGED: ("info", _("Merged")),
}
SOURCES: dict[str, Any] = {
    models.API: _("Through a program"),
    models.DASHBOARD: _("By staff"),
    models.CHECKOUT: _("While paying"),
    models.QR: _("By a code in the store"),
    models.IMPORT: _("From a sheet"),
    models.PORTAL: _("In the wallet"),
    models.DEMO: _("In the demo world"),
}
REASONS: dict[str, Any] = {
    models.PHONE: _("Same telephone number"),
    models.EMAIL: _("Same e-mail address"),
    models.NAME: _("Same name"),
}
METHODS: dict[str, Any] = {"wallet": _("Wallet"), "card": _("Card")}
