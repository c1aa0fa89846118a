"""Write offers: make, change by a new version, start, pause, end."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from members.offers import frames, objects, states
from members.offers import terms as rules
from members.offers.frames import Terms
from members.offers.models import FOREVER, Offer, OfferVersion, PromotionCode
from merchant_platform.kernel import ids, tenancy, versions
from merchant_platform.kernel.errors import Invalid, WrongState, missing
from merchant_platform.kernel.events.outbox import changed, publish, row
from merchant_platform.kernel.metadata import merge
from merchant_platform.kernel.states import advance
from payments.origin import Origin

COUNT_MAX = 2_000_000_000
_COUPON_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"


class CouponTaken(Invalid):
    """Another coupon has this id, now or formerly."""

    code = "resource_already_exists"


class LimitTooLow(Invalid):
    """More than that was used already."""


class OfferEnded(WrongState):
    """What has ended cannot be changed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When an offer runs, and how much of it there is. None is no limit."""

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    redemptions_max: int | None = None
    customer_max: int | None = None
    budget_minor: int | None = None
    units_max: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An offer as somebody wants it."""

    terms: Terms
    limits: Limits = field(default_factory=Limits)
    # The id of its coupon; one is drawn where codes lead to it and nobody chose.
    coupon: str | None = None
    metadata: Mapping[str, str | None] | None = None


def create(*, draft: Draft, is_active: bool, now: datetime, origin: Origin) -> Offer:
    """Make an offer. This will write it with its first version, and tell it.

    `coupon.created` where codes lead to it, else `offer.created`. Raises InvalidTerms and CouponTaken.
    """
    check(draft, now)
    coupon = (draft.coupon or drawn_coupon()) if draft.terms.trigger == frames.CODE else None
    offer = Offer(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        coupon=coupon,
        status=states.ACTIVE if is_active else states.DRAFT,
        metadata=merge({}, draft.metadata),
        created_at=now,
        updated_at=now,
        **_columns(draft, now),
    )
    try:
        with transaction.atomic():
            offer.save(force_insert=True)
    except IntegrityError as error:
        raise CouponTaken("A coupon with this id exists.", param="id") from error
    _write_version(offer, now)
    _tell("created", offer, now=now, origin=origin)
    return offer


def change(*, offer_id: UUID, draft: Draft, now: datetime, origin: Origin, seen: str | None = None) -> Offer:
    """Change what an offer says. This will write a new version, and tell it, unless nothing changes.

    Orders that were priced before keep the version of theirs. Raises NotFound,
    ChangedMeanwhile where `seen` is not what stands, InvalidTerms, LimitTooLow, and
    WrongState for what has ended.
    """
    offer = lock(offer_id)
    versions.check_seen(seen, offer.seen)
    if offer.status == states.ENDED:
        raise OfferEnded("This offer has ended: make a new one.")
    if draft.terms.kind != offer.kind or draft.terms.trigger != offer.trigger:
        raise rules.InvalidTerms("An offer keeps its kind, and whether codes lead to it.", param="kind")
    check(draft, offer.starts_at)
    before = _shown(offer, now, origin)
    columns = _columns(draft, offer.starts_at)
    if draft.metadata is not None:
        columns["metadata"] = merge(offer.metadata, draft.metadata)
    for most, used in (
        ("redemptions_max", offer.redeemed_count),
        ("budget_minor", offer.given_minor),
        ("units_max", offer.units_count),
    ):
        if columns[most] is not None and columns[most] < used:
            raise LimitTooLow("More than that was used already.", param=most)
    # JSON has no tuples.
    changes = {name: value for name, value in columns.items() if _plain(value) != _plain(getattr(offer, name))}
    if not changes:
        return offer
    for name, value in changes.items():
        setattr(offer, name, value)
    if set(changes) != {"metadata"}:
        offer.version += 1
    offer.updated_at = now
    offer.save(update_fields=[*changes, "version", "updated_at"])
    if set(changes) != {"metadata"}:
        _write_version(offer, now)
    _tell("updated", offer, now=now, origin=origin, before=before)
    return offer


def rename(
    *, offer_id: UUID, name: str | None, metadata: Mapping[str, str | None] | None, now: datetime, origin: Origin
) -> Offer:
    """Change what a coupon is called and carries along: all that its API may change. Raises what change does."""
    offer = lock(offer_id)
    present = draft_of(offer)
    terms = replace(present.terms, name=name) if name is not None else present.terms
    return change(offer_id=offer_id, draft=replace(present, terms=terms, metadata=metadata), now=now, origin=origin)


