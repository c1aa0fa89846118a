"""Invitations: one link, for one address, once, until a time, and worth what its writer may grant."""

from datetime import timedelta

import pytest
from django.db import transaction

from merchant_platform.kernel.errors import NotFound
from security.access.roles import CASHIER, MANAGER, OWNER
from security.identity.models import User
from security.merchants import invitations, staff
from security.merchants import operations as merchants
from security.merchants.models import Invitation, Staff
from tests.cast import NOW, race

pytestmark = pytest.mark.django_db

EMAIL = "wang.fang@example.com"


def invite(actor, *, email=EMAIL, role=CASHIER, stores=(), now=NOW):
    return invitations.invite(email=email, role=role, store_ids=[store.pk for store in stores], actor=actor, now=now)


@pytest.fixture
def guest():
    return User.objects.create_user(email=EMAIL)


class TestInvite:
    def test_keeps_a_digest_alone(self, manager, bund):
        invitation, secret = invite(manager, email=" Wang.Fang@Example.com ", stores=[bund])

        row = Invitation.objects.get()
        assert (row.email, row.role, row.store_ids, row.invited_by) == (EMAIL, CASHIER, [bund.pk], manager)
        assert (row.sent_at, row.expires_at) == (NOW, NOW + timedelta(days=7))
        assert bytes(row.digest) == invitations.digest(secret)
        assert secret not in str(vars(row))
        assert invitations.find(secret, now=NOW) == invitation

    def test_is_open_once_an_address(self, manager, owner, hired, other_merchant):
        invite(manager)

        with pytest.raises(invitations.AlreadyInvited):
            invite(owner)
        invite(hired(OWNER, at=other_merchant))

        assert Invitation.objects.count() == 2

    def test_is_not_for_who_works_here(self, manager, cashier):
        with pytest.raises(invitations.AlreadyStaff):
            invite(manager, email=cashier.user.email.upper())

    def test_gives_no_more_than_the_writer_may(self, manager, cashier, hired, bund, park):
        for actor, role, stores in (
            (manager, OWNER, ()),
            (manager, MANAGER, ()),
            (cashier, CASHIER, ()),
            (hired(MANAGER, stores=[bund]), CASHIER, ()),
            (hired(MANAGER, stores=[bund]), CASHIER, (park,)),
        ):
            with pytest.raises(staff.MayNotGrant):
                invite(actor, role=role, stores=stores)

        assert Invitation.objects.count() == 0

    def test_is_bounded(self, manager, monkeypatch):
        monkeypatch.setattr(invitations, "OPEN_MAX", 1)
        invite(manager)

        with pytest.raises(invitations.TooManyOpen):
            invite(manager, email="another@example.com")


