"""A merchant's server, real and on the loopback, which can be told how to misbehave by the path it is asked at."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "hooks.example.com"


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Answers 200 unless the path says otherwise; `answers` holds what is to be said at a path.

    An answer is a status, a status with headers and a body, or "hang". Paths of its own: `/reset`
    closes without a word, `/hang` waits until `released`, `/drip` sends a byte at a time,
    `/huge` sends without end.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.answers: dict[str, Any] = {}
        # Answers by what came in, where a path says nothing: a status for a request.
        self.judge: Callable[[Received], int] = lambda _: 200
        self.released = threading.Event()
        self.sent_bytes = 0
        self.under_way = self.under_way_max = 0
        self.connections = 0
        self.lock = threading.Lock()
        self.scheme = "http"

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/ok") -> str:
        return f"{self.scheme}://{self.authority}{path}"

    def at(self, path: str) -> list[Received]:
        """What came in at a path."""
        return [each for each in list(self.received) if each.path == path]

    def get_request(self):
        self.connections += 1
        return super().get_request()

    def handle_error(self, request, client_address) -> None:
        """A caller that hangs up is expected here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        with server.lock:
            self.came = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            server.received.append(self.came)
            server.under_way += 1
            server.under_way_max = max(server.under_way_max, server.under_way)
        try:
            getattr(self, self.path.strip("/"), self._say)()
        finally:
            with server.lock:
                server.under_way -= 1

    do_GET = do_POST

    def _say(self) -> None:
        status, headers, body = 200, {}, b"thank you"
        said = self.server.answers.get(self.path) or self.server.judge(self.came)
        if said == "hang":
            self.server.released.wait(2)
        elif isinstance(said, tuple):
            status, headers, body = said
        else:
            status = said
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        self.close_connection = True

    def hang(self) -> None:
        self.server.released.wait(60)
        self._say()

    def drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not self.server.released.wait(0.05):
            self.wfile.write(b".")
            self.wfile.flush()

    def huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(10**9))
        self.end_headers()
        self.close_connection = True
        while not self.server.released.is_set():
            self.wfile.write(b"x" * 65_536)
            self.server.sent_bytes += 65_536

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that answers until the block ends."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()


@contextmanager
def receiving_tls(folder: Path, name: str = NAME) -> Iterator[tuple[Receiver, ssl.SSLContext]]:
    """A receiver with a certificate for a name, and the context of a client that trusts it."""
    certificate = _certificate(folder, name)
    with receiving() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.scheme = "https"
        yield server, ssl.create_default_context(cafile=str(certificate))


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "receiver.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path
