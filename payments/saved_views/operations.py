"""Save, remove and bring back views of a list."""

from uuid import UUID

from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, missing
from payments.hand import Hand
from payments.saved_views.models import NAME_MAX, QUERY_MAX, SavedView

VIEWS_MAX = 30


class NameInvalid(Invalid):
    """A view needs a name, of so many characters at most."""


class NameTaken(Invalid):
    """This person has a view of that name."""


class TooManyViews(Invalid):
    """Nobody finds anything among so many."""


def save(*, page: str, name: str, query: str, is_shared: bool, staff_id: UUID, hand: Hand) -> SavedView:
    """Save a list's filters under a name. This will write them. Raises NameInvalid, NameTaken and TooManyViews."""
    name = name.strip()
    if not name or len(name) > NAME_MAX or "\x00" in name:
        raise NameInvalid(f"A name has between 1 and {NAME_MAX} characters.", param="name")
    if len(query) > QUERY_MAX:
        raise NameInvalid("These filters are too long to be saved.", param="name")
    own = SavedView.objects.filter(page=page, staff_id=staff_id, deleted_at__isnull=True)
    if own.count() >= VIEWS_MAX:
        raise TooManyViews(f"You can have {VIEWS_MAX} views of a list.", param="name")
    try:
        with transaction.atomic():
            view = SavedView.objects.create(
                id=ids.new(hand.now),
                book_id=tenancy.book_id(),
                page=page,
                staff_id=staff_id,
                name=name,
                query=query,
                is_shared=is_shared,
                created_at=hand.now,
            )
    except IntegrityError as error:
        raise NameTaken("You have a view of that name.", param="name") from error
    hand.sign("view.save", ids.show("view", view.pk), page=page, is_shared=is_shared)
    return view


def remove(*, view_id: UUID, staff_id: UUID, hand: Hand) -> SavedView:
    """Remove one's own view. This will hide it until it is brought back. Raises NotFound."""
    view = _own(view_id, staff_id)
    if view.deleted_at is None:
        view.deleted_at = hand.now
        view.save(update_fields=["deleted_at"])
        hand.sign("view.remove", ids.show("view", view.pk), page=view.page)
    return view


def bring_back(*, view_id: UUID, staff_id: UUID, hand: Hand) -> SavedView:
    """Undo a removal. This will show the view again. Raises NotFound, and NameTaken by a newer view of that name."""
    view = _own(view_id, staff_id)
    if view.deleted_at is not None:
        view.deleted_at = None
        try:
            with transaction.atomic():
                view.save(update_fields=["deleted_at"])
        except IntegrityError as error:
            raise NameTaken("You have a view of that name.", param="name") from error
        hand.sign("view.bring_back", ids.show("view", view.pk), page=view.page)
    return view


def _own(view_id: UUID, staff_id: UUID) -> SavedView:
    view = SavedView.objects.select_for_update().filter(pk=view_id, staff_id=staff_id).first()
    if view is None:
        raise missing("saved view", ids.show("view", view_id))
    return view
