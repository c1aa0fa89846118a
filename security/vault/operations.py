"""Keep a card, open it for one call, destroy it; wrap the books' keys anew."""

from datetime import datetime
from uuid import UUID

import orjson
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Forbidden, NotFound
from merchant_platform.kernel.rows import unsaved
from merchant_platform.kernel.writes import Writes, writing
from security.merchants import queries as merchants
from security.vault import cards, keys
from security.vault.boxes import Box
from security.vault.cards import ClearCard
from security.vault.keys import Sealed
from security.vault.models import CardToken, DataKey

PLATFORM = "platform"


class VaultOff(Forbidden):
    """Real cards are not kept here unless the platform's owner switched it on."""

    code = "vault_off"


class NoCard(NotFound):
    """There is no such card in the open book, or it was destroyed."""


@sensitive_variables()
def keep_card(*, card: ClearCard, now: datetime, into: Writes | None = None) -> CardToken:
    """Put a card under seal in the open book. This will write its token, and the book's key at its first card.

    Raises cards.CardUnusable for what cannot be a valid card at `now`, VaultOff in a live
    book unless settings.VAULT_IN_LIVE, and Unavailable where the vault has no keys.
    """
    book_id = tenancy.book_id()
    if merchants.is_live(book_id) and not settings.VAULT_IN_LIVE:
        raise VaultOff("This platform does not take live cards itself.")
    brand = cards.brand_of(card.number)
    exp_year = cards.check_expiry(card.exp_month, card.exp_year, now=now)
    key = _key_of(book_id, now=now)
    data_key = _unwrapped(key)
    token_id = ids.new(now)
    clear = orjson.dumps({"number": card.number, "holder": card.holder})
    sealed = keys.seal(data_key, clear, about=keys.about_card(book_id, token_id))
    token = unsaved(
        CardToken,
        id=token_id,
        book_id=book_id,
        data_key_id=key.pk,
        nonce=sealed.nonce,
        ciphertext=sealed.text,
        brand=brand,
        funding=cards.funding_of(card.number),
        last4=card.number[-4:],
        exp_month=card.exp_month,
        exp_year=exp_year,
        fingerprint=keys.fingerprint(data_key, card.number),
        created_at=now,
    )
    with writing(into) as writes:
        writes.insert(token)
    return token


@sensitive_variables()
def open_card(*, token_id: UUID) -> ClearCard:
    """What stands on a card of the open book, for the length of one call. Reads only.

    Raises NoCard, and keys.Tampered where the row is not what was written.
    """
    book_id = tenancy.book_id()
    token = CardToken.objects.select_related("data_key").filter(book_id=book_id, pk=token_id).first()
    if token is None or token.nonce is None or token.ciphertext is None:
        raise NoCard("This card is not kept here any more.")
    sealed = Sealed(bytes(token.nonce), bytes(token.ciphertext))
    clear = orjson.loads(keys.unseal(_unwrapped(token.data_key), sealed, about=keys.about_card(book_id, token_id)))
    return ClearCard(number=clear["number"], exp_month=token.exp_month, exp_year=token.exp_year, holder=clear["holder"])


def destroy_card(*, token_id: UUID) -> None:
    """Forget a card of the open book. This will delete its ciphertext; brand and last four stay. Raises NoCard."""
    kept = CardToken.objects.filter(book_id=tenancy.book_id(), pk=token_id, ciphertext__isnull=False)
    destroyed = kept.update(nonce=None, ciphertext=None)
    if not destroyed:
        raise NoCard("This card is not kept here any more.")


@sensitive_variables()
def box(purpose: str, *, now: datetime) -> Box:
    """A box for short texts about people, under keys of the open book and of this purpose alone.

    This will write the book's data key where it has none. Raises Unavailable where the vault has no keys.
    """
    book_id = tenancy.book_id()
    data_key = _unwrapped(_key_of(book_id, now=now))
    return Box(
        book_id,
        keys.derive(data_key, f"{purpose}: seal".encode()),
        keys.derive(data_key, f"{purpose}: digest".encode()),
    )


def rotate() -> int:
    """Wrap every book's data key by the current key. This will write one row a key, each by itself; gives how many.

    No card is opened. Ended half-way it goes on where it stopped; run twice it finds
    nothing to do. Raises Unavailable for a data key whose old wrapping key is gone.
    """
    ring, done = keys.ring(), 0
    outdated = DataKey.objects.using(PLATFORM).exclude(wrapped_by=ring.current_id)
    for key in outdated.order_by("pk").iterator(chunk_size=500):
        data_key = ring.unwrap(_sealed(key), book_id=key.book_id, key_id=key.pk, wrapped_by=key.wrapped_by)
        wrapped = ring.wrap(data_key, book_id=key.book_id, key_id=key.pk)
        done += outdated.filter(pk=key.pk, wrapped_by=key.wrapped_by).update(
            wrapped_by=ring.current_id, nonce=wrapped.nonce, wrapped=wrapped.text
        )
    return done


def _key_of(book_id: UUID, *, now: datetime) -> DataKey:
    """A book's data key, made where it has none. Of two that make one at once, the first to commit wins."""
    known = DataKey.objects.filter(book_id=book_id).first()
    if known:
        return known
    ring, key_id = keys.ring(), ids.new(now)
    wrapped = ring.wrap(keys.new_key(), book_id=book_id, key_id=key_id)
    made = DataKey(
        id=key_id,
        book_id=book_id,
        wrapped_by=ring.current_id,
        nonce=wrapped.nonce,
        wrapped=wrapped.text,
        created_at=now,
    )
    DataKey.objects.bulk_create([made], ignore_conflicts=True)
    return DataKey.objects.get(book_id=book_id)


def _unwrapped(key: DataKey) -> bytes:
    return keys.ring().unwrap(_sealed(key), book_id=key.book_id, key_id=key.pk, wrapped_by=key.wrapped_by)


def _sealed(key: DataKey) -> Sealed:
    return Sealed(bytes(key.nonce), bytes(key.wrapped))
