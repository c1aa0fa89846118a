"""Pairs who may be one person, merged or told apart; and a merge undone."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from members.directory import duplicates, finding, merging, queries
from members.directory.models import Member
from members.features import queries as features
from members.web import words
from members.web.members import TEXT_MAX
from members.web.standing import hand, object_id
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import NotFound
from security.web import forms, lists
from security.web.desk import Desk, desk_page

FOUND_MAX = 10


@require_safe
@desk_page("member.merge")
def pairs(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The pairs that nobody answered yet, newest first."""
    with tenancy.within(desk.book.pk):
        page = lists.page(queries.duplicates(), request, prefix="dup")
        shown = [(_pair(row.member), _pair(row.other)) for row in page.rows]
        about = queries.about([each["row"].pk for pair in shown for each in pair])
    rows = [
        {
            "id": ids.show("dup", row.pk),
            "row": row,
            "reason": words.REASONS[row.reason],
            "people": [{**each, "about": about[each["row"].pk]} for each in pair],
        }
        for row, pair in zip(page.rows, shown, strict=True)
    ]
    return desk.render(request, "members/duplicates.html", {"pairs": rows, "ways": page.ways, "form": forms.DeskForm()})


@require_POST
@desk_page("member.merge")
def dismiss(request: HttpRequest, desk: Desk, duplicate: str) -> HttpResponse:
    """They are two people."""
    duplicate_id = object_id("dup", duplicate)
    back = desk.url("member_duplicates")

    def close() -> str:
        duplicates.dismiss(duplicate_id=duplicate_id, now=desk.now)
        hand(desk).sign("member.told_apart", duplicate)
        return back

    return forms.press(request, desk, close, back=back, words=_("They stay two members."))


@desk_page("member.merge")
def merge(request: HttpRequest, desk: Desk, member: str) -> HttpResponse:
    """Merge a member into another one: found, shown side by side, then done."""
    loser_id = object_id("mem", member)
    into = request.GET.get("into", "")
    text = request.GET.get("q", "")[:TEXT_MAX].replace("\x00", "").strip()
    with tenancy.within(desk.book.pk):
        loser = queries.find(loser_id)
        winner = _winner(into, loser)
        found = [] if winner else _found(text, loser, desk)
        people = [loser, winner] if winner else [loser]
        about = queries.about([each.pk for each in (*people, *found)])
        figures = features.of_many([each.pk for each in people], now=desk.now)
    if request.method == "POST" and winner is not None:
        winner_id = winner.pk

        def join() -> str:
            merging.merge(loser_id=loser_id, winner_id=winner_id, hand=hand(desk))
            return desk.url("member", member=into)

        return forms.press(request, desk, join, back=request.get_full_path(), words=_("The two are one member now."))
    shown = [{**_pair(each), "about": about[each.pk], "figures": figures[each.pk]} for each in people]
    context: dict[str, Any] = {
        "form": forms.DeskForm(),
        "member_id": member,
        "loser": shown[0],
        "winner": shown[1] if winner else None,
        "text": text,
        "found": [{**_pair(each), "about": about[each.pk]} for each in found],
        "may_merge": loser.is_active,
    }
    # Sent without anybody to merge into, it asks again.
    return desk.render(request, "members/merge.html", context, status=400 if request.method == "POST" else 200)


@desk_page("member.merge")
def undo(request: HttpRequest, desk: Desk, merge: str) -> HttpResponse:
    """Take a merge back: ask first."""
    merge_id = object_id("mrg", merge)
    with tenancy.within(desk.book.pk):
        row = merging.find(merge_id)
    back = desk.url("member", member=ids.show("mem", row.winner_id))
    if request.method == "POST":

        def part() -> str:
            merging.undo(merge_id=merge_id, hand=hand(desk))
            return desk.url("member", member=ids.show("mem", row.loser_id))

        return forms.press(request, desk, part, back=back, words=_("They are two members again."))
    context = {"form": forms.DeskForm(), "winner": _pair(row.winner), "loser": _pair(row.loser), "back": back}
    return desk.render(request, "members/unmerge.html", context)


def _winner(shown: str, loser: Member) -> Member | None:
    try:
        winner = queries.find(ids.parse("mem", shown))
    except (ids.MalformedId, NotFound):
        return None
    return winner if winner.is_active and winner.pk != loser.pk else None


def _found(text: str, loser: Member, desk: Desk) -> list[Member]:
    if not text:
        return []
    found = finding.found(text, hand=hand(desk))
    order = (found.column, "pk") if found.column else ("-pk",)
    rows = found.rows.filter(status="active").exclude(pk=loser.pk)
    return list(rows.order_by(*order)[:FOUND_MAX])


def _pair(member: Member) -> dict[str, Any]:
    return {
        "id": ids.show("mem", member.pk),
        "row": member,
        "name": member.customer.name or member.number,
        "source": words.SOURCES[member.source],
    }
