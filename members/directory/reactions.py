"""What the directory does when it hears that a customer is gone, or allows something no more."""

from members.directory import operations
from members.directory.models import Correction, Member
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.events.models import Event
from merchant_platform.kernel.wire import load
from payments.origin import Origin
from security.merchants import queries as merchants
from security.privacy import queries as allowed
from security.privacy.wording import PERSONALISATION


def on_customer_deleted(event: Event) -> None:
    """React to `customer.deleted`. This will end the membership and forget the person, once."""
    member = Member.objects.filter(customer_id=ids.parse("cus", load(event.data)["id"])).first()
    if member is None:
        return
    if not member.is_active:
        operations.forget(member)
        return
    book = merchants.book(tenancy.book_id())
    operations.leave(member_id=member.pk, now=book.now, origin=Origin(livemode=book.livemode))


def on_consent_withdrawn(event: Event) -> None:
    """React to `consent.withdrawn`. This will forget the birthday, also what corrections say of it."""
    told = load(event.data)
    customer_id = ids.parse("cus", told["customer"])
    if told["purpose"] != PERSONALISATION or allowed.allows(customer_id, PERSONALISATION):
        return
    member_ids = list(Member.objects.filter(customer_id=customer_id).values_list("pk", flat=True))
    Member.objects.filter(pk__in=member_ids).update(birthday=None)
    Correction.objects.filter(member_id__in=member_ids, field="birthday").update(before="", after="")
