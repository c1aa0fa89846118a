from typing import Any

import pytest
from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Invalid
from security.access.roles import CASHIER, MERCHANT_ROLES, OWNER
from security.identity.models import User
from security.merchants import operations as merchants
from security.merchants.models import LIVE, TEST, Book, Device, Merchant, Staff, Store
from tests.cast import NOW, race

pytestmark = pytest.mark.django_db

TEA: dict[str, Any] = {
    "slug": "tea",
    "name": "Tea House",
    "country": "CN",
    "time_zone": "Asia/Shanghai",
    "currency": "CNY",
    "now": NOW,
}


@pytest.fixture
def user():
    return User.objects.create_user(email="li@example.com")


class TestFound:
    def test_writes_a_merchant_with_a_live_and_a_test_book(self):
        tea = merchants.found(**TEA)

        assert (tea.slug, tea.name, tea.country, tea.default_currency) == ("tea", "Tea House", "CN", "CNY")
        assert (tea.is_platform, tea.created_at, tea.zone.key) == (False, NOW, "Asia/Shanghai")
        assert ids.made_at(tea.pk) == NOW
        assert sorted(tea.books.values_list("mode", "clock_at", "created_at")) == [
            (LIVE, None, NOW),
            (TEST, None, NOW),
        ]

    @pytest.mark.parametrize(
        ("mistake", "param"),
        [
            ({"time_zone": "Mars/Olympus"}, "time_zone"),
            ({"time_zone": ""}, "time_zone"),
            ({"time_zone": "../etc/passwd"}, "time_zone"),
            ({"currency": "XXX"}, "currency"),
            ({"currency": "cny"}, "currency"),
        ],
    )
    def test_refuses_a_zone_or_a_currency_that_is_none(self, mistake, param):
        with pytest.raises(Invalid) as refused:
            merchants.found(**(TEA | mistake))

        assert refused.value.param == param
        assert (Merchant.objects.count(), Book.objects.count()) == (0, 0)

    def test_refuses_a_name_in_addresses_that_is_taken(self):
        merchants.found(**TEA)

        with pytest.raises(IntegrityError), transaction.atomic():
            merchants.found(**TEA)

        assert Merchant.objects.count() == 1


class TestFoundPlatform:
    def test_writes_it_once(self):
        first = merchants.found_platform(now=NOW)
        again = merchants.found_platform(now=NOW)

        assert first == again
        assert first.is_platform
        assert (Merchant.objects.count(), Book.objects.count()) == (1, 2)

    def test_is_the_only_one_of_its_kind(self):
        merchants.found_platform(now=NOW)

        with pytest.raises(IntegrityError, match="security_merchant_one_is_platform"), transaction.atomic():
            merchants.found(**(TEA | {"is_platform": True}))

    @pytest.mark.django_db(transaction=True)
    def test_leaves_one_where_two_servers_start_at_once(self):
        founded = race(*[lambda: merchants.found_platform(now=NOW)] * 4)

        assert founded == [Merchant.objects.get(is_platform=True)] * 4
        assert Book.objects.count() == 2


class TestOpenStore:
    def test_writes_a_store_for_every_mode(self, merchant):
        store = merchants.open_store(merchant=merchant, name="Bund", city="Shanghai", now=NOW)

        assert (store.merchant, store.name, store.city, store.closed_at) == (merchant, "Bund", "Shanghai", None)

    def test_refuses_a_second_of_the_same_name(self, merchant, other_merchant):
        merchants.open_store(merchant=merchant, name="Bund", now=NOW)
        merchants.open_store(merchant=other_merchant, name="Bund", now=NOW)

        with pytest.raises(merchants.StoreNameTaken):
            merchants.open_store(merchant=merchant, name="Bund", now=NOW)

        assert Store.objects.count() == 2


class TestAddDevice:
    def test_writes_a_till_of_the_store(self, merchant):
        store = merchants.open_store(merchant=merchant, name="Bund", now=NOW)

        merchants.add_device(store=store, name="Till 1", now=NOW)

        assert [*Device.objects.values_list("store", "name", "revoked_at")] == [(store.pk, "Till 1", None)]

    def test_refuses_a_second_of_the_same_name(self, merchant):
        store = merchants.open_store(merchant=merchant, name="Bund", now=NOW)
        merchants.add_device(store=store, name="Till 1", now=NOW)

        with pytest.raises(merchants.DeviceNameTaken):
            merchants.add_device(store=store, name="Till 1", now=NOW)

        assert Device.objects.count() == 1


class TestHire:
    def test_gives_a_person_a_role_everywhere(self, merchant, user):
        staff = merchants.hire(user=user, merchant=merchant, role=OWNER, now=NOW)

        assert (staff.user, staff.merchant, staff.role, staff.left_at) == (user, merchant, OWNER, None)
        assert [*staff.stores.all()] == []

    def test_limits_a_person_to_stores(self, merchant, user):
        bund, park = (merchants.open_store(merchant=merchant, name=name, now=NOW) for name in ("Bund", "Park"))

        staff = merchants.hire(user=user, merchant=merchant, role=CASHIER, stores=iter([park]), now=NOW)

        assert [*staff.stores.all()] == [park]
        assert bund.pk != park.pk

    @pytest.mark.parametrize("role", ["operator", "boss", "", "OWNER"])
    def test_refuses_what_is_no_role_at_a_merchant(self, merchant, user, role):
        assert role not in MERCHANT_ROLES

        with pytest.raises(merchants.UnknownRole):
            merchants.hire(user=user, merchant=merchant, role=role, now=NOW)

        assert Staff.objects.count() == 0

    def test_refuses_a_store_of_another_merchant(self, merchant, other_merchant, user):
        ours = merchants.open_store(merchant=merchant, name="Bund", now=NOW)
        theirs = merchants.open_store(merchant=other_merchant, name="Bund", now=NOW)

        with pytest.raises(merchants.StoreElsewhere):
            merchants.hire(user=user, merchant=merchant, role=CASHIER, stores=[ours, theirs], now=NOW)

        assert Staff.objects.count() == 0

    def test_hires_a_person_once_a_merchant(self, merchant, other_merchant, user):
        merchants.hire(user=user, merchant=merchant, role=CASHIER, now=NOW)
        merchants.hire(user=user, merchant=other_merchant, role=OWNER, now=NOW)

        with pytest.raises(IntegrityError), transaction.atomic():
            merchants.hire(user=user, merchant=merchant, role=OWNER, now=NOW)

        assert Staff.objects.count() == 2
