"""Roles and places of staff: who may change whom, and that there is always an owner."""

from uuid import uuid4

import pytest
from django.db import transaction

from merchant_platform.kernel.errors import NotFound
from merchant_platform.kernel.versions import ChangedMeanwhile
from security.access.roles import CASHIER, DEVELOPER, FINANCE, MANAGER, MERCHANT_ROLES, OWNER, SUPPORT
from security.merchants import operations as merchants
from security.merchants import staff
from security.merchants.models import Staff
from tests.cast import NOW, race

pytestmark = pytest.mark.django_db


def places():
    """Everything that a refusal must leave as it was."""
    return sorted(
        (str(person.pk), person.role, person.left_at, sorted(str(store.pk) for store in person.stores.all()))
        for person in Staff.objects.prefetch_related("stores")
    )


def change(person, actor, role, *stores, seen=None):
    return staff.change(staff_id=person.pk, role=role, store_ids=[store.pk for store in stores], actor=actor, seen=seen)


class TestChange:
    def test_gives_a_role_and_stores(self, owner, cashier, bund, park):
        changed = change(cashier, owner, MANAGER, park)

        row = Staff.objects.get(pk=cashier.pk)
        assert (changed.role, row.role, [*row.stores.all()]) == (MANAGER, MANAGER, [park])

    def test_takes_the_limit_away(self, owner, hired, bund):
        limited = hired(CASHIER, stores=[bund])

        change(limited, owner, CASHIER)

        assert [*limited.stores.all()] == []

    @pytest.mark.parametrize("role", sorted({*MERCHANT_ROLES} - {CASHIER, SUPPORT}))
    def test_lets_a_manager_raise_nobody(self, manager, cashier, role):
        before = places()

        with pytest.raises(staff.MayNotGrant):
            change(cashier, manager, role)

        assert places() == before

    @pytest.mark.parametrize("role", sorted({*MERCHANT_ROLES} - {CASHIER, SUPPORT}))
    def test_lets_a_manager_touch_nobody_above(self, manager, hired, role):
        above = hired(role)
        before = places()

        with pytest.raises(staff.MayNotGrant):
            change(above, manager, CASHIER)

        assert places() == before

    @pytest.mark.parametrize("role", [CASHIER, DEVELOPER, FINANCE, SUPPORT])
    def test_lets_nobody_else_change_anybody(self, hired, cashier, role):
        actor = hired(role)
        before = places()

        with pytest.raises(staff.MayNotGrant):
            change(cashier, actor, SUPPORT)

        assert places() == before

    @pytest.mark.parametrize("role", [OWNER, MANAGER])
    def test_lets_nobody_change_himself(self, hired, role):
        actor = hired(role)
        before = places()

        with pytest.raises(staff.NotOneself):
            change(actor, actor, CASHIER)

        assert places() == before

    def test_goes_by_the_role_of_that_moment(self, owner, manager, cashier):
        change(manager, owner, CASHIER)

        with pytest.raises(staff.MayNotGrant):
            change(cashier, manager, SUPPORT)

    def test_goes_by_who_works_here_still(self, owner, manager, cashier):
        staff.leave(staff_id=manager.pk, actor=owner, now=NOW)

        with pytest.raises(staff.MayNotGrant):
            change(cashier, manager, SUPPORT)
        with pytest.raises(staff.AlreadyLeft):
            change(manager, owner, CASHIER)

    def test_keeps_a_limited_manager_to_his_stores(self, hired, cashier, bund, park):
        limited = hired(MANAGER, stores=[bund])
        before = places()

        for stores in ([park], [bund, park], []):
            with pytest.raises(staff.MayNotGrant):
                change(cashier, limited, CASHIER, *stores)
        assert places() == before
        change(cashier, limited, CASHIER, bund)
        assert [*cashier.stores.all()] == [bund]

    def test_refuses_a_store_of_another_merchant(self, owner, cashier, other_merchant):
        theirs = merchants.open_store(merchant=other_merchant, name="Bund", now=NOW)

        with pytest.raises(merchants.StoreElsewhere):
            change(cashier, owner, CASHIER, theirs)

    def test_refuses_an_owner_of_some_stores(self, owner, cashier, bund):
        with pytest.raises(staff.OwnerHasAllStores):
            change(cashier, owner, OWNER, bund)

    @pytest.mark.parametrize("role", ["operator", "", "OWNER"])
    def test_refuses_what_is_no_role(self, owner, cashier, role):
        with pytest.raises(merchants.UnknownRole):
            change(cashier, owner, role)

    def test_finds_nobody_of_another_merchant(self, owner, hired, other_merchant):
        theirs = hired(CASHIER, at=other_merchant)
        before = places()

        with pytest.raises(NotFound):
            change(theirs, owner, MANAGER)
        with pytest.raises(NotFound):
            staff.leave(staff_id=theirs.pk, actor=owner, now=NOW)
        with pytest.raises(NotFound):
            staff.hand_over(staff_id=uuid4(), actor=owner)

        assert places() == before

    def test_refuses_what_somebody_changed_meanwhile(self, owner, hired, cashier):
        seen = staff.find(cashier.pk, merchant=cashier.merchant).version
        change(cashier, hired(OWNER), SUPPORT)

        with pytest.raises(ChangedMeanwhile):
            change(cashier, owner, DEVELOPER, seen=seen)

        assert Staff.objects.get(pk=cashier.pk).role == SUPPORT


