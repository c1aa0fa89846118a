"""Show a payment code, and take a payment by one (docs/adr/0018).

A code is what the consumer consents with: whoever shows it pays the one amount that the
till asks for. It is spent by compare-and-set in the payment's own transaction, so that of
many tills that read it one is paid. Codes live in the world's time, since a minute is
about a till and a phone.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Case, F, Q, Value, When

from merchant_platform.kernel import tenancy, tries
from merchant_platform.kernel.errors import Invalid, WrongState
from payments.customers import operations as customers
from payments.intents import operations as intents
from payments.intents import states, wallet_road
from payments.intents.models import PaymentIntent
from payments.origin import Origin
from payments.payment_codes import digits
from payments.payment_codes.models import PaymentCode
from payments.wallets import operations as wallets
from payments.wallets.models import Wallet
from security.merchants import queries as merchants
from security.merchants.models import LIVE

LASTS = timedelta(seconds=60)
# Codes that are none, which the tills of one book may ask for in a window: some are read a moment too late.
GUESSES_MAX, WINDOW_SECONDS = 300, 60
_GUESSES = "payment_code:guess"
# The mandate by which a code pays: used at once and taken back.
CONSENT_LASTS = timedelta(minutes=10)


class CodeUnknown(Invalid):
    """It is no code of a wallet here: mistyped, run out, shown anew since, or of the other mode."""

    code = "payment_code_invalid"


class CodeSpent(WrongState):
    """A code pays once."""

    code = "payment_code_spent"


class OverLimit(Invalid):
    """More than codes pay in a day: the consumer pays in another way."""

    code = "payment_code_limit_exceeded"


@dataclass(frozen=True, slots=True)
class Shown:
    """A fresh code, as its owner alone sees it."""

    code: str
    token: UUID
    expires_at: datetime


def show(*, wallet: Wallet, is_strong: bool, recorded: datetime) -> Shown:
    """Give a wallet a fresh code. This will write it in the place of the one before, which then opens nothing.

    `is_strong` says that the consumer proved themselves by two factors in this session.
    """
    code = digits.new()
    fresh = Shown(code, uuid4(), recorded + LASTS)
    row = {
        "digest": digits.digest(code),
        "token": fresh.token,
        "expires_at": fresh.expires_at,
        "is_strong": is_strong,
        "redeemed_at": None,
        "redeemed_book_id": None,
        "paid_minor": None,
    }
    PaymentCode.objects.bulk_create(
        [PaymentCode(wallet=wallet, day=recorded.date(), spent_minor=0, **row)],
        update_conflicts=True,
        unique_fields=["wallet"],
        update_fields=list(row),
    )
    return fresh


def pay(
    *,
    code: str,
    terms_: intents.Terms,
    now: datetime,
    recorded: datetime,
    origin: Origin,
) -> PaymentIntent:
    """Take a payment of the open book by a code that was shown. This will spend the code and write the payment.

    One transaction. A decline is an outcome: the intent then has `last_error`, and the code
    is spent. Raises CodeUnknown, CodeSpent and OverLimit, which leave it as it was.
    """
    book_id = tenancy.book_id()
    mode = LIVE if origin.livemode else "test"
    spent = _spend(code, terms_, mode=mode, book_id=book_id, recorded=recorded)
    mandate = wallets.give_mandate(
        wallet=spent.wallet, limit_minor=terms_.amount_minor, expires_at=now + CONSENT_LASTS, now=now
    )
    method = customers.save_wallet(customer=None, mandate=mandate, now=now, origin=origin)
    intent = intents.create(terms_=terms_, now=now, origin=origin)
    intent = wallet_road.confirm(intent_id=intent.pk, payment_method_id=method.pk, mode=mode, now=now, origin=origin)
    wallets.revoke_mandate(mandate_id=mandate.pk, now=now)
    if intent.status == states.SUCCEEDED:
        PaymentCode.objects.filter(pk=spent.pk).update(paid_minor=terms_.amount_minor)
    else:
        PaymentCode.objects.filter(pk=spent.pk).update(spent_minor=F("spent_minor") - terms_.amount_minor)
    return intent


@contextmanager
def guess(book_id: UUID) -> Iterator[None]:
    """Around a code that a till of a book asks for: one that is none counts.

    Raises tries.TooManyTries; without the cache no till is stopped.
    """
    made = tries.Guess()
    with ExitStack() as counted:
        with suppress(tries.CannotCount):
            made = counted.enter_context(tries.guess(_GUESSES, book_id.hex, limit=GUESSES_MAX, seconds=WINDOW_SECONDS))
        try:
            yield
        except CodeUnknown:
            made.is_wrong = True
            raise


def _spend(code: str, terms_: intents.Terms, *, mode: str, book_id: UUID, recorded: datetime) -> PaymentCode:
    """Take a code, locked until the unit of work ends, and count its amount on the day."""
    amount, today = terms_.amount_minor, recorded.date()
    found = None
    if digits.is_code(code):
        shown = PaymentCode.objects.select_related("wallet").filter(digest=digits.digest(code))
        found = shown.filter(wallet__mode=mode, wallet__currency=terms_.currency).first()
    if found is None:
        raise _unknown()
    limit = limit_of(terms_.currency, is_strong=found.is_strong)
    before = Case(When(day=today, then=F("spent_minor")), default=Value(0))
    taken = (
        PaymentCode.objects.annotate(before=before)
        .filter(
            Q(before__lte=limit - amount),
            digest=digits.digest(code),
            redeemed_at__isnull=True,
            expires_at__gt=recorded,
        )
        .update(
            redeemed_at=recorded,
            redeemed_book_id=book_id,
            spent_minor=before + amount,
            day=today,
        )
    )
    if not taken:
        raise _why_not(found.pk, code, recorded=recorded, limit=limit)
    return found


def _why_not(wallet_id: UUID, code: str, *, recorded: datetime, limit: int) -> Invalid:
    """Why a code was not taken, by its row as it now is."""
    present = PaymentCode.objects.get(pk=wallet_id)
    if bytes(present.digest) != digits.digest(code) or present.expires_at <= recorded:
        return _unknown()
    if present.redeemed_at is not None:
        return CodeSpent("This payment code was used before. Ask the customer to show a new one.", param="payment_code")
    return OverLimit(
        f"Payment codes of this wallet pay at most {limit} a day. Ask the customer to pay in another way.",
        param="amount",
    )


def _unknown() -> CodeUnknown:
    return CodeUnknown(
        "There is no such payment code, or it has run out. Ask the customer to show a new one.", param="payment_code"
    )


def limit_of(currency: str, *, is_strong: bool) -> int:
    """What codes of a wallet pay a day at most; nothing in a currency that settings do not name."""
    weak, strong = settings.PAYMENT_CODE_LIMITS.get(currency, (0, 0))
    return strong if is_strong else weak


def find(*, wallet: Wallet, token: UUID) -> PaymentCode | None:
    """A code that a wallet was given, as long as it is the present one. Reads only."""
    return PaymentCode.objects.filter(wallet=wallet, token=token).first()


def payee_of(code: PaymentCode) -> str:
    """The name of the merchant that was paid by a code."""
    assert code.redeemed_book_id is not None, "only what was paid was paid to somebody"
    return merchants.book(code.redeemed_book_id).merchant.name
