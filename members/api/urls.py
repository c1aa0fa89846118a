"""Every address of this app's API."""

from members.api import coupons, duplicates, members, offers, points, promotion_codes, rewards

ROOMS = (members, duplicates, points, rewards, coupons, promotion_codes, offers)

urlpatterns = [pattern for room in ROOMS for pattern in room.urlpatterns]
