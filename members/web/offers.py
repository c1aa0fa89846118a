"""Offers: listed with what they gave, made and changed with a cart to try them on, started, paused and ended."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from members.loyalty import queries as loyalty
from members.offers import codes, frames, objects, operations, queries, states
from members.offers.codes import CodeDraft
from members.offers.frames import Terms
from members.offers.models import Offer
from members.offers.summary import KINDS, summary
from members.web import offer_preview
from members.web.offer_forms import OfferForm
from members.web.offer_initial import initial_of
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.states import WrongState
from payments.origin import Origin
from security.audit import queries as audited
from security.merchants import queries as merchants
from security.web import deeds, forms, lists
from security.web.desk import Desk, desk_page
from security.web.parts import Tab

HISTORY_MAX, LATEST_MAX = 10, 10
TABS: dict[str, Any] = {
    states.ACTIVE: gettext_lazy("Running"),
    states.PAUSED: gettext_lazy("Paused"),
    states.DRAFT: gettext_lazy("Drafts"),
    states.ENDED: gettext_lazy("Ended"),
}
BADGES: dict[str, tuple[str, Any]] = {
    states.ACTIVE: ("success", gettext_lazy("Running")),
    states.PAUSED: ("warning", gettext_lazy("Paused")),
    states.DRAFT: ("neutral", gettext_lazy("Draft")),
    states.ENDED: ("neutral", gettext_lazy("Ended")),
    "not_started": ("info", gettext_lazy("To begin")),
    "used_up": ("neutral", gettext_lazy("Used up")),
}
# A button, and what it makes of an offer.
ACTS: dict[str, tuple[str, Any]] = {
    "start": (states.ACTIVE, gettext_lazy("The offer runs.")),
    "pause": (states.PAUSED, gettext_lazy("The offer is paused.")),
    "resume": (states.ACTIVE, gettext_lazy("The offer runs again.")),
    "end": (states.ENDED, gettext_lazy("The offer has ended.")),
}
forms.WORDS[operations.OfferEnded] = gettext_lazy("This offer has ended: make a new one.")
forms.WORDS[operations.LimitTooLow] = gettext_lazy("More than that was used already.")
forms.WORDS[codes.CodeTaken] = gettext_lazy("Another code reads the same.")
forms.WORDS[codes.CodeInvalid] = gettext_lazy("A code has letters, digits and dashes.")
forms.WORDS[codes.CouponOver] = gettext_lazy("This offer has ended: no code leads to it any more.")
forms.WORDS[WrongState] = gettext_lazy("It is in no state for that any more. Look at it again.")


@require_safe
@desk_page("offer.view")
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The list, by state, newest first. Eleven statements."""
    tab = lists.chosen(request, "tab", TABS, states.ACTIVE)
    with tenancy.within(desk.book.pk):
        page = lists.page(queries.listed(status=tab), request, prefix="offer")
        tabs = [
            Tab(
                title,
                lists.query(request, tab=None if name == states.ACTIVE else name),
                lists.counted(queries.listed(status=name)),
                name == tab,
            )
            for name, title in TABS.items()
        ]
    return desk.render(
        request,
        "offers/list.html",
        {"offers": [_line(row, desk) for row in page.rows], "tabs": tabs, "tab": tab, "ways": page.ways},
    )


