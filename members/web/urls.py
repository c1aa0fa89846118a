"""The pages of members: the dashboard's, the merchant's own for joining, and the wallet of a consumer."""

from django.urls import path

from members.web import importing, joining, members, merging, offer_codes, offers, programme
from members.web.wallet import urls as wallet
from security.web.desk import dashboard_path

urlpatterns = [
    *wallet.urlpatterns,
    path("join/<code>", joining.join, name="join"),
    path("join/<code>/welcome", joining.welcome, name="welcome"),
    *dashboard_path("members/codes", joining.places, name="member_codes"),
    *dashboard_path("members/codes/<str:code>", joining.poster, name="member_poster"),
    *dashboard_path("members", members.index, name="members"),
    *dashboard_path("members/new", members.new, name="member_new"),
    *dashboard_path("members/export", members.export, name="member_export"),
    *dashboard_path("members/import", importing.bring, name="member_imports"),
    *dashboard_path("members/import/<str:sheet>", importing.show, name="member_import"),
    *dashboard_path("members/import/<str:sheet>/wrong", importing.wrong, name="member_import_wrong"),
    *dashboard_path("members/import/<str:sheet>/agree", importing.agree, name="member_import_agree"),
    *dashboard_path("members/duplicates", merging.pairs, name="member_duplicates"),
    *dashboard_path("members/duplicates/<str:duplicate>", merging.dismiss, name="member_told_apart"),
    *dashboard_path("members/merges/<str:merge>/undo", merging.undo, name="member_unmerge"),
    *dashboard_path("programme", programme.index, name="programme"),
    *dashboard_path("programme/new", programme.new, name="programme_new"),
    *dashboard_path("programme/<str:programme>/edit", programme.edit, name="programme_edit"),
    *dashboard_path("programme/<str:programme>/budget", programme.set_budget, name="programme_budget"),
    *dashboard_path("programme/<str:programme>/backfill", programme.back_fill, name="programme_backfill"),
    *dashboard_path("programme/<str:programme>/switch", programme.switch, name="programme_switch"),
    *dashboard_path("members/<str:member>/points", programme.member_points, name="member_points"),
    *dashboard_path("members/<str:member>", members.detail, name="member"),
    *dashboard_path("members/<str:member>/edit", members.edit, name="member_edit"),
    *dashboard_path("members/<str:member>/leave", members.leave, name="member_leave"),
    *dashboard_path("members/<str:member>/merge", merging.merge, name="member_merge"),
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
    *dashboard_path("offers/<str:offer>/codes/<str:promotion>", offer_codes.switch, name="offer_code_switch"),
]