class TestLeave:
    def test_writes_when(self, cashier):
        staff.leave(staff_id=cashier.pk, actor=cashier, now=NOW)

        assert Staff.objects.get(pk=cashier.pk).left_at == NOW

    def test_lets_a_manager_send_a_cashier_away(self, manager, cashier):
        staff.leave(staff_id=cashier.pk, actor=manager, now=NOW)

        assert Staff.objects.get(pk=cashier.pk).left_at == NOW

    def test_lets_nobody_send_those_above_away(self, owner, manager, cashier):
        before = places()

        for person, actor in ((owner, manager), (manager, cashier), (owner, cashier)):
            with pytest.raises(staff.MayNotGrant):
                staff.leave(staff_id=person.pk, actor=actor, now=NOW)

        assert places() == before

    def test_keeps_the_last_owner(self, owner, hired, other_merchant):
        hired(OWNER, at=other_merchant)
        gone = hired(OWNER)
        staff.leave(staff_id=gone.pk, actor=owner, now=NOW)

        with pytest.raises(staff.LastOwner):
            staff.leave(staff_id=owner.pk, actor=owner, now=NOW)

        assert Staff.objects.get(pk=owner.pk).left_at is None

    def test_does_not_count_an_owner_who_cannot_sign_in(self, owner, hired):
        shut_out = hired(OWNER)
        shut_out.user.is_active = False
        shut_out.user.save()

        with pytest.raises(staff.LastOwner):
            staff.leave(staff_id=owner.pk, actor=owner, now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_leaves_one_where_two_owners_leave_at_once(self, owner, hired):
        second = hired(OWNER)

        outcomes = race(*(lambda one=one: committed_leave(one) for one in (owner, second)))

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LastOwner", "Staff"]
        assert Staff.objects.filter(role=OWNER, left_at__isnull=True).count() == 1


def committed_leave(person):
    with transaction.atomic():
        return staff.leave(staff_id=person.pk, actor=person, now=NOW)


class TestHandOver:
    def test_changes_places(self, owner, hired, bund):
        manager = hired(MANAGER, stores=[bund])

        staff.hand_over(staff_id=manager.pk, actor=owner)

        assert Staff.objects.get(pk=manager.pk).role == OWNER
        assert [*manager.stores.all()] == []
        assert Staff.objects.get(pk=owner.pk).role == MANAGER

    def test_is_the_owners_alone(self, owner, manager, cashier):
        before = places()

        for actor in (manager, cashier):
            with pytest.raises(staff.MayNotGrant):
                staff.hand_over(staff_id=owner.pk, actor=actor)
        with pytest.raises(staff.NotOneself):
            staff.hand_over(staff_id=owner.pk, actor=owner)

        assert places() == before