class TestAccept:
    def test_gives_the_place(self, manager, merchant, guest, bund):
        _, secret = invite(manager, stores=[bund])

        person = invitations.accept(secret=secret, user=guest, now=NOW)

        assert (person.merchant, person.user, person.role, [*person.stores.all()]) == (
            merchant,
            guest,
            CASHIER,
            [bund],
        )
        assert Invitation.objects.get().accepted_at == NOW

    def test_happens_once(self, manager, guest):
        _, secret = invite(manager)
        invitations.accept(secret=secret, user=guest, now=NOW)

        with pytest.raises(invitations.Unusable):
            invitations.accept(secret=secret, user=guest, now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_of_two_at_once_happens_once(self, manager, guest):
        with transaction.atomic():
            _, secret = invite(manager)

        def accept():
            with transaction.atomic():
                return invitations.accept(secret=secret, user=guest, now=NOW)

        outcomes = race(accept, accept)

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Staff", "Unusable"]
        assert Staff.objects.filter(user=guest).count() == 1

    def test_is_for_the_address_alone(self, manager, cashier):
        _, secret = invite(manager)

        with pytest.raises(invitations.AnotherAddress):
            invitations.accept(secret=secret, user=cashier.user, now=NOW)

        assert Invitation.objects.get().accepted_at is None

    def test_ends_with_its_time(self, manager, guest):
        _, secret = invite(manager)

        with pytest.raises(invitations.Unusable):
            invitations.accept(secret=secret, user=guest, now=NOW + invitations.WORKS_FOR)
        invitations.find(secret, now=NOW + invitations.WORKS_FOR - timedelta(seconds=1))

    def test_ends_with_what_its_writer_may(self, owner, manager, guest):
        _, secret = invite(manager)
        staff.change(staff_id=manager.pk, role=CASHIER, store_ids=[], actor=owner, seen=None)

        with pytest.raises(invitations.Unusable):
            invitations.accept(secret=secret, user=guest, now=NOW)

        staff.change(staff_id=manager.pk, role=MANAGER, store_ids=[], actor=owner, seen=None)
        staff.leave(staff_id=manager.pk, actor=owner, now=NOW)
        with pytest.raises(invitations.Unusable):
            invitations.accept(secret=secret, user=guest, now=NOW)
        assert Staff.objects.filter(user=guest).count() == 0

    def test_takes_back_who_left(self, owner, merchant, guest, bund):
        before = merchants.hire(user=guest, merchant=merchant, role=OWNER, now=NOW)
        staff.leave(staff_id=before.pk, actor=owner, now=NOW)
        _, secret = invite(owner, stores=[bund])

        person = invitations.accept(secret=secret, user=guest, now=NOW)

        assert (person.pk, person.role, person.left_at, [*person.stores.all()]) == (before.pk, CASHIER, None, [bund])

    @pytest.mark.parametrize("secret", ["", "x", "x" * 43, "\x00", "汉"])
    def test_opens_nothing_by_guessing(self, manager, secret):
        invite(manager)

        with pytest.raises(invitations.Unusable):
            invitations.find(secret, now=NOW)


class TestSendAgain:
    def test_stops_the_old_link(self, manager, owner, guest):
        first, old = invite(manager)
        later = NOW + timedelta(days=8)

        again, new = invitations.send_again(invitation_id=first.pk, actor=owner, now=later)

        assert (again.pk, again.sent_at, again.expires_at) == (first.pk, later, later + invitations.WORKS_FOR)
        assert again.invited_by == owner
        with pytest.raises(invitations.Unusable):
            invitations.find(old, now=later)
        assert invitations.accept(secret=new, user=guest, now=later).role == CASHIER

    def test_waits_a_minute(self, manager):
        first, _ = invite(manager)

        with pytest.raises(invitations.TooSoon):
            invitations.send_again(invitation_id=first.pk, actor=manager, now=NOW + timedelta(seconds=59))

    def test_is_not_for_what_is_over(self, manager, guest):
        first, secret = invite(manager)
        invitations.accept(secret=secret, user=guest, now=NOW)

        with pytest.raises(invitations.NotOpen):
            invitations.send_again(invitation_id=first.pk, actor=manager, now=NOW + timedelta(days=1))

    def test_finds_nothing_of_another_merchant(self, manager, hired, other_merchant):
        first, _ = invite(manager)
        stranger = hired(OWNER, at=other_merchant)

        with pytest.raises(NotFound):
            invitations.send_again(invitation_id=first.pk, actor=stranger, now=NOW + timedelta(days=1))
        with pytest.raises(NotFound):
            invitations.revoke(invitation_id=first.pk, actor=stranger, now=NOW)

        assert Invitation.objects.get().revoked_at is None


class TestRevoke:
    def test_stops_the_link(self, manager, merchant):
        first, secret = invite(manager)

        invitations.revoke(invitation_id=first.pk, actor=manager, now=NOW)

        assert invitations.waiting(merchant) == []
        with pytest.raises(invitations.Unusable):
            invitations.find(secret, now=NOW)
        with pytest.raises(invitations.NotOpen):
            invitations.revoke(invitation_id=first.pk, actor=manager, now=NOW)
        invite(manager)

    def test_is_for_who_could_have_written_it(self, owner, manager, merchant):
        first, _ = invite(owner, role=MANAGER)

        with pytest.raises(staff.MayNotGrant):
            invitations.revoke(invitation_id=first.pk, actor=manager, now=NOW)

        assert invitations.waiting(merchant) == [first]
