"""From what a door noted to what is kept: the one place where a request meets the allow-list.

A door notes references and no more; what is read, shortened, digested and left out of
them is decided here, by the writer's thread. Nothing that a client can fill at will is
kept as it came: an id only where it has an id's form, a parameter only where it is named
in the plain words of our own parameters, never a body, never the text of a message.
"""

import hashlib
import hmac
import re
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from merchant_platform.kernel import ids
from merchant_platform.kernel.wire import API_VERSION

# Of an answer, as much as its id stands in, and where it refuses, as much as its code and parameter stand in.
HEAD_BYTES, HEAD_BYTES_OF_ERROR = 64, 2_048
USER_AGENT_LENGTH = 200
_ID = re.compile(rf"[a-z]+(_test|_live)?_[0-9A-Za-z]{{{ids.TEXT_LENGTH}}}")
_ANSWERED_ID = re.compile(rb'\{"id":"([^"]{1,64})"')
_ERROR = re.compile(rb'\{"error":\{"type":"[a-z_]+","code":"([a-z0-9_]{1,64})"')
_PARAM = re.compile(rb'"param":"([^"\\]{1,100})"')
# `amount`, `lines[0][quantity]`: words and short numbers. A key of metadata, which clients choose, is cut off.
_OUR_PARAM = re.compile(r"[a-z_]{1,40}(\[([a-z_]{1,40}|[0-9]{1,4})\])*")
_UNKNOWN_PARAM = "parameter_unknown"
_FREE_KEYS = "metadata["
# A user agent is what the client says it is; what looks like a number of a card or a key is taken out.
_SECRETS = re.compile(r"[0-9](?:[ -]?[0-9]){11,}|\b(?:sk|rk|pk|whsec|cvc|cvv)[_=:]\S*", re.IGNORECASE)


class Noted(NamedTuple):
    """What a door appends, as a plain tuple in this order: references to what it has at hand."""

    id: UUID
    book_id: UUID
    method: str
    path: str
    path_ids: tuple[str, ...]
    status: int
    head: bytes
    key_id: UUID
    key_kind: str
    idempotency_key: str
    original_request_id: str
    ip: str
    user_agent: str
    duration_ns: int
    event_ids: tuple[UUID, ...]


class Line(NamedTuple):
    """What is kept: the columns of the table, in this order."""

    id: UUID
    book_id: UUID
    method: str
    path: str
    object_id: str
    status: int
    status_class: int
    error_code: str
    error_param: str
    key_id: UUID
    key_kind: str
    idempotency_key_hash: str
    original_request_id: str
    ip: str
    user_agent: str
    duration_us: int
    api_version: str
    event_ids: str


def kept(noted: Noted) -> Line:
    """What is kept of a request."""
    error_code, error_param = _error(noted.head)
    return Line(
        id=noted.id,
        book_id=noted.book_id,
        method=noted.method,
        path=noted.path,
        object_id=_object(noted),
        status=noted.status,
        status_class=noted.status // 100,
        error_code=error_code,
        error_param=error_param,
        key_id=noted.key_id,
        key_kind=noted.key_kind,
        idempotency_key_hash=hash_of(noted.idempotency_key) if noted.idempotency_key else "",
        original_request_id=noted.original_request_id,
        ip=noted.ip[:64],
        user_agent=_program(noted.user_agent),
        duration_us=noted.duration_ns // 1_000,
        api_version=API_VERSION,
        event_ids=",".join([event_id.hex for event_id in noted.event_ids]),
    )


def hash_of(idempotency_key: str) -> str:
    """16 hexadecimal digits that stand for an idempotency key. Keyed: who reads them cannot try what it was."""
    return hmac.digest(settings.SECRET_KEY.encode(), idempotency_key.encode(), hashlib.sha256).hex()[:16]


def _object(noted: Noted) -> str:
    """The object in the address, else the one in the answer."""
    for text in noted.path_ids:
        if _ID.fullmatch(text):
            return text
    answered = _ANSWERED_ID.match(noted.head)
    text = answered[1].decode("ascii", "replace") if answered else ""
    return text if _ID.fullmatch(text) else ""


def _error(head: bytes) -> tuple[str, str]:
    refused = _ERROR.match(head)
    if refused is None:
        return "", ""
    code = refused[1].decode()
    named = _PARAM.search(head)
    param = named[1].decode("utf-8", "replace") if named else ""
    if param.startswith(_FREE_KEYS):
        param = _FREE_KEYS.removesuffix("[")
    return code, param if code != _UNKNOWN_PARAM and _OUR_PARAM.fullmatch(param) else ""


@lru_cache(maxsize=1_024)
def _program(user_agent: str) -> str:
    """A user agent without secrets and without what cannot be shown. A program sends the same one every time."""
    told = _SECRETS.sub("…", user_agent[: 4 * USER_AGENT_LENGTH])
    return "".join(character for character in told if character.isprintable())[:USER_AGENT_LENGTH]
