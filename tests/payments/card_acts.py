"""What a merchant's program does with cards, in one word each; every act goes through the API."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from merchant_platform.kernel import clock, tenancy
from merchant_platform.kernel.events import relay
from payments.intents import sweep
from payments.intents.models import Attempt
from payments.providers import port
from payments.providers.notices import operations as inbound
from security.merchants import queries as merchants
from security.merchants.models import Book
from tests.cast import NOW, Api, Reply

VISA = "4242424242424242"


def pay(
    api: Api, card: str | None = "pm_card_visa", amount: int = 10_000, *, key: str | None = None, **more: Any
) -> Reply:
    """Create and confirm at once, with a test card's name."""
    method = {"payment_method": card} if card else {}
    params = {"amount": amount, "currency": "cny", "confirm": True, **method, **more}
    return api.post("payment_intents", params, idempotency_key=key)


def paid(api: Api, card: str | None = "pm_card_visa", amount: int = 10_000, **more: Any) -> dict[str, Any]:
    """A payment that succeeds, or is held where it is manual."""
    answered = pay(api, card, amount, **more)
    assert answered.status == 200, answered.json
    return answered.json


def by_number(number: str, *, cvc: str = "123", **more: Any) -> dict[str, Any]:
    """The parameters of a payment with a card in the clear."""
    card = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": cvc}
    return {"payment_method_data": {"type": "card", "card": card}, **more}


def answer_challenge(intent: dict[str, Any], choice: str = "approve") -> None:
    """The payer answers the issuer's page."""
    url = intent["next_action"]["redirect_to_url"]["url"]
    port.find("sandbox").answer_challenge(url.rstrip("/").rpartition("/")[2], choice=choice)  # type: ignore[attr-defined]


def sweep_until_quiet(wall: datetime = NOW) -> None:
    """Let the clock's work run as the hours pass, until nothing is due any more."""
    for hours in range(4):
        at = wall + timedelta(hours=hours)
        sweep.sweep(at=at)
        sweep.sweep(at=at + timedelta(seconds=61))


def charges_of(book: Book) -> list[Attempt]:
    """Every attempt of a book, the oldest first."""
    with tenancy.within(book.pk):
        return list(Attempt.objects.order_by("pk"))


def at_the_acquirer(book: Book, day: datetime = NOW) -> dict[str, int]:
    """What the acquirer's statement of a day says, by kind."""
    sums: dict[str, int] = {}
    for line in port.find("sandbox").statement(account=book.pk.hex, day=day.date()):
        sums[line.kind] = sums.get(line.kind, 0) + line.amount_minor
    return sums


def notices(acquirer: Any) -> None:
    """Every notice that the acquirer has sent so far comes in and is applied, in the order of its coming."""
    for received in acquirer.notices:
        provider = port.find("sandbox")
        notice = provider.read_notice(headers=received.headers, body=received.body)
        book = merchants.book(UUID(hex=received.account))
        with tenancy.within(book.pk):
            inbound.receive(
                provider="sandbox",
                notice_id=notice.id,
                body=received.body.decode(),
                received_at=clock.wall(),
                now=book.now,
            )
    relay_all()


def relay_all() -> None:
    """Hand every event over to whom it is owed."""
    while relay.run_once(now=clock.wall()):
        pass
