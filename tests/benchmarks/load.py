"""A closed-loop HTTP load: so many connections, each sending its next request when the answer is here.

Plain sockets and one epoll, because on a small machine the client's own cost is part of
what is measured: a request costs it some 40 microseconds.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Figures:
    """What one load saw. Latencies in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        if not ordered:
            return 0.0
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


@dataclass
class _Connection:
    socket: socket.socket
    requests: Iterator[bytes]
    sent_at: float = 0.0
    received: bytes = b""


def run(*, port: int, clients: int, seconds: float, requests: Callable[[int], Iterator[bytes]]) -> Figures:
    """Drive a server on the loopback for `seconds`; `requests(n)` is what client n sends."""
    selector = selectors.DefaultSelector()
    figures = Figures()
    started = time.perf_counter()
    ends = started + seconds
    for number in range(clients):
        peer = socket.create_connection(("127.0.0.1", port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(peer, requests(number))
        selector.register(peer, selectors.EVENT_READ, connection)
        _send(connection)
    open_connections = clients
    while open_connections:
        for key, _ in selector.select(timeout=30):
            connection = key.data
            chunk = connection.socket.recv(65536)
            if not chunk:
                raise ConnectionError("the server closed a connection under load")
            connection.received += chunk
            if not _is_whole(connection.received):
                continue
            now = time.perf_counter()
            status = connection.received[9:12]
            if status == b"200":
                figures.latencies.append(now - connection.sent_at)
            else:
                figures.errors.append(connection.received[:400].decode(errors="replace"))
            connection.received = b""
            if now < ends:
                _send(connection)
            else:
                selector.unregister(connection.socket)
                connection.socket.close()
                open_connections -= 1
    figures.seconds = time.perf_counter() - started
    return figures


def _send(connection: _Connection) -> None:
    request = next(connection.requests)
    connection.sent_at = time.perf_counter()
    connection.socket.sendall(request)


def _is_whole(received: bytes) -> bool:
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    raise ValueError("an answer without Content-Length")