def set_status(*, offer_id: UUID, status: str, now: datetime, origin: Origin, seen: str | None = None) -> Offer:
    """Start, pause, resume or end an offer. This will write it and tell it. Raises NotFound and WrongState.

    Whoever is paying just now keeps what is held for them.
    """
    offer = lock(offer_id)
    versions.check_seen(seen, offer.seen)
    if offer.status == status:
        return offer
    before = _shown(offer, now, origin)
    advance(offer, to=status, moves=states.MOVES, updated_at=now)
    _tell("updated", offer, now=now, origin=origin, before=before)
    return offer


def delete_coupon(*, offer_id: UUID, now: datetime, origin: Origin) -> Offer:
    """Take a coupon away. This will end the offer, switch its codes off, and tell `coupon.deleted`. Raises NotFound."""
    offer = lock(offer_id)
    if offer.status != states.ENDED:
        advance(offer, to=states.ENDED, moves=states.MOVES)
    offer.deleted_at = offer.updated_at = now
    offer.save(update_fields=["deleted_at", "updated_at"])
    PromotionCode.objects.filter(offer_id=offer.pk, is_active=True).update(is_active=False)
    _tell("deleted", offer, now=now, origin=origin)
    return offer


def lock(offer_id: UUID) -> Offer:
    """An offer that is not deleted, locked until the unit of work ends. Raises NotFound."""
    offer = Offer.objects.select_for_update().filter(pk=offer_id, deleted_at__isnull=True).first()
    if offer is None:
        raise missing("offer", ids.show("offer", offer_id))
    return offer


def drawn_coupon() -> str:
    """A coupon's id by chance, as Stripe's look."""
    return "".join(secrets.choice(_COUPON_ALPHABET) for _ in range(8))


def draft_of(offer: Offer) -> Draft:
    """What somebody would have to want for the offer to stay as it is."""
    return Draft(
        terms=Terms.read(offer.terms),
        limits=Limits(
            starts_at=offer.starts_at,
            ends_at=offer.ends,
            redemptions_max=offer.redemptions_max,
            customer_max=offer.customer_max,
            budget_minor=offer.budget_minor,
            units_max=offer.units_max,
        ),
        coupon=offer.coupon,
    )


def check(draft: Draft, starts_at: datetime) -> None:
    """Whether an offer can be as somebody wants it; it begins at `starts_at` unless it says so. Raises InvalidTerms."""
    rules.check(draft.terms)
    limits = draft.limits
    for name in ("redemptions_max", "customer_max", "units_max"):
        value = getattr(limits, name)
        if value is not None and not 1 <= value <= COUNT_MAX:
            raise rules.InvalidTerms(f"A limit is between 1 and {COUNT_MAX}.", param=name)
    if limits.units_max is not None and draft.terms.kind != frames.FLASH:
        raise rules.InvalidTerms("Only a flash sale counts pieces.", param="units_max")
    if limits.budget_minor is not None:
        if draft.terms.currency is None:
            raise rules.InvalidTerms("An offer with amounts names their currency.", param="currency")
        if not 1 <= limits.budget_minor <= 10**15:
            raise rules.InvalidTerms("A budget is an amount above zero.", param="budget_minor")
    if limits.ends_at is not None and limits.ends_at <= (limits.starts_at or starts_at):
        raise rules.InvalidTerms("An offer ends after it begins.", param="ends_at")


def _columns(draft: Draft, starts_at: datetime) -> dict[str, Any]:
    terms, limits = draft.terms, draft.limits
    return {
        "name": terms.name,
        "kind": terms.kind,
        "trigger": terms.trigger,
        "terms": terms.as_json(),
        "starts_at": limits.starts_at or starts_at,
        "ends_at": limits.ends_at or FOREVER,
        "redemptions_max": limits.redemptions_max,
        "customer_max": limits.customer_max,
        "budget_minor": limits.budget_minor,
        "units_max": limits.units_max,
    }


def _write_version(offer: Offer, now: datetime) -> None:
    said = {
        "terms": offer.terms,
        "starts_at": offer.starts_at.isoformat(),
        "ends_at": offer.ends_at.isoformat() if offer.ends else None,
        "redemptions_max": offer.redemptions_max,
        "customer_max": offer.customer_max,
        "budget_minor": offer.budget_minor,
        "units_max": offer.units_max,
    }
    OfferVersion.objects.create(
        id=ids.new(now), book_id=offer.book_id, offer=offer, number=offer.version, terms=said, created_at=now
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _shown(offer: Offer, now: datetime, origin: Origin) -> dict[str, Any]:
    if offer.coupon is not None:
        return objects.coupon(offer, now=now, livemode=origin.livemode)
    return objects.offer(offer, livemode=origin.livemode)


def _tell(act: str, offer: Offer, *, now: datetime, origin: Origin, before: dict[str, Any] | None = None) -> None:
    kind = "offer" if offer.coupon is None else "coupon"
    shown = _shown(offer, now, origin)
    previous = None if before is None else changed(before, shown)
    publish(row(f"{kind}.{act}", shown, previous=previous, now=now, **origin.tags))
