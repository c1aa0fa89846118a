"""The points programme at the desk: what it costs and owes, its terms and their editor, a member's points."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from members.directory import queries as directory
from members.loyalty import operations, queries, runs, simulator
from members.loyalty import terms as written
from members.loyalty.models import Programme, Run
from members.loyalty.terms import Terms
from members.offers import queries as offers
from members.web import item_rules
from members.web.programme_forms import AdjustForm, BudgetForm, ProgrammeForm
from members.web.programme_words import KINDS, RUNS, rule_words
from members.web.standing import object_id
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from payments.ledger import operations as ledger
from payments.origin import Origin
from security.audit import operations as audit
from security.merchants.models import LIVE, TEST
from security.web import forms
from security.web.desk import Desk, desk_page

RUNS_SHOWN, STATEMENT_LINES = 6, 20
# What a new programme proposes: a point a yuan, worth a fen.
PROPOSED = Terms(rules=({"kind": "spend", "points": 1, "per_minor": 100},))
forms.WORDS |= {
    operations.NameTaken: gettext_lazy("There is a programme of this name already."),
    operations.NotEnoughPoints: gettext_lazy("The member does not have so many points."),
    operations.BudgetExceeded: gettext_lazy("The budget does not allow so many. Raise it first."),
    operations.ProgrammeClosed: gettext_lazy("This programme is closed."),
    operations.Changed: gettext_lazy("Somebody changed the terms meanwhile. Open them again."),
    runs.AlreadyRunning: gettext_lazy("This is under way already."),
    written.BadTerms: gettext_lazy("Something in the terms does not fit together. Look at each number once more."),
    ledger.AlreadyPosted: gettext_lazy("This was done before."),
}


@require_safe
@desk_page("programme.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The programme: what members hold by age, budget, terms, tiers and runs. Some fifteen statements."""
    with tenancy.within(desk.book.pk):
        every = queries.programmes()
        shown = _chosen(request, every)
        if shown is None:
            return desk.render(request, "programme/empty.html")
        held = queries.terms(shown)
        products = offers.product_names([each["product"] for each in item_rules.kept(held)])
        context = {
            "programme": shown,
            "programmes": [(ids.show("prog", each.pk), each, each.pk == shown.pk) for each in every],
            "shown_id": ids.show("prog", shown.pk),
            "terms": held,
            "rules": [rule_words(each, shown.currency, held, products) for each in held.rules],
            "percents": {each["tier"]: each["percent"] for each in held.rules if each["kind"] == "tier"},
            "liability": queries.liability(shown, now=desk.now),
            "budget_left": queries.budget_left(shown),
            "runs": [
                (RUNS[each.kind], each) for each in Run.objects.filter(programme=shown).order_by("-pk")[:RUNS_SHOWN]
            ],
            "form": BudgetForm(initial={"points": queries.budget_left(shown)}),
        }
    return desk.render(request, "programme/detail.html", context)


