"""The pages of a consumer's wallet."""

from django.urls import path
from django.views.generic import RedirectView

from members.web.wallet import assets, cards, code, entrance, home, installing, me, movements, points, top_up
from members.web.wallet.purse import wallet_path

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
    *wallet_path("points/<str:programme>", points.page, name="wallet_points"),
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
]
