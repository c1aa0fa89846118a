"""Where a webhook may go: the form of an endpoint's address, and the network address behind its name.

The form is checked when an endpoint is made; no name is resolved then, because its
answer may change. At each connect the resolved addresses are checked, and the
connection goes to one of those very addresses (sending.py).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

from merchant_platform.kernel.errors import Invalid

URL_LENGTH_MAX = 2_048
DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?", re.ASCII)
# As the URL standard tells a number from a name: by its last label.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that a network gives its own machines (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal).
_PRIVATE_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa")
# What `is_global` lets through and no webhook has business with.
_REFUSED = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # the metadata and DNS service of Azure
        "192.0.0.0/24",  # special purposes, metadata of Oracle among them
        "192.88.99.0/24",  # relays of 6to4
        "64:ff9b::/96",  # NAT64: an IPv4 address inside, private ones too
        "64:ff9b:1::/48",  # NAT64 of a network's own
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "::/96",  # IPv4 in its old IPv6 clothes
        "fec0::/10",  # site-local
    )
)


class InvalidUrl(Invalid):
    """The address cannot be an endpoint's."""

    code = "url_invalid"


class RefusedAddress(OSError):
    """The name leads to where no webhook may go."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address, read once: what was checked is what is connected to."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        return self.host if self.port == DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"


def read(url: str) -> Target:
    """The parts of an endpoint's address. Raises InvalidUrl for what is none."""
    if len(url) > URL_LENGTH_MAX:
        raise InvalidUrl(f"The URL is longer than {URL_LENGTH_MAX} characters.", param="url")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidUrl("The URL must be plain ASCII without spaces: write other letters in their encoded form.",
                         param="url")  # fmt: skip
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidUrl("Not a valid URL.", param="url") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise InvalidUrl("Invalid URL: an explicit scheme (https) must be provided.", param="url")
    if "@" in parts.netloc:
        raise InvalidUrl("The URL must not carry a user name or a password.", param="url")
    if parts.fragment:
        raise InvalidUrl("The URL must not have a fragment.", param="url")
    host = (parts.hostname or "").lower()
    if "[" in parts.netloc or not _HOST.fullmatch(host) or len(host) > 253 or port == 0:
        raise InvalidUrl("The URL must name its host, by a domain name.", param="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme=parts.scheme, host=host, port=port or DEFAULT_PORTS[parts.scheme], path=path)


def check_form(url: str, *, livemode: bool) -> None:
    """Raises InvalidUrl for an address that an endpoint of this mode cannot have. Resolves no name."""
    target = read(url)
    if livemode and target.scheme != "https":
        raise InvalidUrl("Invalid URL: in live mode the address must begin with https://.", param="url")
    if is_allowed(target.host, target.port):
        return
    labels = target.host.rstrip(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise InvalidUrl("The URL must name its host by a domain name, not by a number.", param="url")
    if len(labels) == 1 or any(f".{'.'.join(labels)}".endswith(f".{name}") for name in _PRIVATE_NAMES):
        raise InvalidUrl("The URL must be publicly accessible: this name is known in a private network only.",
                         param="url")  # fmt: skip


def is_allowed(host: str, port: int) -> bool:
    """Whether a developer named the host in WEBHOOK_ALLOW_HOSTS, alone or with its port."""
    return not {host, f"{host}:{port}"}.isdisjoint(settings.WEBHOOK_ALLOW_HOSTS)


def check_resolved(addresses: Iterable[str]) -> None:
    """Raises RefusedAddress unless every address of a name is a public one, and there is one."""
    found = list(addresses)
    if not found:
        raise RefusedAddress("the name has no address")
    for text in found:
        if not is_public(text):
            raise RefusedAddress("the name leads to an address that is not public")


def is_public(text: str) -> bool:
    """Whether an IP address is one that anybody on the Internet could be at."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id:
            return False
        address = address.ipv4_mapped or address
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in _REFUSED if network.version == address.version)
