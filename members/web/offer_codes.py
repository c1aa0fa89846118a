"""An offer's codes: made by the dozen, listed, taken away as a sheet, switched off."""

from typing import Any
from uuid import UUID

from django import forms as django_forms
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from members.offers import codes, queries
from members.offers.codes import BATCH_MAX, PREFIX_LENGTH_MAX, CodeDraft
from members.offers.models import Offer
from members.web import offers
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import PlatformError
from payments.origin import Origin
from payments.web.dashboard import sheets
from security.web import deeds, forms, lists
from security.web.desk import Desk, desk_page

BATCH_ROWS = 500


class CodesForm(forms.DeskForm):
    """How many codes, of which look, for how many uses each."""

    count = django_forms.IntegerField(
        label=gettext_lazy("How many"),
        min_value=1,
        max_value=BATCH_MAX,
        initial=100,
        widget=django_forms.NumberInput(attrs={"class": "input"}),
    )
    start = django_forms.CharField(label=gettext_lazy("They begin with"), max_length=PREFIX_LENGTH_MAX, required=False)
    uses = django_forms.IntegerField(
        label=gettext_lazy("Uses of each"),
        min_value=1,
        max_value=1_000_000,
        initial=1,
        widget=django_forms.NumberInput(attrs={"class": "input"}),
    )


@desk_page("offer.edit")
def make(request: HttpRequest, desk: Desk, offer: str) -> HttpResponse:
    """Make many at once."""
    with tenancy.within(desk.book.pk):
        row = offers.find(offer)
    form = CodesForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def generate() -> str:
            codes.generate(
                offer=row,
                draft=CodeDraft(redemptions_max=given["uses"]),
                count=given["count"],
                prefix=given["start"],
                now=desk.now,
            )
            deeds.note(desk, "offer.codes", offer, count=given["count"])
            return desk.url("offer_codes", offer=offer)

        try:
            return forms.submit(request, desk, generate)
        except PlatformError as refused:
            form.refuse(refused, {"max_redemptions": "uses", "prefix": "start"})
    form.focus_first_error()
    return desk.render(
        request, "offers/codes_form.html", {"form": form, "offer": row, "back": desk.url("offer", offer=offer)}
    )


@require_safe
@desk_page("offer.view")
def index(request: HttpRequest, desk: Desk, offer: str) -> HttpResponse:
    """An offer's codes, newest first."""
    with tenancy.within(desk.book.pk):
        row = offers.find(offer)
        page = lists.page(queries.promotion_codes().filter(offer=row), request, prefix="promo")
    return desk.render(
        request,
        "offers/codes.html",
        {
            "offer": row,
            "shown_id": offer,
            "codes": [(ids.show("promo", each.pk), each) for each in page.rows],
            "ways": page.ways,
            "form": forms.DeskForm(),
        },
    )


@require_POST
@desk_page("offer.edit")
def switch(request: HttpRequest, desk: Desk, offer: str, promotion: str) -> HttpResponse:
    """Switch a code off or on again."""
    with tenancy.within(desk.book.pk):
        row = offers.find(offer)
        found = _find(row, promotion)
    is_active = request.POST.get("active") == "true"

    def press() -> str:
        codes.update(
            code_id=found, is_active=is_active, metadata=None, now=desk.now, origin=Origin(livemode=desk.book.livemode)
        )
        deeds.note(desk, "offer.code_on" if is_active else "offer.code_off", offer, code=promotion)
        return desk.url("offer_codes", offer=offer)

    back = desk.url("offer_codes", offer=offer)
    return forms.press(request, desk, press, back=back, words=_("The code was changed."))


@require_POST
@desk_page("offer.edit")
def export(request: HttpRequest, desk: Desk, offer: str) -> HttpResponseBase:
    """All codes of an offer as a sheet: whoever has it can use them, so that it is written down who took it."""
    with tenancy.within(desk.book.pk):
        row = offers.find(offer)
        deeds.note(desk, "offer.codes_export", offer)
    zone = desk.zone

    def batch(cursor: UUID | None) -> tuple[list[list[Any]], UUID | None]:
        rows = queries.promotion_codes().filter(offer_id=row.pk)
        if cursor is not None:
            rows = rows.filter(pk__lt=cursor)
        found = list(rows.order_by("-pk")[:BATCH_ROWS])
        lines = [
            [
                each.code,
                _("yes") if each.is_active else _("no"),
                each.redeemed_count,
                "" if each.redemptions_max is None else each.redemptions_max,
                sheets.moment(each.expires_at, zone) if each.expires_at else "",
                sheets.moment(each.created_at, zone),
            ]
            for each in found
        ]
        return lines, found[-1].pk if len(found) == BATCH_ROWS else None

    titles = [_("Discount code"), _("Active"), _("Used"), _("Uses at the most"), _("Expires"), _("Made")]
    return sheets.stream(name="codes", book_id=desk.book.pk, titles=titles, batch=batch)


def _find(offer: Offer, shown: str) -> UUID:
    try:
        found = queries.promotion_codes().filter(offer=offer, pk=ids.parse("promo", shown)).first()
    except ids.MalformedId as malformed:
        raise Http404 from malformed
    if found is None:
        raise Http404
    return found.pk