@desk_page("programme.edit")
def new(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Start a programme."""
    with tenancy.within(desk.book.pk):
        form = ProgrammeForm(request.POST or None, currency=desk.merchant.default_currency, terms=PROPOSED)
        form.is_valid()
    return _edit(request, desk, form, None)


@desk_page("programme.edit")
def edit(request: HttpRequest, desk: Desk, programme: str) -> HttpResponse:
    """Change its terms: what they would have cost last month is shown before they are saved."""
    with tenancy.within(desk.book.pk):
        row = queries.programme(object_id("prog", programme))
        held = queries.terms(row)
        form = ProgrammeForm(
            request.POST or None, currency=row.currency, terms=held, programme=row, seen=str(row.terms_version)
        )
        form.is_valid()
    return _edit(request, desk, form, row)


def _edit(request: HttpRequest, desk: Desk, form: ProgrammeForm, row: Programme | None) -> HttpResponse:
    simulated: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("act") == "simulate":
                simulated = _simulate(desk, form, row)
            else:
                response = forms.submit(request, desk, lambda: _save(desk, form, row))
                messages.success(request, _("The programme was saved."))
                return response
        except PlatformError as refused:
            form.refuse(refused)
    form.focus_first_error()
    with tenancy.within(desk.book.pk):
        goods = item_rules.goods()
    back = desk.url("programme") if row is None else _url(desk, row)
    context = {"form": form, "programme": row, "back": back, "goods": goods, **simulated}
    return desk.render(request, "programme/form.html", context)


def _save(desk: Desk, form: ProgrammeForm, row: Programme | None) -> str:
    origin = Origin(livemode=desk.book.livemode)
    if row is None:
        saved = operations.start(
            name=form.cleaned_data["name"],
            currency=desk.merchant.default_currency,
            given=form.terms(),
            mode=LIVE if desk.book.livemode else TEST,
            now=desk.now,
            origin=origin,
        )
    else:
        saved = operations.change(
            programme_id=row.pk,
            name=form.cleaned_data["name"],
            given=form.terms(),
            seen_version=int(form.seen) if form.seen.isdecimal() else None,
            now=desk.now,
            origin=origin,
        )
        if saved.terms_version != row.terms_version:
            _begin(saved, Run.RETIER, desk)
    _sign(desk, "programme.start" if row is None else "programme.edit", saved, version=saved.terms_version)
    return _url(desk, saved)


def _begin(programme: Programme, kind: str, desk: Desk) -> None:
    """Members' tiers follow new terms; where that is under way already, it goes on with these."""
    if not Run.objects.filter(programme=programme, kind=kind, finished_at=None).update(cursor=None, done_count=0):
        runs.begin(programme_id=programme.pk, kind=kind, now=desk.now)


def _simulate(desk: Desk, form: ProgrammeForm, row: Programme | None) -> dict[str, Any]:
    """What last month would have cost, by the draft and by the terms that hold."""
    draft = written.read(form.terms())
    with tenancy.within(desk.book.pk):
        costs = [(_("This draft"), simulator.cost(draft, currency=form.currency, now=desk.now, zone=desk.zone))]
        if row is not None:
            held = queries.terms(row)
            costs.append(
                (_("Today's terms"), simulator.cost(held, currency=form.currency, now=desk.now, zone=desk.zone))
            )
    kinds = [kind for kind in KINDS if any(cost.by_kind[kind] for _name, cost in costs)]
    return {
        "costs": costs,
        "month": costs[0][1].month.start,
        "by_kind": [(KINDS[kind], [cost.by_kind[kind] for _name, cost in costs]) for kind in kinds],
    }


@require_POST
@desk_page("programme.edit")
def set_budget(request: HttpRequest, desk: Desk, programme: str) -> HttpResponse:
    """Say how many points may be granted."""
    with tenancy.within(desk.book.pk):
        row = queries.programme(object_id("prog", programme))
    form = BudgetForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Write a whole number of points."))
        return HttpResponseRedirect(_url(desk, row), status=303)

    def change() -> str:
        points = form.cleaned_data["points"]
        operations.set_budget(programme_id=row.pk, points=points, reference=str(ids.new(desk.now)), now=desk.now)
        _sign(desk, "programme.budget", row, points=points)
        return _url(desk, row)

    return forms.press(request, desk, change, back=_url(desk, row), words=_("The budget was set."))


@require_POST
@desk_page("programme.edit")
def back_fill(request: HttpRequest, desk: Desk, programme: str) -> HttpResponse:
    """Let earlier orders of members earn."""
    with tenancy.within(desk.book.pk):
        row = queries.programme(object_id("prog", programme))

    def begin() -> str:
        runs.begin(programme_id=row.pk, kind=Run.BACKFILL, now=desk.now)
        _sign(desk, "programme.backfill", row)
        return _url(desk, row)

    words = _("Earlier orders are being looked at. You can leave this page.")
    return forms.press(request, desk, begin, back=_url(desk, row), words=words)


@require_POST
@desk_page("programme.edit")
def switch(request: HttpRequest, desk: Desk, programme: str) -> HttpResponse:
    """Close a programme, or open it again: each undoes the other."""
    with tenancy.within(desk.book.pk):
        row = queries.programme(object_id("prog", programme))
    wants_active = request.POST.get("active") == "true"

    def change() -> str:
        operations.change(
            programme_id=row.pk, is_active=wants_active, now=desk.now, origin=Origin(livemode=desk.book.livemode)
        )
        _sign(desk, "programme.open" if wants_active else "programme.close", row)
        return _url(desk, row)

    words = _("The programme is open again.") if wants_active else _("The programme was closed.")
    return forms.press(request, desk, change, back=_url(desk, row), words=words)


@desk_page("member.view")
def member_points(request: HttpRequest, desk: Desk, member: str) -> HttpResponse:
    """A member's points: what they have, their tier, every entry, and an adjustment."""
    with tenancy.within(desk.book.pk):
        row = directory.alive(object_id("mem", member))
        every = queries.programmes()
        shown = _chosen(request, every)
    if shown is None:
        raise Http404
    form = AdjustForm(request.POST or None)
    back = desk.url("member_points", member=ids.show("mem", row.pk)) + f"?programme={ids.show('prog', shown.pk)}"
    if request.method == "POST":
        if not desk.may("points.adjust"):
            return desk.render(request, "dashboard/forbidden.html", status=403)
        if form.is_valid():

            def adjust() -> str:
                given = form.cleaned_data
                operations.adjust(
                    programme=shown,
                    member_id=row.pk,
                    points=given["points"],
                    reason=given["reason"],
                    reference=f"points_adjustment:{ids.new(desk.now)}",
                    now=desk.now,
                    origin=Origin(livemode=desk.book.livemode),
                )
                _sign(desk, "points.adjust", shown, object_id=ids.show("mem", row.pk), **given)
                return back

            if done := forms.send(request, desk, form, adjust, words=_("The points were adjusted.")):
                return done
        form.focus_first_error()
    with tenancy.within(desk.book.pk):
        context = {
            "member": row,
            "member_shown": ids.show("mem", row.pk),
            "programme": shown,
            "programmes": [(ids.show("prog", each.pk), each, each.pk == shown.pk) for each in every],
            "points": queries.balance(row.pk, shown),
            "tier": queries.tier(row.pk, shown, now=desk.now),
            "waiting": queries.waiting(row.pk, shown),
            "lots": queries.lots(row.pk, shown, most=STATEMENT_LINES),
            "lines": [
                (KINDS.get(line.kind, line.kind), line)
                for line in queries.statement(row.pk, shown, limit=STATEMENT_LINES)
            ],
            "form": form,
        }
    return desk.render(request, "programme/member.html", context)


def _chosen(request: HttpRequest, every: list[Programme]) -> Programme | None:
    wanted = request.GET.get("programme", "")
    return next((each for each in every if ids.show("prog", each.pk) == wanted), every[0] if every else None)


def _url(desk: Desk, programme: Programme) -> str:
    return f"{desk.url('programme')}?programme={ids.show('prog', programme.pk)}"


def _sign(desk: Desk, action: str, programme: Programme, *, object_id: str = "", **detail: Any) -> None:
    audit.record(
        actor=desk.actor,
        action=action,
        object_id=object_id or ids.show("prog", programme.pk),
        detail=detail,
        book_id=desk.book.pk,
        merchant_id=desk.merchant.pk,
    )
