"""Every address of this app's API."""

from members.api import members

ROOMS = (members,)

urlpatterns = [pattern for room in ROOMS for pattern in room.urlpatterns]
