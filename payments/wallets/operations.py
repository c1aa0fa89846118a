"""Open wallets, fund them, give and take back mandates."""

from datetime import datetime
from uuid import UUID

from merchant_platform.kernel import ids, tenancy
from merchant_platform.kernel.errors import Invalid, WrongState
from payments.ledger import chart
from payments.ledger import operations as ledger
from payments.wallets.models import Consumer, Mandate, TopUp, Wallet
from security.merchants import queries as merchants
from security.merchants.models import LIVE


class MandateRevoked(WrongState):
    """The mandate was taken back before."""


class WrongMode(Invalid):
    """Play money and real money never meet."""


def open_wallet(*, consumer: Consumer, currency: str, now: datetime) -> Wallet:
    """Open a consumer's wallet in a currency. This will write it and its guarded account, at zero."""
    wallet = Wallet(id=ids.new(now), consumer=consumer, currency=currency, mode=consumer.mode, created_at=now)
    wallet.account_id = wallet.account.id
    ledger.open_accounts([wallet.account])
    wallet.save(force_insert=True)
    return wallet


def open_for(*, user_id: UUID, currency: str, mode: str, now: datetime) -> Wallet:
    """Open a wallet for a login that has none in this mode. This will write the consumer and the wallet.

    Opens its own unit of work. A consumer's second wish for the same currency gives the
    wallet that is there.
    """
    with tenancy.within(merchants.platform_book_id(mode=mode)):
        consumer = Consumer(id=ids.new(now), user_id=user_id, mode=mode, created_at=now)
        Consumer.objects.bulk_create([consumer], ignore_conflicts=True)
        consumer = Consumer.objects.select_for_update().get(user_id=user_id, mode=mode)
        present = Wallet.objects.filter(consumer=consumer, currency=currency).first()
        return present or open_wallet(consumer=consumer, currency=currency, now=now)


def top_up(*, wallet: Wallet, amount_minor: int, reference: str, now: datetime) -> None:
    """Put money that has reached the bank into a wallet. This will post it in the platform's book.

    Opens its own unit of work, since that book is no merchant's. Raises
    ledger.AlreadyPosted for a reference that was used.
    """
    platform_book_id = merchants.platform_book_id(mode=wallet.mode)
    bank = chart.bank(platform_book_id, wallet.currency, wallet.mode)
    with tenancy.within(platform_book_id):
        ledger.open_accounts([bank])
        ledger.post(
            ledger.Draft(
                id=ids.new(now),
                reference=reference,
                kind="top_up",
                lines=[ledger.Line(bank, wallet.account, amount_minor)],
                unit=wallet.unit,
                effective_at=now,
                source_id=wallet.pk,
            )
        )


def land(*, intent_id: UUID, amount_minor: int, now: datetime) -> None:
    """Put what a top-up has just captured into its wallet. This will post it, in the capture's transaction.

    The gate of outside providers calls it for the platform's own book; what is no top-up
    stays with the platform. The entry means nothing to a merchant's balance but the
    platform's: what came by the charge is the consumer's.
    """
    top_up = TopUp.objects.select_related("wallet").filter(intent_id=intent_id).first()
    if top_up is None:
        return
    wallet = top_up.wallet
    ledger.post(
        ledger.Draft(
            id=ids.new(now),
            reference=f"top_up:{ids.show('pi', intent_id)}",
            kind="top_up",
            lines=[
                ledger.Line(chart.merchant(top_up.book_id, wallet.currency, wallet.mode), wallet.account, amount_minor)
            ],
            unit=wallet.unit,
            effective_at=now,
            amount_minor=-amount_minor,
            source_id=top_up.pk,
        )
    )


def open_test_wallet(*, balance_minor: int, currency: str, now: datetime) -> Wallet:
    """A new test consumer with one funded wallet. This will write both and post the funds, in its own unit of work."""
    mode = "test"
    platform_book_id = merchants.platform_book_id(mode=mode)
    with tenancy.within(platform_book_id):
        consumer = Consumer.objects.create(id=ids.new(now), mode=mode, created_at=now)
        wallet = open_wallet(consumer=consumer, currency=currency, now=now)
        if balance_minor:
            top_up(wallet=wallet, amount_minor=balance_minor, reference=f"top_up:{wallet.pk}", now=now)
    return wallet


def lock(*, consumer_id: UUID, currency: str, mode: str) -> Wallet | None:
    """A consumer's wallet in a currency, locked to be counted on; None where they have none."""
    wallets = Wallet.objects.select_for_update(no_key=True)
    return wallets.filter(consumer_id=consumer_id, currency=currency, mode=mode).first()


def count_exempt(*, wallet: Wallet, count: int, sum_minor: int) -> None:
    """Note on a locked wallet how many payments, and how much, were exempt as low. This will write both."""
    Wallet.objects.filter(pk=wallet.pk).update(exempt_count=count, exempt_minor=sum_minor)


def give_mandate(
    *, wallet: Wallet, now: datetime, limit_minor: int | None = None, expires_at: datetime | None = None
) -> Mandate:
    """Let the open book's merchant take from a wallet. This will write the mandate. The consumer's act.

    Raises WrongMode where one of them is live and the other is not.
    """
    if merchants.book(tenancy.book_id()).livemode != (wallet.mode == LIVE):
        raise WrongMode("A test wallet pays in test mode alone, a live one in live mode.", param="wallet")
    return Mandate.objects.create(
        id=ids.new(now),
        book_id=tenancy.book_id(),
        wallet=wallet,
        limit_minor=limit_minor,
        expires_at=expires_at,
        created_at=now,
    )


def revoke_mandate(*, mandate_id: UUID, now: datetime) -> None:
    """Take a mandate back. This will stop every later payment by it. Raises MandateRevoked."""
    if not Mandate.objects.filter(pk=mandate_id, revoked_at__isnull=True).update(revoked_at=now):
        raise MandateRevoked("The mandate was revoked before.")
