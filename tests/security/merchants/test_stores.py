import pytest

from merchant_platform.kernel.errors import NotFound
from merchant_platform.kernel.versions import ChangedMeanwhile
from security.merchants import operations as merchants
from security.merchants import stores
from security.merchants.models import Device, Store
from tests.cast import NOW

pytestmark = pytest.mark.django_db


def describe(store, merchant, name, city="", seen=None):
    return stores.describe(store_id=store.pk, merchant=merchant, name=name, city=city, seen=seen)


class TestDescribe:
    def test_gives_another_name_and_city(self, merchant, bund):
        describe(bund, merchant, "The Bund", "Shanghai", bund.version)

        assert [*Store.objects.values_list("name", "city")] == [("The Bund", "Shanghai")]

    def test_refuses_a_name_that_is_taken(self, merchant, bund, park):
        with pytest.raises(merchants.StoreNameTaken):
            describe(park, merchant, "Bund")

        assert sorted(Store.objects.values_list("name", flat=True)) == ["Bund", "Park"]

    def test_refuses_what_somebody_changed_meanwhile(self, merchant, bund):
        seen = bund.version
        describe(bund, merchant, "First", seen=seen)

        with pytest.raises(ChangedMeanwhile):
            describe(bund, merchant, "Second", seen=seen)

        assert Store.objects.get().name == "First"

    def test_finds_no_store_of_another_merchant(self, other_merchant, bund):
        for act in (
            lambda: describe(bund, other_merchant, "Mine"),
            lambda: stores.close(store_id=bund.pk, merchant=other_merchant, now=NOW),
            lambda: stores.reopen(store_id=bund.pk, merchant=other_merchant),
            lambda: stores.lock_open(bund.pk, merchant=other_merchant),
            lambda: stores.find(bund.pk, merchant=other_merchant),
        ):
            with pytest.raises(NotFound):
                act()

        assert [*Store.objects.values_list("name", "closed_at")] == [("Bund", None)]


class TestClose:
    def test_revokes_its_devices_for_good(self, merchant, bund):
        merchants.add_device(store=bund, name="Till 1", now=NOW)

        stores.close(store_id=bund.pk, merchant=merchant, now=NOW)
        closed = Store.objects.get()
        stores.reopen(store_id=bund.pk, merchant=merchant)

        assert closed.closed_at == NOW
        assert Store.objects.get().closed_at is None
        assert Device.objects.get().revoked_at == NOW

    def test_happens_once(self, merchant, bund):
        with pytest.raises(stores.AlreadyOpen):
            stores.reopen(store_id=bund.pk, merchant=merchant)
        stores.close(store_id=bund.pk, merchant=merchant, now=NOW)

        with pytest.raises(stores.AlreadyClosed):
            stores.close(store_id=bund.pk, merchant=merchant, now=NOW)
        with pytest.raises(stores.StoreClosed):
            stores.lock_open(bund.pk, merchant=merchant)


class TestRevokeDevice:
    def test_happens_once_and_to_ones_own_alone(self, merchant, other_merchant, bund):
        till = merchants.add_device(store=bund, name="Till 1", now=NOW)

        with pytest.raises(NotFound):
            stores.revoke_device(device_id=till.pk, merchant=other_merchant, now=NOW)
        stores.revoke_device(device_id=till.pk, merchant=merchant, now=NOW)
        with pytest.raises(stores.AlreadyRevoked):
            stores.revoke_device(device_id=till.pk, merchant=merchant, now=NOW)

        assert Device.objects.get().revoked_at == NOW
