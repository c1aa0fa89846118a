"""One webhook over the network: no private address, no redirect, no more than so many bytes and seconds.

The name is resolved and checked inside the connect, and the connection goes to the
checked address, so an answer of the DNS that changes in between changes nothing. TLS is
verified against the name. The whole exchange has one deadline, however slowly the other
side drips.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import certifi
import httpcore

from payments.webhooks import addresses

SECONDS_MAX = 15.0
# How much of an answer is read, and how much of that is kept.
BODY_READ_MAX, BODY_KEPT_MAX = 16 * 1024, 1024
# And of its headers, which their people read; cookies are nobody's business here.
HEADERS_KEPT_MAX, HEADER_LENGTH = 20, 200
_HEADERS_LEFT_OUT = frozenset({"set-cookie", "set-cookie2"})
KEEPALIVE_SECONDS = 5.0
DETAIL_LENGTH = 200

SUCCEEDED, HTTP_ERROR, REDIRECTED, TIMED_OUT, UNREACHABLE, REFUSED_ADDRESS = (
    "succeeded",
    "http_error",
    "redirected",
    "timed_out",
    "unreachable",
    "refused_address",
)

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one request. `retry_after` is what the endpoint asked for."""

    outcome: str
    duration_ms: int
    http_status: int | None = None
    body: str = ""
    headers: str = ""
    detail: str = ""
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.outcome == SUCCEEDED


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Sender:
    """Sends requests from as many threads at once as it has places. Connections are kept a few seconds."""

    def __init__(
        self,
        *,
        places: int,
        resolver: Resolve = resolve,
        seconds_max: float = SECONDS_MAX,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds_max = seconds_max
        self._backend = _GuardedBackend(resolver, places)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or ssl.create_default_context(cafile=certifi.where()),
            max_connections=places,
            max_keepalive_connections=places,
            keepalive_expiry=KEEPALIVE_SECONDS,
            http1=True,
            http2=False,
            network_backend=self._backend,
        )

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send one request. This will never raise for what the network or the other side does."""
        started = time.monotonic()
        self._backend.deadline = started + self._seconds_max

        def reply(outcome: str, detail: str = "", **found: Any) -> Reply:
            took = round((time.monotonic() - started) * 1000)
            return Reply(outcome=outcome, duration_ms=took, detail=detail[:DETAIL_LENGTH], **found)

        try:
            target = addresses.read(url)
            status, answered, received = self._exchange(target, headers, body)
        except addresses.RefusedAddress as error:
            return reply(REFUSED_ADDRESS, str(error))
        except addresses.InvalidUrl as error:
            return reply(REFUSED_ADDRESS, error.message)
        except (httpcore.TimeoutException, TimeoutError):
            return reply(TIMED_OUT, f"no complete answer within {self._seconds_max:g} seconds")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return reply(UNREACHABLE, f"{type(error).__name__}: {error}")
        shown = received[:BODY_KEPT_MAX].decode("utf-8", "replace").replace("\0", "�")
        outcome = SUCCEEDED if 200 <= status < 300 else REDIRECTED if 300 <= status < 400 else HTTP_ERROR
        asked = None if outcome == SUCCEEDED else _retry_after(answered)
        return reply(outcome, http_status=status, body=shown, headers=_shown(answered), retry_after=asked)

    def close(self) -> None:
        """This will end all connections."""
        self._pool.close()
        self._backend.close()

    def _exchange(
        self, target: addresses.Target, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        address = httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        )
        sent = {"Host": target.authority, **headers, "Content-Length": str(len(body)), "Accept-Encoding": "identity"}
        with self._pool.stream("POST", address, headers=list(sent.items()), content=body) as response:
            received = bytearray()
            for chunk in response.iter_stream():
                received += chunk
                if len(received) >= BODY_READ_MAX:
                    break  # leaving the block early ends the connection
            answered = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return response.status, answered, bytes(received)


class _GuardedBackend(httpcore.NetworkBackend):
    """Connections to checked addresses alone, and with the deadline of the thread that makes them."""

    def __init__(self, resolver: Resolve, places: int) -> None:
        self._resolver = resolver
        self._sockets = httpcore.SyncBackend()
        self._thread = threading.local()
        # The system's resolver cannot be interrupted, but one can stop waiting for it.
        self._lookups = ThreadPoolExecutor(places, thread_name_prefix="resolver")

    @property
    def deadline(self) -> float:
        return self._thread.deadline

    @deadline.setter
    def deadline(self, at: float) -> None:
        self._thread.deadline = at

    def left(self) -> float:
        """Seconds until the deadline. Raises httpcore.ReadTimeout when they are over."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise httpcore.ReadTimeout
        return seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        found = self._lookups.submit(self._resolver, host, port).result(timeout=self.left())
        if not addresses.is_allowed(host, port):
            addresses.check_resolved(found)
        trouble: Exception = OSError("the name has no address")
        for address in found:
            try:
                stream = self._sockets.connect_tcp(address, port, timeout=self.left(), socket_options=socket_options)
                return _TimedStream(stream, self)
            except httpcore.ConnectError as error:
                trouble = error
        raise trouble

    def connect_unix_socket(self, *args: Any, **options: Any) -> httpcore.NetworkStream:
        raise addresses.RefusedAddress("a webhook goes over the network")

    def close(self) -> None:
        self._lookups.shutdown(wait=False, cancel_futures=True)


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline of the thread that waits."""

    def __init__(self, stream: httpcore.NetworkStream, backend: _GuardedBackend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._backend.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout=self._backend.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname=server_hostname, timeout=self._backend.left()),
            self._backend,
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _shown(headers: Mapping[str, str]) -> str:
    """Headers for a person: the first ones, a line each, shortened."""
    told = [(name, value) for name, value in headers.items() if name not in _HEADERS_LEFT_OUT][:HEADERS_KEPT_MAX]
    return "\n".join(f"{name}: {value}"[:HEADER_LENGTH] for name, value in told).replace("\0", "�")


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """What Retry-After asks for (RFC 9110, 10.2.3): seconds, or a time."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value[:9]), 10**8))
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - datetime.now(UTC)
    return max(wait, timedelta(0))
