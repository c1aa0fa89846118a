"""The pages of members: those of staff, and the wallet of a consumer."""

from django.urls import path
from django.views.generic import RedirectView

from members.web import offer_codes, offers
from members.web.wallet import assets, cards, code, entrance, home, installing, me, movements, top_up
from members.web.wallet.purse import wallet_path
from security.web.desk import dashboard_path

urlpatterns = [
    path("wallet", RedirectView.as_view(pattern_name="wallet_home_live"), name="wallet"),
    *wallet_path("", home.page, name="wallet_home"),
    *wallet_path("front", entrance.front, name="wallet_front"),
    *wallet_path("open", entrance.opening, name="wallet_opening"),
    *wallet_path("history", movements.page, name="wallet_history"),
    *wallet_path("top-up", top_up.form, name="wallet_top_up"),
    *wallet_path("top-up/<str:top_up>", top_up.show, name="wallet_top_up_shown"),
    *wallet_path("top-up/<str:top_up>/return", top_up.come_back, name="wallet_top_up_return"),
    *wallet_path("top-up/<str:top_up>/give-up", top_up.give_up, name="wallet_top_up_give_up"),
    *wallet_path("saved-cards/<str:card>/forget", top_up.forget_card, name="wallet_forget_card"),
    *wallet_path("code", code.page, name="wallet_code"),
    *wallet_path("code/fresh", code.fresh, name="wallet_code_fresh"),
    *wallet_path("code/<uuid:token>/paid", code.paid, name="wallet_code_paid"),
    *wallet_path("cards", cards.page, name="wallet_cards"),
    *wallet_path("cards/<str:book>/pass", cards.phone_pass, name="wallet_pass"),
    *wallet_path("assets", assets.page, name="wallet_assets"),
    *wallet_path("me", me.page, name="wallet_me"),
    *wallet_path("me/devices", me.devices, name="wallet_devices"),
    *wallet_path("me/devices/<int:session>/end", me.end_device, name="wallet_end_device"),
    *wallet_path("me/merchants", me.known, name="wallet_merchants"),
    *wallet_path("me/merchants/<str:customer>/consent", me.consent, name="wallet_consent"),
    *wallet_path("me/permissions/<str:method>/revoke", me.revoke, name="wallet_revoke"),
    *wallet_path("manifest.webmanifest", installing.manifest, name="wallet_manifest"),
    *wallet_path("worker.js", installing.worker, name="wallet_worker"),
    *wallet_path("offline", installing.offline, name="wallet_offline"),
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
