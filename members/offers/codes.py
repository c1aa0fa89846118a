"""Promotion codes: made one by one, by the thousand, or for one customer; looked up as people type them."""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from members.offers import frames, objects, states
from members.offers.models import Offer, PromotionCode
from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, WrongState, missing
from merchant_platform.kernel.events.outbox import changed, publish, row
from merchant_platform.kernel.metadata import merge
from payments.customers import operations as customers
from payments.origin import Origin

BATCH_MAX = 10_000
CODE_LENGTH_MAX, PREFIX_LENGTH_MAX = 100, 20
# No letter that is read as a digit or the reverse: people type these from paper.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_DRAWN_LENGTH = 8
_TRIES = 3
CODE = re.compile(r"[A-Za-z0-9-]{1,100}")


class CodeTaken(Invalid):
    """An active code reads the same."""

    code = "resource_already_exists"


class CodeInvalid(Invalid):
    """A code has letters, digits and dashes."""


class CouponOver(WrongState):
    """The coupon behind the code is used up, over or gone."""

    code = "coupon_expired"


@dataclass(frozen=True, slots=True)
class CodeDraft:
    """A code as somebody wants it. Without a `code` one is drawn."""

    code: str | None = None
    customer_id: UUID | None = None
    expires_at: datetime | None = None
    redemptions_max: int | None = None
    minimum_minor: int | None = None
    minimum_currency: str = ""
    is_first_only: bool = False
    is_active: bool = True
    metadata: Mapping[str, str | None] | None = None


def key(text: str) -> str:
    """What somebody typed, as codes are compared: no case, no width, no space around."""
    return unicodedata.normalize("NFKC", text).strip().upper()[:CODE_LENGTH_MAX]


def create(*, offer: Offer, draft: CodeDraft, now: datetime, origin: Origin) -> PromotionCode:
    """Make a code. This will write it and tell `promotion_code.created`.

    Raises CodeTaken, CodeInvalid, CouponOver, Invalid, and NotFound for a customer who is not here.
    """
    _check(offer, draft, now)
    if draft.customer_id is not None:
        customers.find(draft.customer_id, param="customer")
    for _ in range(_TRIES):
        code = _row(offer, draft, draft.code or drawn(), now)
        try:
            with transaction.atomic():
                code.save(force_insert=True)
        except IntegrityError as error:
            if draft.code:
                raise CodeTaken("An active promotion code with this code exists.", param="code") from error
            continue
        _tell("created", code, now=now, origin=origin)
        return code
    raise CodeTaken("No free code was found. Try again.", param="code")


def generate(*, offer: Offer, draft: CodeDraft, count: int, prefix: str, now: datetime) -> UUID:
    """Make many codes at once, all by the same draft. This will write them, and name the batch.

    No event tells of each: the batch is one act. Raises CodeInvalid, CouponOver and Invalid.
    """
    if not 1 <= count <= BATCH_MAX:
        raise Invalid(f"Up to {BATCH_MAX} codes at once.", param="count")
    if prefix and (not CODE.fullmatch(prefix) or len(prefix) > PREFIX_LENGTH_MAX):
        raise CodeInvalid("A code has letters, digits and dashes.", param="prefix")
    _check(offer, draft, now)
    batch = ids.new(now)
    wanted = count
    while wanted:
        texts = {prefix.upper() + drawn() for _ in range(wanted)}
        rows = [_row(offer, draft, text, now, batch=batch) for text in sorted(texts)]
        PromotionCode.objects.bulk_create(rows, ignore_conflicts=True)
        wanted = count - PromotionCode.objects.filter(offer_id=offer.pk, batch=batch).count()
    return batch


def update(
    *,
    code_id: UUID,
    is_active: bool | None,
    metadata: Mapping[str, str | None] | None,
    now: datetime,
    origin: Origin,
) -> PromotionCode:
    """Switch a code on or off, or change what it carries along. This will tell `promotion_code.updated`.

    Raises NotFound, CodeTaken where another one is active by now, and CouponOver where its coupon is no use any more.
    """
    code = PromotionCode.objects.select_for_update(of=("self",)).select_related("offer").filter(pk=code_id).first()
    if code is None:
        raise missing("promotion code", ids.show("promo", code_id))
    before = objects.promotion_code(code, now=now, livemode=origin.livemode)
    if is_active and not code.is_active and not objects.is_valid(code.offer, now):
        raise CouponOver("The coupon of this code cannot be used any more.", param="active")
    if is_active is not None:
        code.is_active = is_active
    code.metadata = merge(code.metadata, metadata)
    try:
        with transaction.atomic():
            code.save(update_fields=["is_active", "metadata"])
    except IntegrityError as error:
        raise CodeTaken("An active promotion code with this code exists.", param="active") from error
    after = objects.promotion_code(code, now=now, livemode=origin.livemode)
    previous = changed(before, after)
    if previous:
        publish(row("promotion_code.updated", after, previous=previous, now=now, **origin.tags))
    return code


def drawn() -> str:
    """Eight characters by chance: of a thousand billion, none can be guessed from another."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_DRAWN_LENGTH))


def _check(offer: Offer, draft: CodeDraft, now: datetime) -> None:
    if offer.trigger != frames.CODE:
        raise Invalid("No code leads to this offer: it applies by itself.", param="promotion[coupon]")
    if offer.deleted_at is not None or offer.status == states.ENDED or offer.ends_at <= now:
        raise CouponOver("This coupon cannot be used any more.", param="promotion[coupon]")
    if draft.code is not None and not CODE.fullmatch(draft.code):
        raise CodeInvalid("A code has letters, digits and dashes.", param="code")
    if draft.redemptions_max is not None:
        most = 2_000_000_000 if offer.redemptions_max is None else offer.redemptions_max
        if not 1 <= draft.redemptions_max <= most:
            raise Invalid(f"This value must be between 1 and {most}.", param="max_redemptions")
    if draft.expires_at is not None and not now < draft.expires_at <= offer.ends_at:
        raise Invalid("A code expires later than now, and not after its coupon.", param="expires_at")


def _row(offer: Offer, draft: CodeDraft, text: str, now: datetime, *, batch: UUID | None = None) -> PromotionCode:
    fields: dict[str, Any] = {
        name: getattr(draft, name)
        for name in (
            *("customer_id", "expires_at", "redemptions_max", "minimum_minor", "minimum_currency"),
            *("is_first_only", "is_active"),
        )
    }
    return PromotionCode(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        offer=offer,
        code=text,
        code_key=key(text),
        batch=batch,
        metadata=merge({}, draft.metadata),
        created_at=now,
        **fields,
    )


def _tell(act: str, code: PromotionCode, *, now: datetime, origin: Origin) -> None:
    shown = objects.promotion_code(code, now=now, livemode=origin.livemode)
    publish(row(f"promotion_code.{act}", shown, now=now, **origin.tags))
