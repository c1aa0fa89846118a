"""The tables of security that operators may read at /admin/."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from security.audit.models import AuditChain, AuditRecord
from security.identity.models import User
from security.merchants.models import Book, Device, Merchant, Staff, Store
from security.messaging import bodies
from security.messaging.models import Message
from security.web.admin import ReadOnly


@admin.register(Message)
class Outbox(ReadOnly):
    """What was sent to people, and what waits. Bodies are codes: they are read only where nothing is sent for real."""

    shows_people = True
    list_filter = ("channel", "status", "template")
    extra_fields = ("text",)
    extra_needs = ("body",)

    @admin.display(description=_("Text"))
    def text(self, message: Message) -> Any:
        return bodies.unseal(message.body) if settings.OUTBOX_SHOWS_BODIES else _("Not shown here")


@admin.register(User)
class Users(ReadOnly):
    shows_people = True


@admin.register(Merchant, Book, Store, Device, Staff, AuditRecord, AuditChain)
class Tables(ReadOnly):
    pass
