"""What staff do on pages, written down in the transaction of the deed."""

from security.audit import operations as audit
from security.web.desk import Desk


def note(desk: Desk, action: str, object_id: str = "", **detail: object) -> None:
    """Write down that who stands at the desk did something. Needs the open unit of work of the deed."""
    audit.record(
        actor=desk.actor,
        action=action,
        object_id=object_id,
        detail=detail,
        book_id=desk.book.pk,
        merchant_id=desk.merchant.pk,
    )
