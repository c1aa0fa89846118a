"""Where a key may be used from: a list of networks, empty for anywhere.

The address is the connection's own, or the one that a trusted proxy heard (kernel/web/proxy.py).
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from merchant_platform.kernel.errors import Forbidden, Invalid
from security.credentials.models import ApiKey, CredentialsVersion

NETWORKS_MAX = 50

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ElsewhereOnly(Forbidden):
    """The key works, but not from where it was used."""

    code = "ip_address_not_allowed"


def allow(*, key: ApiKey, networks: Iterable[str]) -> None:
    """Let a key be used from these networks alone; from anywhere for none. This will hold everywhere within a second.

    Raises Invalid for what is no network (`203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`), or for over fifty.
    """
    written = [str(network) for network in parse(networks)]
    if len(written) > NETWORKS_MAX:
        raise Invalid(f"A key has {NETWORKS_MAX} networks at the most.", param="networks")
    with transaction.atomic():
        ApiKey.objects.filter(pk=key.pk).update(networks=written)
        CredentialsVersion.bump()
    key.networks = written


def parse(networks: Iterable[str]) -> tuple[Network, ...]:
    """Networks from their text, each once and in order. Raises Invalid."""
    found: dict[Network, None] = {}
    for text in networks:
        try:
            network = ipaddress.ip_network(text.strip(), strict=False)
        except ValueError as error:
            raise Invalid(f"This is no network: {text[:50]}", param="networks") from error
        found[network] = None
    return tuple(found)


def check(networks: Sequence[Network], headers: Mapping[str, Any]) -> None:
    """Compare a request with a key's networks. Raises ElsewhereOnly."""
    if not networks:
        return
    try:
        address = ipaddress.ip_address(str(headers.get("REMOTE_ADDR", "")))
    except ValueError:
        raise ElsewhereOnly("This key may not be used from where the request comes from.") from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if not any(address in network for network in networks):
        raise ElsewhereOnly("This key may not be used from where the request comes from.")
