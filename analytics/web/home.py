"""Home: how the business goes, what waits, and what came in last.

Who may see sales sees the period's sums; who may not sees the day in counts, and the
payments that the role works with. Three statements for the sums, two for the latest
payments, one each for the setup guide and for what waits.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from analytics.insights import queries
from analytics.insights.periods import Period
from analytics.setup_guide import operations as setup_guide
from analytics.web import export, forms, latest, overview, setup
from merchant_platform.kernel import tenancy
from security.web import attention, navigation
from security.web.desk import Desk, desk_page


@require_safe
@desk_page()
def page(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The first page of a merchant's dashboard."""
    urls = navigation.pages(desk)
    shown: dict[str, Any] = {"urls": urls, "waiting": attention.waiting(desk)}
    choice = forms.read(request.GET, zone=desk.zone, now=desk.now)
    with tenancy.within(desk.book.pk):
        shown["setup"] = setup.read(desk, urls)
        if desk.may("sales.view"):
            shown |= {"choice": choice, "presets": forms.PRESETS, "hours": range(queries.HOURS)}
            shown |= {"files": "home_numbers", "address": choice.address}
            shown["overview"] = overview.read(desk, choice, payments_url=urls.get("payments", ""))
        else:
            shown["today"] = _today(desk)
        if desk.may("payment.view"):
            shown["latest"] = latest.read(desk, has_page="payments" in urls)
    return desk.render(request, "home/page.html", shown)


@require_safe
@desk_page("sales.view")
def numbers(request: HttpRequest, desk: Desk, chart: str) -> HttpResponse:
    """A chart's numbers as a file, the same as its table shows. 404 for a chart that there is not."""
    if chart not in export.CHARTS:
        raise Http404
    choice = forms.read(request.GET, zone=desk.zone, now=desk.now)
    with tenancy.within(desk.book.pk):
        shown = overview.read(desk, choice, payments_url="")
    return export.file(chart, shown, choice.period)


@require_POST
@desk_page()
def guide(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Put the setup guide away, or bring it back, for this person alone."""
    with tenancy.within(desk.book.pk):
        if request.POST.get("act") == "bring_back":
            setup_guide.bring_back(staff=desk.staff)
        else:
            setup_guide.dismiss(staff=desk.staff, now=desk.now)
    return HttpResponseRedirect(desk.url("home"))


def _today(desk: Desk) -> list[tuple[str, str]]:
    period = Period.of_days(1, zone=desk.zone, now=desk.now)
    return overview.today(queries.count(period))
