"""What the dashboard's search finds of the merchant itself: stores, staff, keys, requests.

A merchant has few stores and few people: they are read whole and looked through here.
"""

from uuid import UUID

from django.utils.translation import gettext as _

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.request_log import queries as request_log
from security.access.roles import NAMES
from security.credentials import queries as credentials
from security.merchants.models import Staff, Store
from security.web.desk import Desk
from security.web.search import Hit

READ_MAX, SHOWN_MAX = 500, 8


def find(desk: Desk, text: str) -> list[Hit]:
    """The store, the person, the key or the request that an id names; stores and people by words of their names."""
    prefix = text.partition("_")[0]
    if prefix == "req" and desk.may("request.view"):
        return _request(desk, text)
    if prefix == "key" and desk.may("key.manage"):
        return _key(desk, text)
    return [*_stores(desk, text), *_staff(desk, text)][:SHOWN_MAX]


def _stores(desk: Desk, text: str) -> list[Hit]:
    if not desk.may("store.view"):
        return []
    found = []
    for store in Store.objects.filter(merchant=desk.merchant).order_by("name", "pk")[:READ_MAX]:
        shown = ids.show("sto", store.pk)
        if text == shown or _is_named(text, store.name, store.city):
            found.append(Hit(_("Store"), store.name, store.city, desk.url("store", store=shown), text == shown))
    return found


def _staff(desk: Desk, text: str) -> list[Hit]:
    if not desk.may("staff.view"):
        return []
    found = []
    people = Staff.objects.filter(merchant=desk.merchant, left_at=None).select_related("user").order_by("pk")
    for person in people[:READ_MAX]:
        shown, name = ids.show("stf", person.pk), person.user.name or person.user.email
        if text == shown or _is_named(text, person.user.name, person.user.email):
            url = desk.url("staff_member", staff=shown)
            found.append(Hit(_("Staff"), name, str(NAMES[person.role]), url, text == shown))
    return found


def _key(desk: Desk, text: str) -> list[Hit]:
    identifier = _parsed("key", text)
    key = credentials.find(book_id=desk.book.pk, key_id=identifier) if identifier else None
    if key is None:
        return []
    return [Hit(_("API key"), key.name or text, "", desk.url("key", key=text), is_exact=True)]


def _request(desk: Desk, text: str) -> list[Hit]:
    identifier = _parsed("req", text)
    if identifier is None:
        return []
    with tenancy.within(desk.book.pk):
        row = request_log.find(identifier)
    if row is None:
        return []
    url = desk.url("request", request_id=text)
    return [Hit(_("Request"), f"{row.method} {row.path}", str(row.status), url, is_exact=True)]


def _is_named(text: str, *names: str) -> bool:
    """Whether some word of a name begins with the text."""
    wanted = text.casefold()
    return any(name.casefold().startswith(wanted) or f" {wanted}" in name.casefold() for name in names if name)


def _parsed(prefix: str, text: str) -> UUID | None:
    try:
        return ids.parse(prefix, text)
    except ids.MalformedId:
        return None
