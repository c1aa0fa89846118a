"""Stores and their devices, once they are there: renamed, closed, opened again, taken away."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import WrongState, missing
from merchant_platform.kernel.versions import check_seen
from security.merchants.models import Device, Merchant, Store
from security.merchants.operations import StoreNameTaken


class AlreadyClosed(WrongState):
    """The store was closed before."""


class AlreadyOpen(WrongState):
    """The store is not closed."""


class StoreClosed(WrongState):
    """Nothing is added to a closed store."""


class AlreadyRevoked(WrongState):
    """The device was revoked before."""


def find(store_id: UUID, *, merchant: Merchant) -> Store:
    """A store of the merchant. Raises NotFound, for another merchant's too."""
    store = Store.objects.filter(pk=store_id, merchant=merchant).first()
    if store is None:
        raise missing("store", ids.show("sto", store_id))
    return store


def lock(store_id: UUID, *, merchant: Merchant) -> Store:
    """The same, locked until the transaction ends. Raises NotFound."""
    store = Store.objects.select_for_update(no_key=True).filter(pk=store_id, merchant=merchant).first()
    if store is None:
        raise missing("store", ids.show("sto", store_id))
    return store


def describe(*, store_id: UUID, merchant: Merchant, name: str, city: str, seen: str | None) -> Store:
    """Give a store another name or city. This will write them. Raises NotFound, ChangedMeanwhile and StoreNameTaken."""
    store = lock(store_id, merchant=merchant)
    check_seen(seen, store.version)
    store.name, store.city = name, city
    try:
        with transaction.atomic():
            store.save(update_fields=["name", "city"])
    except IntegrityError as error:
        raise StoreNameTaken("There is a store of this name.", param="name") from error
    return store


def close(*, store_id: UUID, merchant: Merchant, now: datetime) -> Store:
    """Close a store. This will revoke its devices for good and keep its past. Raises NotFound and AlreadyClosed."""
    store = lock(store_id, merchant=merchant)
    if not store.is_open:
        raise AlreadyClosed("This store was closed before.")
    store.closed_at = now
    store.save(update_fields=["closed_at"])
    Device.objects.filter(store=store, revoked_at__isnull=True).update(revoked_at=now)
    return store


def reopen(*, store_id: UUID, merchant: Merchant) -> Store:
    """Open a closed store again. Its devices stay revoked. Raises NotFound and AlreadyOpen."""
    store = lock(store_id, merchant=merchant)
    if store.is_open:
        raise AlreadyOpen("This store is open.")
    store.closed_at = None
    store.save(update_fields=["closed_at"])
    return store


def lock_open(store_id: UUID, *, merchant: Merchant) -> Store:
    """A store that something is to be added to. Raises NotFound and StoreClosed."""
    store = lock(store_id, merchant=merchant)
    if not store.is_open:
        raise StoreClosed("This store is closed: open it again first.")
    return store


def revoke_device(*, device_id: UUID, merchant: Merchant, now: datetime) -> Device:
    """Take a device out of use, for good. This will write when. Raises NotFound and AlreadyRevoked."""
    device = (
        Device.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store")
        .filter(pk=device_id, store__merchant=merchant)
        .first()
    )
    if device is None:
        raise missing("device", ids.show("dev", device_id))
    if device.revoked_at is not None:
        raise AlreadyRevoked("This device was revoked before.")
    device.revoked_at = now
    device.save(update_fields=["revoked_at"])
    return device
