"""Invite people by e-mail: a link that works once, until a time, for whoever reads the address.

Only a digest of the link's secret is kept. Sending it again makes a new secret, and the
old link stops. Times are the world's.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from merchant_platform.kernel import ids
from merchant_platform.kernel.errors import Conflict, NotFound, TooMany, WrongState, missing
from security.access.roles import may_grant
from security.identity.models import User
from security.merchants import staff as people
from security.merchants.models import Invitation, Merchant, Staff, Store

WORKS_FOR = timedelta(days=7)
SENT_AGAIN_AFTER = timedelta(minutes=1)
# Invitations that wait at the same time: enough for a chain's opening day, too few for a mailing.
OPEN_MAX = 200
_ENTROPY_BYTES = 32


class AlreadyStaff(Conflict):
    """The person works at the merchant."""


class AlreadyInvited(Conflict):
    """An invitation to this address is open: it can be sent again."""


class NotOpen(WrongState):
    """The invitation was accepted or revoked."""


class TooSoon(TooMany):
    """It was sent a moment ago."""


class TooManyOpen(TooMany):
    """Too many invitations wait to be accepted."""


class Unusable(NotFound):
    """The link opens nothing: it never did, was used, was revoked, ran out, or its writer may not invite any more."""


class AnotherAddress(WrongState):
    """Who is signed in is not who was invited."""


def invite(
    *, email: str, role: str, store_ids: Collection[UUID], actor: Staff, now: datetime
) -> tuple[Invitation, str]:
    """Offer somebody a place. This will write the invitation and return it with the secret of its link.

    Raises AlreadyStaff, AlreadyInvited, TooManyOpen, and what staff.check_offer raises.
    """
    acting = people.lock_actor(actor)
    stores = people.check_offer(acting, role=role, store_ids=store_ids)
    email = User.objects.normalize(email)
    if Staff.objects.filter(merchant_id=acting.merchant_id, user__email=email, left_at__isnull=True).exists():
        raise AlreadyStaff("This person works here.", param="email")
    if _open(acting.merchant_id).count() >= OPEN_MAX:
        raise TooManyOpen("Too many invitations wait to be accepted. Revoke some first.")
    secret = secrets.token_urlsafe(_ENTROPY_BYTES)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                id=ids.new(now),
                merchant_id=acting.merchant_id,
                email=email,
                role=role,
                store_ids=sorted(store.pk for store in stores),
                invited_by=acting,
                digest=digest(secret),
                created_at=now,
                sent_at=now,
                expires_at=now + WORKS_FOR,
            )
    except IntegrityError as error:
        raise AlreadyInvited("An invitation to this address is open: send it again.", param="email") from error
    return invitation, secret


def send_again(*, invitation_id: UUID, actor: Staff, now: datetime) -> tuple[Invitation, str]:
    """Make a new link for an open invitation. This will stop the old one. Raises NotFound, NotOpen, TooSoon,
    and what staff.check_offer raises."""
    acting = people.lock_actor(actor)
    invitation = _locked(invitation_id, acting.merchant)
    people.check_offer(acting, role=invitation.role, store_ids=invitation.store_ids)
    if now < invitation.sent_at + SENT_AGAIN_AFTER:
        raise TooSoon("It was sent a moment ago. Wait a minute.", retry_after=SENT_AGAIN_AFTER.seconds)
    secret = secrets.token_urlsafe(_ENTROPY_BYTES)
    invitation.digest, invitation.sent_at, invitation.expires_at = digest(secret), now, now + WORKS_FOR
    invitation.invited_by = acting
    invitation.save(update_fields=["digest", "sent_at", "expires_at", "invited_by"])
    return invitation, secret


def revoke(*, invitation_id: UUID, actor: Staff, now: datetime) -> Invitation:
    """Take an open invitation back. This will stop its link. Raises NotFound, NotOpen and staff.MayNotGrant."""
    acting = people.lock_actor(actor)
    invitation = _locked(invitation_id, acting.merchant)
    if not may_grant(acting.role, invitation.role):
        raise people.MayNotGrant("Your role does not reach that far. Ask an owner.")
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at"])
    return invitation


def find(secret: str, *, now: datetime) -> Invitation:
    """The invitation that a link opens, with its merchant and who wrote it. Raises Unusable."""
    invitation = Invitation.objects.select_related("merchant", "invited_by__user").filter(digest=digest(secret)).first()
    if invitation is None or not _works(invitation, now):
        raise Unusable("This invitation does not work any more.")
    return invitation


def accept(*, secret: str, user: User, now: datetime) -> Staff:
    """Take the offered place. This will write the staff row, or open the one of somebody who left.

    Raises Unusable, AnotherAddress and AlreadyStaff.
    """
    offered = find(secret, now=now)
    # The order of every change of staff: the merchant first.
    merchant = Merchant.objects.select_for_update(no_key=True).get(pk=offered.merchant_id)
    invitation = Invitation.objects.select_for_update(of=("self",)).select_related("invited_by").get(pk=offered.pk)
    if bytes(invitation.digest) != digest(secret) or not _works(invitation, now):
        raise Unusable("This invitation does not work any more.")
    if user.email != invitation.email:
        raise AnotherAddress("This invitation is for another e-mail address.")
    person = Staff.objects.filter(user=user, merchant=merchant).first()
    if person is None:
        person = Staff.objects.create(
            id=ids.new(now), user=user, merchant=merchant, role=invitation.role, created_at=now
        )
    elif person.left_at is None:
        raise AlreadyStaff("You work here already.")
    else:
        person.role, person.left_at = invitation.role, None
        person.save(update_fields=["role", "left_at"])
    person.stores.set(Store.objects.filter(merchant=merchant, pk__in=invitation.store_ids))
    invitation.accepted_at = now
    invitation.save(update_fields=["accepted_at"])
    return person


def waiting(merchant: Merchant) -> list[Invitation]:
    """The open invitations of a merchant, newest first; those that ran out can be sent again."""
    return list(_open(merchant.pk).select_related("invited_by__user").order_by("-pk"))


def digest(secret: str) -> bytes:
    """What is kept of a link's secret. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def _works(invitation: Invitation, now: datetime) -> bool:
    writer = invitation.invited_by
    return (
        invitation.accepted_at is None
        and invitation.revoked_at is None
        and now < invitation.expires_at
        and writer.left_at is None
        and may_grant(writer.role, invitation.role)
    )


def _open(merchant_id: UUID):
    return Invitation.objects.filter(merchant_id=merchant_id, accepted_at__isnull=True, revoked_at__isnull=True)


def _locked(invitation_id: UUID, merchant: Merchant) -> Invitation:
    invitation = Invitation.objects.select_for_update().filter(pk=invitation_id, merchant=merchant).first()
    if invitation is None:
        raise missing("invitation", ids.show("inv", invitation_id))
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise NotOpen("This invitation is not open any more.")
    return invitation
