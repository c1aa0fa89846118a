"""The pages and inbound doors of payments."""

from django.urls import path

from payments.web import challenge, checkout, hooks, receipts
from payments.web.dashboard.urls import urlpatterns as dashboard

urlpatterns = [
    *dashboard,
    path("pay/<code>", checkout.page, name="pay"),
    path("pay/<code>/stage", checkout.stage, name="pay_stage"),
    path("pay/<code>/sign-in", checkout.sign_in, name="pay_sign_in"),
    path("pay/<code>/sign-out", checkout.sign_out, name="pay_sign_out"),
    path("pay/<code>/wallet", checkout.pay_by_wallet, name="pay_by_wallet"),
    path("pay/<code>/card", checkout.pay_by_card, name="pay_by_card"),
    path("pay/<code>/return", checkout.come_back, name="pay_return"),
    path("r/<code>", receipts.receipt, name="receipt"),
    path("hooks/<slug:provider>/<slug:account>", hooks.receive, name="hook"),
    path("sandbox/challenge/<str:token>", challenge.show, name="sandbox_challenge"),
]