@require_safe
@desk_page("offer.edit")
def kinds(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Which kind of offer it is to be."""
    return desk.render(request, "offers/kinds.html", {"kinds": [(name, *words) for name, words in KINDS.items()]})


@desk_page("offer.edit")
def new(request: HttpRequest, desk: Desk, kind: str) -> HttpResponse:
    """Make one, with a cart to try it on."""
    _known(kind)
    with tenancy.within(desk.book.pk):
        form = _form(request, desk, kind)
        is_ready = request.method == "POST" and form.is_valid()
    if is_ready and request.POST.get("act") != "preview":

        def make() -> str:
            offer = operations.create(
                draft=form.draft(), is_active=request.POST.get("act") == "start", now=desk.now, origin=_origin(desk)
            )
            if offer.trigger == frames.CODE and form.cleaned_data.get("code"):
                draft = CodeDraft(code=form.cleaned_data["code"])
                codes.create(offer=offer, draft=draft, now=desk.now, origin=_origin(desk))
            return _done(desk, "offer.create", offer)

        if done := forms.send(request, desk, form, make, words=_("The offer was made.")):
            return done
    return _editor(request, desk, form, kind=kind)


@desk_page("offer.edit")
def edit(request: HttpRequest, desk: Desk, offer: str) -> HttpResponse:
    """Change one: that is a new version, and what was seen must still stand."""
    with tenancy.within(desk.book.pk):
        row = find(offer)
        form = _form(request, desk, row.kind, offer=row)
        is_ready = request.method == "POST" and form.is_valid()
    if is_ready and request.POST.get("act") != "preview":

        def change() -> str:
            operations.change(offer_id=row.pk, draft=form.draft(), now=desk.now, origin=_origin(desk), seen=form.seen)
            return _done(desk, "offer.edit", row, fields=sorted(form.changed_data))

        if done := forms.send(
            request, desk, form, change, words=_("The offer was changed. Past orders keep what they had.")
        ):
            return done
    return _editor(request, desk, form, kind=row.kind, offer=row)


@require_POST
@desk_page("offer.edit")
def preview(request: HttpRequest, desk: Desk, kind: str) -> HttpResponse:
    """The sample cart, priced by what stands in the form just now. Writes nothing."""
    _known(kind)
    with tenancy.within(desk.book.pk):
        row = find(request.POST["offer"]) if request.POST.get("offer") else None
        form = _form(request, desk, kind, offer=row)
        context = offer_preview.context(request, desk, form)
    return desk.render(request, "offers/_preview.html", context)


@require_safe
@desk_page("offer.view")
def detail(request: HttpRequest, desk: Desk, offer: str) -> HttpResponse:
    """All that is known of one: what it says, what it gave, its codes. Thirteen statements."""
    with tenancy.within(desk.book.pk):
        row = find(offer)
        terms = Terms.read(row.terms)
        latest = list(queries.latest(row.pk)[:LATEST_MAX])
        context = {
            "offer": row,
            "shown_id": offer,
            "terms": terms,
            "summary": summary(terms),
            "kind": KINDS[row.kind][0],
            "badge": _badge(row, desk),
            "held_count": queries.held_count(row.pk),
            "latest": [(ids.show("ord", each.order_id), each) for each in latest],
            "codes": list(queries.promotion_codes().filter(offer=row).order_by("-pk")[:LATEST_MAX]),
            "codes_count": lists.counted(queries.promotion_codes().filter(offer=row)),
            "products": queries.product_names([*terms.products, *_parts(terms)]),
            "store_names": _store_names(desk, terms),
            "tier_names": _tier_names(terms),
            "acts": _acts(row),
            "form": forms.DeskForm(seen=row.seen),
            "now_valid": objects.is_valid(row, desk.now),
            "currency": desk.merchant.default_currency,
            "history": list(
                audited.records(
                    merchant_id=desk.merchant.pk, book_id=desk.book.pk, search=audited.Search(object_id=offer)
                )[:HISTORY_MAX]
            ),
        }
    return desk.render(request, "offers/detail.html", context)


@require_POST
@desk_page("offer.edit")
def act(request: HttpRequest, desk: Desk, offer: str) -> HttpResponse:
    """Start, pause, resume or end one."""
    wanted = request.POST.get("act", "")
    if wanted not in ACTS:
        raise Http404
    status, words = ACTS[wanted]
    with tenancy.within(desk.book.pk):
        row = find(offer)

    def press() -> str:
        operations.set_status(
            offer_id=row.pk, status=status, now=desk.now, origin=_origin(desk), seen=request.POST.get(forms.SEEN)
        )
        return _done(desk, f"offer.{wanted}", row)

    return forms.press(request, desk, press, back=desk.url("offer", offer=offer), words=str(words))


def find(shown: str) -> Offer:
    """The offer of an id. Raises Http404."""
    try:
        row = queries.listed().filter(pk=ids.parse("offer", shown)).first()
    except ids.MalformedId as malformed:
        raise Http404 from malformed
    if row is None:
        raise Http404
    return row


def _known(kind: str) -> None:
    if kind not in frames.KINDS:
        raise Http404


def _form(request: HttpRequest, desk: Desk, kind: str, *, offer: Offer | None = None) -> OfferForm:
    currency, zone = desk.merchant.default_currency, desk.zone
    initial: Mapping[str, Any] = {}
    if offer is not None:
        terms = Terms.read(offer.terms)
        others = offer.terms["effect"].get("get_products", ())
        names = queries.product_names([*terms.products, *others, *_parts(terms)])
        initial = initial_of(offer, currency=currency, zone=zone, names=names)
    return OfferForm(
        request.POST or None,
        kind=kind,
        currency=currency,
        zone=zone,
        now=desk.now,
        stores=merchants.open_stores(desk.merchant.pk),
        tiers=loyalty.tier_names(),
        offer=offer,
        seen=offer.seen if offer else "",
        initial=dict(initial),
    )


def _editor(
    request: HttpRequest, desk: Desk, form: OfferForm, *, kind: str, offer: Offer | None = None
) -> HttpResponse:
    form.focus_first_error()
    with tenancy.within(desk.book.pk):
        tried = offer_preview.context(request, desk, form)
    shown = ids.show("offer", offer.pk) if offer else ""
    context = {
        "form": form,
        "kind": kind,
        "kind_name": KINDS[kind][0],
        "offer": offer,
        "shown_id": shown,
        "back": desk.url("offer", offer=shown) if offer else desk.url("offers"),
        **tried,
    }
    return desk.render(request, "offers/form.html", context)


def _line(row: Offer, desk: Desk) -> dict[str, Any]:
    return {
        "id": ids.show("offer", row.pk),
        "row": row,
        "kind": KINDS[row.kind][0],
        "summary": summary(Terms.read(row.terms)),
        "badge": _badge(row, desk),
        "currency": row.terms.get("currency") or desk.merchant.default_currency,
        "is_ending": row.ends is not None and row.ends - desk.now < timedelta(days=2),
    }


def _badge(row: Offer, desk: Desk) -> tuple[str, Any]:
    problem = row.problem(desk.now)
    if problem is None:
        problem = (
            "used_up" if row.uses_left == 0 or row.budget_left_minor == 0 or row.units_left == 0 else states.ACTIVE
        )
    return BADGES[problem]


def _acts(row: Offer) -> list[tuple[str, Any, bool]]:
    """The buttons of a state: name, words, and whether it is the way on."""
    return {
        states.DRAFT: [("start", _("Start"), True), ("end", _("Discard"), False)],
        states.ACTIVE: [("pause", _("Pause"), False), ("end", _("End"), False)],
        states.PAUSED: [("resume", _("Resume"), True), ("end", _("End"), False)],
        states.ENDED: [],
    }[row.status]


def _parts(terms: Terms) -> list[str]:
    return [part["product"] for part in terms.effect.get("parts", ()) if part.get("product")]


def _tier_names(terms: Terms) -> list[str]:
    names = loyalty.tier_names() if terms.member_tiers else {}
    return [names.get(each) or _("A tier that is gone") for each in terms.member_tiers]


def _store_names(desk: Desk, terms: Terms) -> list[str]:
    names = {ids.show("sto", store.pk): store.name for store in merchants.open_stores(desk.merchant.pk)}
    return [names.get(each, each) for each in terms.stores]


def _origin(desk: Desk) -> Origin:
    return Origin(livemode=desk.book.livemode)


def _done(desk: Desk, action: str, offer: Offer, **detail: Any) -> str:
    shown = ids.show("offer", offer.pk)
    deeds.note(desk, action, shown, **detail)
    return desk.url("offer", offer=shown)
