"""The pages of members."""

from members.web import offer_codes, offers
from security.web.desk import dashboard_path

urlpatterns = [
    *dashboard_path("offers", offers.index, name="offers"),
    *dashboard_path("offers/new", offers.kinds, name="offer_kinds"),
    *dashboard_path("offers/new/<slug:kind>", offers.new, name="offer_new"),
    *dashboard_path("offers/preview/<slug:kind>", offers.preview, name="offer_preview"),
    *dashboard_path("offers/<str:offer>", offers.detail, name="offer"),
    *dashboard_path("offers/<str:offer>/edit", offers.edit, name="offer_edit"),
    *dashboard_path("offers/<str:offer>/act", offers.act, name="offer_act"),
    *dashboard_path("offers/<str:offer>/codes", offer_codes.index, name="offer_codes"),
    *dashboard_path("offers/<str:offer>/codes/new", offer_codes.make, name="offer_codes_new"),
    *dashboard_path("offers/<str:offer>/codes/export", offer_codes.export, name="offer_codes_export"),
    *dashboard_path("offers/<str:offer>/codes/<str:code>", offer_codes.switch, name="offer_code_switch"),
]
