"""/v1/member_duplicates: pairs of members who may be one person. They are merged at /v1/members/{id}/merge."""

from typing import Any

from members.api.members import hand
from members.directory import duplicates, objects, queries
from members.directory.models import Duplicate
from merchant_platform.kernel.api import paging
from merchant_platform.kernel.api.doors import Call, door, endpoint
from merchant_platform.kernel.api.params import ListParams
from payments.api.addresses import not_here, path_id


@endpoint(permission="members:read", returns="member_duplicate")
def retrieve(call: Call) -> dict[str, Any]:
    """Retrieve a pair of members"""
    return _shown(_find(call), call)


@endpoint(permission="members:write", returns="member_duplicate")
def dismiss(call: Call) -> dict[str, Any]:
    """Say that a pair are two people"""
    duplicates.dismiss(duplicate_id=path_id(call, "dup"), now=call.now)
    hand(call).sign("member.told_apart", call.path["id"])
    return _shown(_find(call), call)


@endpoint(permission="members:read", params=ListParams, returns="member_duplicate", is_list=True)
def list_(call: Call) -> dict[str, Any]:
    """List all pairs of members that wait for an answer"""
    return paging.page(
        queries.duplicates(),
        call.params,
        prefix="dup",
        url=call.url,
        render=lambda found: [_shown(row, call) for row in found],
    )


def _find(call: Call) -> Duplicate:
    found = Duplicate.objects.filter(pk=path_id(call, "dup")).first()
    if found is None:
        raise not_here(call, "dup")
    return found


def _shown(row: Duplicate, call: Call) -> dict[str, Any]:
    return objects.duplicate(row, livemode=call.caller.livemode)


urlpatterns = [
    door("member_duplicates", GET=list_),
    door("member_duplicates/<id>", GET=retrieve),
    door("member_duplicates/<id>/dismiss", POST=dismiss),
]
