"""Every address of this app's API."""

from members.api import coupons, members, offers, promotion_codes

ROOMS = (
    members,
    coupons,
    promotion_codes,
    offers,
)

urlpatterns = [pattern for room in ROOMS for pattern in room.urlpatterns]
