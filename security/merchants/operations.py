"""Found a merchant, open its stores, hire its staff."""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Invalid
from merchant_platform.kernel.money import currencies
from security.access.roles import MERCHANT_ROLES
from security.identity.models import User
from security.merchants.models import LIVE, TEST, Book, Device, Merchant, Staff, Store

CHINESE, ENGLISH = "zh-hans", "en"


class UnknownRole(Invalid):
    """No such role at a merchant."""


class StoreElsewhere(Invalid):
    """The store belongs to another merchant."""


class StoreNameTaken(Invalid):
    """The merchant has another store of this name."""


class DeviceNameTaken(Invalid):
    """The store has another device of this name."""


def found(
    *,
    slug: str,
    name: str,
    country: str,
    time_zone: str,
    currency: str,
    now: datetime,
    is_platform: bool = False,
) -> Merchant:
    """Found a merchant. This will write it with a live and a test book. Raises Invalid for a zone or currency."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(f"Unknown time zone: {time_zone}", param="time_zone") from error
    if currency not in currencies():
        raise Invalid(f"Unknown currency: {currency}", param="currency")
    with transaction.atomic():
        merchant = Merchant.objects.create(
            id=ids.new(now),
            slug=slug,
            name=name,
            country=country,
            time_zone=time_zone,
            default_currency=currency,
            language=CHINESE if country == "CN" else ENGLISH,
            is_platform=is_platform,
            created_at=now,
        )
        Book.objects.bulk_create(
            Book(id=ids.new(now), merchant=merchant, mode=mode, created_at=now) for mode in (LIVE, TEST)
        )
    return merchant


def found_platform(*, now: datetime) -> Merchant:
    """Found the platform's own merchant. This will write it, with its books, where it is missing, and return it."""
    present = Merchant.objects.filter(is_platform=True).first()
    if present is not None:
        return present
    try:
        return found(
            slug="platform",
            name="Platform",
            country="CN",
            time_zone="Asia/Shanghai",
            currency="CNY",
            now=now,
            is_platform=True,
        )
    except IntegrityError:  # another server founded it at the same moment
        return Merchant.objects.get(is_platform=True)


def open_store(*, merchant: Merchant, name: str, city: str = "", now: datetime) -> Store:
    """Open a store. This will write it for every mode of the merchant. Raises StoreNameTaken."""
    try:
        with transaction.atomic():
            return Store.objects.create(id=ids.new(now), merchant=merchant, name=name, city=city, created_at=now)
    except IntegrityError as error:
        raise StoreNameTaken("There is a store of this name.", param="name") from error


def add_device(*, store: Store, name: str, now: datetime) -> Device:
    """Add a till or scanner to a store. This will write the device. Raises DeviceNameTaken."""
    try:
        with transaction.atomic():
            return Device.objects.create(id=ids.new(now), store=store, name=name, created_at=now)
    except IntegrityError as error:
        raise DeviceNameTaken("There is a device of this name in the store.", param="name") from error


def hire(*, user: User, merchant: Merchant, role: str, stores: Iterable[Store] = (), now: datetime) -> Staff:
    """Give a person a role at a merchant. This will write the staff row. Raises UnknownRole and StoreElsewhere."""
    if role not in MERCHANT_ROLES:
        raise UnknownRole(f"Unknown role: {role}", param="role")
    stores = list(stores)
    if any(store.merchant_id != merchant.pk for store in stores):
        raise StoreElsewhere("A store belongs to another merchant.", param="stores")
    with transaction.atomic():
        staff = Staff.objects.create(id=ids.new(now), user=user, merchant=merchant, role=role, created_at=now)
        staff.stores.set(stores)
    return staff
