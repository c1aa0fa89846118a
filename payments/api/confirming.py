"""What confirming a payment intent and a setup intent have in common: a client secret, and a provider to be asked."""

from collections.abc import Callable
from typing import Any

from merchant_platform.kernel import idempotency
from merchant_platform.kernel.api.doors import Answer, Call, body
from merchant_platform.kernel.api.params import InvalidParameter
from merchant_platform.kernel.idempotency import Asked
from merchant_platform.kernel.writes import Writes
from payments.api.addresses import not_here
from payments.intents import objects, provider_road
from payments.intents.provider_road import Heard, Question

First = Callable[[Writes], Answer | Asked[Question]]
Second = Callable[[Question, Heard, Writes], Answer]


def around(call: Call, *, first: First, second: Second) -> Answer:
    """Run a request that may have to ask a provider between its two transactions."""
    return idempotency.run_around(
        call.book_id,
        call.idempotency,
        first=first,
        ask=lambda question: provider_road.ask(question, now=call.now),
        second=second,
    )


def expanded(call: Call, shown: dict[str, Any], writes: Writes) -> str:
    """An answer's JSON. Where the request asks for more than the object, what is to be written is, to be read."""
    if call.params.expand:
        writes.send()
    return body(call, shown)


def check_secret(call: Call, prefix: str) -> None:
    """A publishable key sees one object, by its secret. Raises as if the object did not exist."""
    given = call.params.client_secret
    if given is None and call.caller.kind == "publishable":
        raise InvalidParameter(
            "Missing required param: client_secret.", code="parameter_missing", param="client_secret"
        )
    if given is not None and not objects.is_client_secret(call.path["id"], given):
        raise not_here(call, prefix)
