"""Every address of this app's API."""

from members.api import coupons, offers, promotion_codes

ROOMS = (
    coupons,
    promotion_codes,
    offers,
)

urlpatterns = [pattern for room in ROOMS for pattern in room.urlpatterns]
