"""Ids in addresses and parameters, and what an operation is told of its request."""

from uuid import UUID

from merchant_platform.kernel import ids
from merchant_platform.kernel.api.doors import Call
from merchant_platform.kernel.errors import missing
from payments.origin import Origin


def path_id(call: Call, prefix: str) -> UUID:
    """The id in the address. Raises NotFound for what cannot be one: the caller sees no difference."""
    text = call.path["id"]
    try:
        return ids.parse(prefix, text)
    except ids.MalformedId as error:
        raise missing(ids.kind(prefix).replace(" ", "_"), text[:100]) from error


def not_here(call: Call, prefix: str) -> Exception:
    """No row of this book has the id in the address."""
    return missing(ids.kind(prefix).replace(" ", "_"), call.path["id"][:100])


def origin(call: Call) -> Origin:
    return Origin(livemode=call.caller.livemode, request_id=call.request_id, idempotency_key=call.idempotency_key)


def mode(call: Call) -> str:
    return "live" if call.caller.livemode else "test"
