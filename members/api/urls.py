"""Every address of this app's API."""

from members.api import members, points, rewards

ROOMS = (members, points, rewards)

urlpatterns = [pattern for room in ROOMS for pattern in room.urlpatterns]
