"""The addresses of this app's pages."""

from django.urls import path

from payments.web import checkout, receipts

urlpatterns = [
    path("pay/<code>", checkout.page, name="pay"),
    path("pay/<code>/stage", checkout.stage, name="pay_stage"),
    path("pay/<code>/sign-in", checkout.sign_in, name="pay_sign_in"),
    path("pay/<code>/sign-out", checkout.sign_out, name="pay_sign_out"),
    path("pay/<code>/wallet", checkout.pay_by_wallet, name="pay_by_wallet"),
    path("r/<code>", receipts.receipt, name="receipt"),
]
