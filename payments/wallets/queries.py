"""Questions about consumers, their wallets, and what they allow to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connections

from payments.wallets.models import Consumer, TopUp, Wallet
from security.merchants import queries as merchants


@dataclass(frozen=True, slots=True)
class Link:
    """A merchant's customer who is a consumer: the consumer's own act linked them."""

    book_id: UUID
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class Permission:
    """A mandate that stands: what it is used by with the merchant, and how far it goes."""

    id: UUID
    book_id: UUID
    method_id: UUID
    wallet_id: UUID
    limit_minor: int | None
    expires_at: datetime | None
    created_at: datetime


def consumer_of(*, user_id: UUID, mode: str) -> Consumer | None:
    """The consumer that a login is in a mode, if it is one."""
    return Consumer.objects.filter(user_id=user_id, mode=mode).first()


def wallets_of(consumer: Consumer) -> list[Wallet]:
    """A consumer's wallets, in the order in which they were opened."""
    return list(Wallet.objects.filter(consumer=consumer).order_by("pk"))


def is_top_up(*, intent_id: UUID, book_id: UUID) -> bool:
    """Whether a payment of the open book is a consumer's top-up. Only the platform's own book is asked."""
    return merchants.is_platforms(book_id) and TopUp.objects.filter(book_id=book_id, intent_id=intent_id).exists()


def links(consumer_id: UUID) -> list[Link]:
    """The merchants that know a consumer, over all books, newest first."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT book_id, customer_id FROM consumer_links_v1(%s)", [consumer_id])
        return [Link(*row) for row in cursor.fetchall()]


def permissions(consumer_id: UUID, *, now: datetime) -> list[Permission]:
    """What a consumer lets merchants take, over all books, newest first. A payment's own consent is none of them."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT id, book_id, method_id, wallet_id, limit_minor, expires_at, created_at"
            " FROM consumer_permissions_v1(%s, %s)",
            [consumer_id, now],
        )
        return [Permission(*row) for row in cursor.fetchall()]


def receipts(wallet: Wallet, entry_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The codes of the receipts of what a wallet paid, by entry, where there are some."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, code FROM wallet_receipts_v1(%s, %s::uuid[])", [wallet.account_id, list(entry_ids)]
        )
        return dict(cursor.fetchall())
