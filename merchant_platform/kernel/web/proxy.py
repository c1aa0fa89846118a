"""Where a request comes from: its own connection, or what a trusted proxy says of it.

Settled once, below everything that asks. Behind a proxy that TRUSTED_PROXIES names,
REMOTE_ADDR becomes the client's address and the scheme the one that the client spoke,
and the proxy may pass on which certificate the client showed. From anybody else such
headers are removed unread, so that nothing further up can believe them by mistake.
"""

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Under this key of META stands the SHA-256 of the client's certificate, where the proxy verified one.
CLIENT_CERTIFICATE = "HTTP_X_CLIENT_CERTIFICATE_SHA256"
_TOLD = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)


class Proxies:
    """A WSGI application behind proxies."""

    def __init__(self, application: Application, *, trusted: Sequence[Network]) -> None:
        self._application = application
        # Bounded, and an address that was judged once need not be read again.
        self._is_trusted = lru_cache(maxsize=1_000)(lambda text: _is_in(text, trusted))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = self._client(environ)
            # Where there are several, the nearest proxy wrote the last.
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        else:
            environ.pop(CLIENT_CERTIFICATE, None)
        for header in _TOLD:
            environ.pop(header, None)
        return self._application(environ, start_response)

    def _client(self, environ: dict[str, Any]) -> str:
        """The last address that no proxy of ours has: what stands before it, anybody may have written."""
        nearest: str = environ["REMOTE_ADDR"]
        for told in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            told = told.strip()
            if _address(told) is None:
                break
            nearest = told
            if not self._is_trusted(told):
                break
        return nearest


def _is_in(text: str, trusted: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
