"""Who works at a merchant: another role, other stores, another owner, the end of it.

Every change locks the merchant first, so that two changes at once see one another: the
last owner can neither leave nor be taken away, and what somebody may do to others is
decided by the role that the person has at that moment, not by the page that was shown.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Forbidden, Invalid, WrongState, missing
from merchant_platform.kernel.versions import check_seen
from security.access.roles import MANAGER, MERCHANT_ROLES, OWNER, may_grant
from security.merchants.models import Merchant, Staff, Store
from security.merchants.operations import StoreElsewhere, UnknownRole


class MayNotGrant(Forbidden):
    """The person's own role does not reach to what is given or taken."""


class NotOneself(Forbidden):
    """Nobody changes his own role or stores: not up, and not by mistake down."""


class LastOwner(WrongState):
    """A merchant has an owner at any time."""


class OwnerHasAllStores(Invalid):
    """An owner is not limited to stores."""


class AlreadyLeft(WrongState):
    """The person does not work here any more."""


def find(staff_id: UUID, *, merchant: Merchant) -> Staff:
    """Somebody who works at the merchant, or did. Raises NotFound."""
    person = (
        Staff.objects.select_related("user").prefetch_related("stores").filter(pk=staff_id, merchant=merchant).first()
    )
    if person is None:
        raise missing("staff", ids.show("stf", staff_id))
    return person


def change(*, staff_id: UUID, role: str, store_ids: Collection[UUID], actor: Staff, seen: str | None) -> Staff:
    """Give somebody a role and the stores it is limited to (none: all). This will write both at once.

    Raises NotFound, AlreadyLeft, ChangedMeanwhile, NotOneself, MayNotGrant, UnknownRole,
    StoreElsewhere and OwnerHasAllStores.
    """
    acting, person = _locked(actor, staff_id)
    check_seen(seen, person.version)
    if person.pk == acting.pk:
        raise NotOneself("Nobody changes his own role. Ask another owner.")
    _check_grant(acting, person.role)
    stores = check_offer(acting, role=role, store_ids=store_ids)
    person.role = role
    person.save(update_fields=["role"])
    person.stores.set(stores)
    return person


def leave(*, staff_id: UUID, actor: Staff, now: datetime) -> Staff:
    """End somebody's work here, one's own or another's. This will write when; every page refuses them from then on.

    Raises NotFound, AlreadyLeft, MayNotGrant and LastOwner.
    """
    acting, person = _locked(actor, staff_id)
    if person.pk != acting.pk:
        _check_grant(acting, person.role)
    if person.role == OWNER and not _owners(person.merchant).exclude(pk=person.pk).exists():
        raise LastOwner("The last owner cannot leave. Hand the business over first.")
    person.left_at = now
    person.save(update_fields=["left_at"])
    return person


def hand_over(*, staff_id: UUID, actor: Staff) -> Staff:
    """Make somebody the owner in one's own place. This will make the actor a manager in the same moment.

    Raises NotFound, AlreadyLeft, NotOneself and MayNotGrant.
    """
    acting, person = _locked(actor, staff_id)
    if person.pk == acting.pk:
        raise NotOneself("Choose somebody else to hand the business over to.")
    if acting.role != OWNER:
        raise MayNotGrant("An owner alone hands the business over.")
    person.role, acting.role = OWNER, MANAGER
    person.save(update_fields=["role"])
    person.stores.clear()
    acting.save(update_fields=["role"])
    return person


def lock_actor(actor: Staff) -> Staff:
    """The person who acts, as of now: the merchant is locked until the transaction ends. Raises MayNotGrant."""
    Merchant.objects.select_for_update(no_key=True).get(pk=actor.merchant_id)
    present = Staff.objects.prefetch_related("stores").filter(pk=actor.pk, left_at__isnull=True).first()
    if present is None:
        raise MayNotGrant("You do not work here any more.")
    return present


def check_offer(acting: Staff, *, role: str, store_ids: Collection[UUID]) -> list[Store]:
    """The stores behind ids, where this person may give this role there.

    Raises UnknownRole, MayNotGrant, StoreElsewhere and OwnerHasAllStores.
    """
    if role not in MERCHANT_ROLES:
        raise UnknownRole(f"Unknown role: {role}", param="role")
    _check_grant(acting, role)
    if role == OWNER and store_ids:
        raise OwnerHasAllStores("An owner works in all stores.", param="stores")
    stores = list(Store.objects.filter(merchant_id=acting.merchant_id, pk__in=set(store_ids)))
    if len(stores) != len(set(store_ids)):
        raise StoreElsewhere("A store belongs to another merchant.", param="stores")
    _check_within(acting, stores)
    return stores


def _locked(actor: Staff, staff_id: UUID) -> tuple[Staff, Staff]:
    present = lock_actor(actor)
    person = find(staff_id, merchant=present.merchant)
    if person.left_at is not None:
        raise AlreadyLeft("This person does not work here any more.")
    return present, person


def _check_grant(acting: Staff, role: str) -> None:
    if not may_grant(acting.role, role):
        raise MayNotGrant("Your role does not reach that far. Ask an owner.", param="role")


def _check_within(acting: Staff, stores: Iterable[Store]) -> None:
    """Who is limited to stores gives no others, and not all of them."""
    own = {store.pk for store in acting.stores.all()}
    given = {store.pk for store in stores}
    if own and (not given or not given <= own):
        raise MayNotGrant("You can give the stores that you work in yourself.", param="stores")


def _owners(merchant: Merchant):
    """Who owns the merchant and can sign in."""
    return Staff.objects.filter(merchant=merchant, role=OWNER, left_at__isnull=True, user__is_active=True)
