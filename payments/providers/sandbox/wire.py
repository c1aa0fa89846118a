"""Requests to the acquirer: signed, with short time-outs, and honest about what a silence means."""

import os
import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from payments.providers.port import Unanswered, Unreachable
from payments.providers.sandbox import signing

# While these last nothing has left us.
NOTHING_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
CONNECT_SECONDS = 2.0
# Shorter than the acquirer keeps an idle connection, so that none is used that is being closed.
IDLE_SECONDS = 20.0
CONNECTIONS_MAX = 20


class Refused(ValueError):
    """The acquirer understood the question and refuses it: a bug of ours, or a key used for another one."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Wire:
    """One process's connections to the acquirer, made at the first question and made anew after a fork."""

    def __init__(self) -> None:
        self._client: httpx.Client | None = None
        self._pid = 0

    @sensitive_variables()
    def ask(self, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
        """Ask, and give the answer. Raises Unreachable, Unanswered, and Refused for a 4xx."""
        body = orjson.dumps(question)
        signature = signing.sign(
            settings.SANDBOX_ACQUIRER_SECRET, method="POST", path=path, body=body, at=int(time.time())
        )
        headers = {signing.HEADER: signature, "Content-Type": "application/json"}
        try:
            response = self._connections().post(
                settings.SANDBOX_ACQUIRER_URL + path,
                content=body,
                headers=headers,
                timeout=httpx.Timeout(settings.SANDBOX_ACQUIRER_TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
            )
        except NOTHING_LEFT as error:
            raise Unreachable(f"The acquirer could not be reached ({type(error).__name__}).") from error
        except httpx.TransportError as error:
            raise Unanswered(f"The acquirer did not answer ({type(error).__name__}).") from error
        return _read(response)

    def _connections(self) -> httpx.Client:
        if self._client is None or self._pid != os.getpid():
            limits = httpx.Limits(max_connections=CONNECTIONS_MAX, keepalive_expiry=IDLE_SECONDS)
            # trust_env: a proxy in somebody's environment must not see cards.
            self._client = httpx.Client(limits=limits, follow_redirects=False, trust_env=False)
            self._pid = os.getpid()
        return self._client


def _read(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise Unanswered(f"The acquirer's answer cannot be read ({response.status_code}).") from error
    if response.status_code == 200 and isinstance(answer, dict):
        return answer
    if 400 <= response.status_code < 500 and isinstance(answer, dict):
        raise Refused(response.status_code, str(answer.get("code", "")), str(answer.get("message", "")))
    raise Unanswered(f"The acquirer answered {response.status_code}.")
