"""The platform's addresses and a few pages more, on which the guard of the dashboard is tried."""

from django.http import Http404, HttpResponse

from merchant_platform.kernel.errors import Conflict, Invalid, missing
from merchant_platform.urls import *  # noqa: F403
from merchant_platform.urls import urlpatterns as platform
from security.web.desk import dashboard_path, desk_page
from security.web.search import Hit


@desk_page("balance.view")
def balance(request, desk):
    return HttpResponse(f"balance of {desk.merchant.slug}")


@desk_page("payment.refund")
def act(request, desk, how):
    if how == "nothing":
        raise Http404
    if how == "gone":
        raise missing("payment_intent", "pi_1")
    if how == "twice":
        raise Conflict("Somebody else was faster.")
    if how == "wrong":
        raise Invalid("No.", code="parameter_unknown")
    return HttpResponse("done")


urlpatterns = [
    *dashboard_path("test-balance", balance, name="test_balance"),
    *dashboard_path("test-acts/<str:how>", act, name="test_act"),
    *platform,
]


def find(desk, text):
    """A port for objects: finds what is asked for, and knows one id."""
    if text == "pi_exact":
        return [Hit("Payment", "¥12.00", "pi_exact", desk.url("test_balance"), is_exact=True)]
    count = int(text[-1]) if text[-1].isdecimal() else 1
    return [Hit("Customer", f"{text} {number}", f"cus_{number}", desk.url("home")) for number in range(count)]


def find_more(desk, text):
    return [Hit("Product", "Oat latte", "prod_1", desk.url("home"))]
