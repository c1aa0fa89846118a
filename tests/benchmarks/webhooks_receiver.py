"""The other side of the webhooks: one epoll that answers 200 as soon as a request is whole."""

import selectors
import socket

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def serve(descriptor: int) -> None:
    """Answer on an inherited socket until the process is ended."""
    listening = socket.socket(fileno=descriptor)
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ)
    received: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in selector.select():
            if key.fileobj is listening:
                peer, _address = listening.accept()
                selector.register(peer, selectors.EVENT_READ)
                received[peer] = b""
                continue
            peer = key.fileobj  # type: ignore[assignment]
            try:
                chunk = peer.recv(65_536)
            except ConnectionError:
                chunk = b""
            if not chunk:
                selector.unregister(peer)
                peer.close()
                del received[peer]
                continue
            received[peer] += chunk
            head, separator, body = received[peer].partition(b"\r\n\r\n")
            if separator and len(body) >= _length(head):
                received[peer] = b""
                peer.sendall(ANSWER)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
