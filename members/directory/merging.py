"""Two members turn out to be one person: the loser becomes an alias of the winner, and can come back.

Nothing that happened is rewritten. Orders and payments stay the loser's customer's, and
are found through the alias; contacts stay in its row. What must be in one place goes over
to the winner and is noted, so that undoing the merge gives back exactly that.
"""

from uuid import UUID

from members.directory import operations, ports, queries
from members.directory.hand import Hand
from members.directory.models import ACTIVE, MERGED, Duplicate, Member, MemberTag, Merge
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import WrongState, missing
from security.privacy import queries as allowed
from security.privacy.wording import PERSONALISATION


class SameMember(WrongState):
    """A member is not merged into itself."""

    code = "member_unexpected_state"


class NotMergeable(WrongState):
    """One of the two is no member any more, or was merged before."""

    code = "member_unexpected_state"


class NotUndoable(WrongState):
    """The merge was undone before, or a later one stands on it."""

    code = "member_unexpected_state"


def merge(*, loser_id: UUID, winner_id: UUID, hand: Hand) -> Merge:
    """Say that two members are one. This will write the merge, let each room move what is its own, and tell it.

    Raises NotFound, SameMember, NotMergeable.
    """
    loser, winner = _both(loser_id, winner_id)
    if loser_id == winner_id:
        raise SameMember("A member cannot be merged into itself.", param="into")
    if not (loser.is_active and winner.is_active):
        raise NotMergeable("Both have to be members, and neither merged before.")
    moved = {
        "aliases": [str(each.pk) for each in queries.aliases(loser_id)],
        "tags": _give_tags(loser_id, winner_id, hand),
        "filled": _fill(loser, winner),
    }
    Member.objects.filter(merged_into_id=loser_id).update(merged_into=winner)
    loser.status, loser.merged_into = MERGED, winner
    loser.save(update_fields=["status", "merged_into"])
    merged = Merge.objects.create(
        id=ids.new(hand.now),
        book_id=loser.book_id,
        loser=loser,
        winner=winner,
        moved=moved,
        staff_id=hand.staff_id,
        merged_at=hand.now,
    )
    pairs = Duplicate.objects.filter(closed_at__isnull=True)
    for column in ("member_id", "other_id"):
        pairs.filter(**{column: loser_id}).update(closed_at=hand.now, merge=merged)
    for port in ports.mergings():
        port(loser=loser, winner=winner, now=hand.now, undo=False)
    operations.tell("member.merged", loser_id, previous={"status": ACTIVE}, now=hand.now, origin=hand.origin)
    operations.tell("member.updated", winner_id, previous=None, now=hand.now, origin=hand.origin)
    hand.sign("member.merge", ids.show("mem", winner_id), loser=ids.show("mem", loser_id))
    return merged


def undo(*, merge_id: UUID, hand: Hand) -> Merge:
    """Say that they are two after all. This will bring the loser back with what went over, and tell both.

    Raises NotFound and NotUndoable.
    """
    merged = find(merge_id)
    loser, winner = _both(merged.loser_id, merged.winner_id)
    merged.refresh_from_db()
    if merged.undone_at is not None or loser.merged_into_id != winner.pk or not winner.is_active:
        raise NotUndoable("This merge was undone before, or its winner was merged since: undo that first.")
    loser.status, loser.merged_into = ACTIVE, None
    loser.save(update_fields=["status", "merged_into"])
    Member.objects.filter(pk__in=merged.moved["aliases"], merged_into=winner).update(merged_into=loser)
    MemberTag.objects.filter(member_id=winner.pk, pk__in=merged.moved["tags"]).delete()
    _empty(loser, winner, merged.moved["filled"])
    Duplicate.objects.filter(merge=merged).update(closed_at=None, merge=None)
    for port in reversed(list(ports.mergings())):
        port(loser=loser, winner=winner, now=hand.now, undo=True)
    merged.undone_at = hand.now
    merged.save(update_fields=["undone_at"])
    for member_id in (loser.pk, winner.pk):
        previous = {"status": MERGED} if member_id == loser.pk else None
        operations.tell("member.updated", member_id, previous=previous, now=hand.now, origin=hand.origin)
    hand.sign("member.unmerge", ids.show("mem", winner.pk), loser=ids.show("mem", loser.pk))
    return merged


def find(merge_id: UUID) -> Merge:
    """A merge of the open book, with its two members. Raises NotFound."""
    merged = Merge.objects.select_related("loser__customer", "winner__customer").filter(pk=merge_id).first()
    if merged is None:
        raise missing("merge", ids.show("mrg", merge_id))
    return merged


def _both(loser_id: UUID, winner_id: UUID) -> tuple[Member, Member]:
    """Both rows, locked in the order of their ids. Raises NotFound.

    Not against who only refers to them: rows of points, written under a purse's lock, would wait here for us.
    """
    list(Member.objects.select_for_update(no_key=True).filter(pk__in=[loser_id, winner_id]).order_by("pk"))
    return queries.find(loser_id), queries.find(winner_id, param="into")


def _give_tags(loser_id: UUID, winner_id: UUID, hand: Hand) -> list[str]:
    """Put the loser's tags on the winner too. Gives the rows that were made."""
    has = MemberTag.objects.filter(member_id=winner_id).values("tag_id")
    given = [
        MemberTag(
            id=ids.new(hand.now),
            book_id=tenancy.book_id(),
            member_id=winner_id,
            tag_id=tag_id,
            created_at=hand.now,
        )
        for tag_id in MemberTag.objects.filter(member_id=loser_id).exclude(tag_id__in=has).values_list("tag", flat=True)
    ]
    MemberTag.objects.bulk_create(given)
    return [str(each.pk) for each in given]


def _fill(loser: Member, winner: Member) -> list[str]:
    """Give the winner what it lacks and the loser has. Gives the names of the columns."""
    filled = []
    if winner.household_id is None and loser.household_id is not None:
        winner.household = loser.household
        filled.append("household")
    if winner.birthday is None and loser.birthday and allowed.allows(winner.customer_id, PERSONALISATION):
        winner.birthday = loser.birthday
        filled.append("birthday")
    if filled:
        winner.save(update_fields=filled)
    return filled


def _empty(loser: Member, winner: Member, filled: list[str]) -> None:
    """Take back what the winner was given, where nobody changed it since."""
    still = [name for name in filled if getattr(winner, name) == getattr(loser, name)]
    for name in still:
        setattr(winner, name, None)
    if still:
        winner.save(update_fields=still)
