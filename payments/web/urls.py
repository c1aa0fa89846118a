"""The pages and inbound doors of payments."""

from django.urls import path

from payments.web import challenge, checkout, hooks, pictures, receipts
from payments.web.dashboard import (
    customers,
    deliveries,
    events,
    product_sheets,
    products,
    tester,
    webhook_backfill,
    webhook_secrets,
    webhooks,
)
from payments.web.dashboard.urls import urlpatterns as dashboard
from security.web.desk import dashboard_path

urlpatterns = [
    *dashboard,
    path("pay/<code>", checkout.page, name="pay"),
    path("pay/<code>/stage", checkout.stage, name="pay_stage"),
    path("pay/<code>/sign-in", checkout.sign_in, name="pay_sign_in"),
    path("pay/<code>/sign-out", checkout.sign_out, name="pay_sign_out"),
    path("pay/<code>/wallet", checkout.pay_by_wallet, name="pay_by_wallet"),
    path("pay/<code>/card", checkout.pay_by_card, name="pay_by_card"),
    path("pay/<code>/tenders", checkout.pay_by_tenders, name="pay_by_tenders"),
    path("pay/<code>/tender", checkout.use_tender, name="pay_use_tender"),
    path("pay/<code>/stored-value", checkout.use_card, name="pay_use_card"),
    path("pay/<code>/code", checkout.use_code, name="pay_use_code"),
    path("pay/<code>/return", checkout.come_back, name="pay_return"),
    path("pictures/<str:digest>.png", pictures.show, name="picture"),
    path("r/<code>", receipts.receipt, name="receipt"),
    path("hooks/<slug:provider>/<slug:account>", hooks.receive, name="hook"),
    path("sandbox/challenge/<str:token>", challenge.show, name="sandbox_challenge"),
    *dashboard_path("customers", customers.index, name="customers"),
    *dashboard_path("customers/new", customers.new, name="customer_new"),
    *dashboard_path("customers/export", customers.export, name="customer_export"),
    *dashboard_path("customers/<str:customer>", customers.detail, name="customer"),
    *dashboard_path("customers/<str:customer>/edit", customers.edit, name="customer_edit"),
    *dashboard_path("customers/<str:customer>/delete", customers.delete, name="customer_delete"),
    *dashboard_path("customers/<str:customer>/methods/<str:method>", customers.detach, name="customer_detach"),
    *dashboard_path("products", products.index, name="products"),
    *dashboard_path("products/new", products.new, name="product_new"),
    *dashboard_path("products/import", product_sheets.bring, name="product_import"),
    *dashboard_path("products/export", product_sheets.export, name="product_export"),
    *dashboard_path("products/<str:product>", products.detail, name="product"),
    *dashboard_path("products/<str:product>/edit", products.edit, name="product_edit"),
    *dashboard_path("products/<str:product>/archive", products.archive, name="product_archive"),
    *dashboard_path("products/<str:product>/prices", products.price_new, name="price_new"),
    *dashboard_path("products/<str:product>/prices/<str:price>", products.price_change, name="price_change"),
    *dashboard_path("developers/webhooks", webhooks.index, name="webhooks"),
    *dashboard_path("developers/webhooks/new", webhooks.create, name="webhook_new"),
    *dashboard_path("developers/webhooks/<str:webhook>", deliveries.of_endpoint, name="webhook"),
    *dashboard_path("developers/webhooks/<str:webhook>/edit", webhooks.edit, name="webhook_edit"),
    *dashboard_path("developers/webhooks/<str:webhook>/switch", webhooks.switch, name="webhook_switch"),
    *dashboard_path("developers/webhooks/<str:webhook>/delete", webhooks.delete, name="webhook_delete"),
    *dashboard_path("developers/webhooks/<str:webhook>/secret", webhook_secrets.rotate, name="webhook_rotate"),
    *dashboard_path("developers/webhooks/<str:webhook>/backfill", webhook_backfill.backfill, name="webhook_backfill"),
    *dashboard_path("developers/webhooks/<str:webhook>/test", tester.try_endpoint, name="webhook_test"),
    *dashboard_path("developers/webhooks/<str:webhook>/resend", deliveries.resend, name="webhook_resend"),
    *dashboard_path(
        "developers/webhooks/<str:webhook>/deliveries/<str:delivery>", deliveries.show, name="webhook_delivery"
    ),
    *dashboard_path("developers/events", events.index, name="events"),
    *dashboard_path("developers/events/<str:event>", events.show, name="event"),
]
