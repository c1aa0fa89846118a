"""The guard of confirm pages: `@step_up("payment.refund", binds=of_refund)`, under `@desk_page` or `@operator_page`.

    def of_refund(request, desk, payment):
        amount = …            # from the address, so that the GET and the POST mean the same act
        return Binding(object_id=payment, amount_minor=amount, currency="cny", payee="…",
                       what=_("Refund ¥12.00"), is_required=amount > LIMIT)

    @desk_page("payment.refund")
    @step_up("payment.refund", binds=of_refund)
    def confirm(request, desk, payment):
        if request.method == "POST": …the deed…
        return desk.render(…)

The GET leads to the page that asks for a factor, and back; the POST uses the proof up. So no
form that somebody filled in is lost: what it says stands in the address of the confirm page.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.module_loading import import_string

from merchant_platform.kernel import clock, ids
from security.authentication import step_up as steps
from security.authentication.models import StepUp
from security.authentication.step_up import Binding
from security.web.desk import Desk
from security.web.operators import Operator

View = Callable[..., HttpResponseBase]
Binds = Callable[..., Binding | None]
# (desk, action, binding) -> whether risk wants a factor shown although the page does not ask for it.
Demand = Callable[[Desk | Operator, str, Binding], bool]


def step_up(action: str, *, binds: Binds) -> Callable[[View], View]:
    """Guard a confirm page. `binds` says what the proof is for, or None where the page must refuse by itself."""

    def guard(view: View) -> View:
        @wraps(view)
        def confirmed(request: HttpRequest, desk: Desk | Operator, **rest: str) -> HttpResponseBase:
            binding = binds(request, desk, **rest)
            if binding is None or not (binding.is_required or _risk_demands(desk, action, binding)):
                return view(request, desk, **rest)
            answer = steps.is_proved if request.method in ("GET", "HEAD") else steps.spend
            if answer(
                user=desk.user,
                session_key=request.session.session_key or "",
                digest=steps.digest_of(action=action, book_id=desk.book_id, binding=binding),
                now=clock.wall(),
            ):
                return view(request, desk, **rest)
            return _ask(request, desk, action, binding)

        confirmed.step_up_action = action  # type: ignore[attr-defined]
        return confirmed

    return guard


def _ask(request: HttpRequest, desk: Desk | Operator, action: str, binding: Binding) -> HttpResponse:
    demanded = steps.demand(
        user=desk.user,
        session_key=request.session.session_key or "",
        action=action,
        book_id=desk.book_id,
        binding=binding,
        return_to=request.get_full_path(),
        now=clock.wall(),
    )
    address = reverse("step_up", kwargs={"demand": ids.show(StepUp.id_prefix, demanded.pk)})
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _risk_demands(desk: Desk | Operator, action: str, binding: Binding) -> bool:
    return any(import_string(name)(desk, action, binding) for name in settings.STEP_UP_DEMANDS)
