"""Web addresses that merchants name: browsers are led there, and headers of ours say where."""

import re
from urllib.parse import urlsplit

# A name as it travels (IDNA), or a number of IPv4 or IPv6.
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]+")


def origin_of(address: str) -> str:
    """Scheme, host and port as a header says them: `https://xn--bur6r.cn:8443`. Raises ValueError for no web address.

    A host that is none (`shop.example;script-src`) would add to the header that names it, and
    one in other letters would make a browser ignore all of it.
    """
    if any(character.isspace() or not character.isprintable() for character in address):
        raise ValueError("An address has no spaces and nothing that cannot be seen.")
    parts = urlsplit(address)
    port = parts.port
    host = (parts.hostname or "").encode("idna").decode()
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not _HOST.fullmatch(host):
        raise ValueError("An address of the web begins with http:// or https:// and names a host.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")
