"""The dashboard's pages of payments."""

from payments.web.dashboard import balance, bulk, holding, notes, payment, payments, refund, refunds, saved_views
from security.web.desk import dashboard_path

urlpatterns = [
    *dashboard_path("payments", payments.index, name="payments"),
    *dashboard_path("payments/new", payments.new, name="payments_new"),
    *dashboard_path("payments/export", payments.export, name="payments_export"),
    *dashboard_path("payments/views", saved_views.save, name="view_save"),
    *dashboard_path("payments/views/<str:view>/remove", saved_views.remove, name="view_remove"),
    *dashboard_path("payments/views/<str:view>/back", saved_views.bring_back, name="view_back"),
    *dashboard_path("payments/bulk", bulk.confirm, name="bulk"),
    *dashboard_path("payments/bulk/<str:job>", bulk.show, name="bulk_job"),
    *dashboard_path("payments/<str:payment>", payment.show, name="payment"),
    *dashboard_path("payments/<str:payment>/refund", refund.choose, name="refund"),
    *dashboard_path("payments/<str:payment>/refund/confirm", refund.confirm, name="refund_confirm"),
    *dashboard_path("payments/<str:payment>/capture", holding.capture, name="capture"),
    *dashboard_path("payments/<str:payment>/cancel", holding.cancel, name="cancel"),
    *dashboard_path("payments/<str:payment>/notes", notes.add, name="note_add"),
    *dashboard_path("payments/<str:payment>/notes/<str:note>", notes.change, name="note"),
    *dashboard_path("refunds", refunds.index, name="refunds"),
    *dashboard_path("refunds/export", refunds.export, name="refunds_export"),
    *dashboard_path("balance", balance.index, name="balance"),
    *dashboard_path("balance/export", balance.export, name="balance_export"),
]
