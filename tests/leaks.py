"""Everything the platform writes down in a test run, and the search for what must not be in it.

    secrets = Secrets(numbers=["4242424242424242"], cvcs=["90817263549"])
    ... send them through every door there is ...
    assert leaks.found(secrets, leaks.everything(tmp_path_factory, acquirer)) == []

A card number is looked for as it is written, in groups, in hex (as pg_dump shows bytes)
and in base64, since whoever keeps it encoded keeps it. A real CVC has three digits and
stands in any dump by chance: the test sends longer ones, which the acquirer takes.
"""

import base64
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings

from merchant_platform.embedded.postgres import _programs
from tests.acquirer import Acquirer

# A code under its own name, whatever it is.
NAMED_CVC = re.compile(rb"""(?i)["']?\b(?:cvc|cvv|cvv2|csc|security_code)\b["']?\s*[:=]\s*["']?\d{3,}""")


@dataclass(frozen=True)
class Secrets:
    """What was sent and must be found nowhere."""

    numbers: Sequence[str]
    cvcs: Sequence[str]

    def needles(self) -> Iterator[bytes]:
        for number in self.numbers:
            groups = [number[start : start + 4] for start in range(0, len(number), 4)]
            yield from (" ".join(groups).encode(), "-".join(groups).encode())
        for word in (*self.numbers, *self.cvcs):
            yield from (word.encode(), word.encode().hex().encode(), word.encode("utf-16-le"))
            yield from _in_base64(word.encode())


def found(secrets: Secrets, written: Mapping[str, bytes]) -> list[str]:
    """Where something of the secrets stands, and in which form; nothing more of it is said."""
    needles = list(dict.fromkeys(secrets.needles()))
    return [
        *(
            f"{name}: form {place}"
            for name, text in written.items()
            for place, each in enumerate(needles)
            if each in text
        ),
        *(f"{name}: a named CVC" for name, text in written.items() if NAMED_CVC.search(text)),
    ]


def everything(tmp_path_factory: pytest.TempPathFactory, acquirer: Acquirer) -> dict[str, bytes]:
    """Database, Valkey with its queues, every log file, and the books of the acquirer."""
    logs = [
        *tmp_path_factory.getbasetemp().rglob("*.log"),
        *(Path(settings.DATA_DIR).parent / "servers" / "log").glob("*"),
        *Path(settings.DATA_DIR).rglob("*"),
    ]
    books = acquirer.store.parent.glob(f"{acquirer.store.name}*")
    return {
        "database": database_dump(),
        "valkey": valkey_dump(),
        **{str(path): path.read_bytes() for path in (*logs, *books) if path.is_file()},
    }


def database_dump() -> bytes:
    """What pg_dump writes, as the owner."""
    address = urlsplit(settings.OWNER_URL)
    done = subprocess.run(
        [str(_programs() / "pg_dump"), "--dbname", settings.OWNER_URL.replace(address.scheme, "postgresql", 1)],
        env={"PATH": os.defpath},
        capture_output=True,
        check=True,
    )
    return done.stdout


def valkey_dump() -> bytes:
    """Every key and its value in full, queues among them."""
    lines = []
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        for key in client.scan_iter(count=1_000):
            kind = client.type(key)
            read = {
                b"string": client.get,
                b"list": lambda name: client.lrange(name, 0, -1),
                b"set": client.smembers,
                b"hash": client.hgetall,
                b"zset": lambda name: client.zrange(name, 0, -1, withscores=True),
            }[kind]
            lines.append(key + b" " + _flat(read(key)))
    return b"\n".join(lines)


def _flat(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, Mapping):
        return b" ".join(_flat(item) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple | set):
        return b" ".join(_flat(item) for item in value)
    return str(value).encode()


def _in_base64(word: bytes) -> Iterator[bytes]:
    """The letters that a word is sure to leave in base64, wherever in a longer text it begins."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + word)
        first = -(-shift * 8 // 6)
        yield encoded[first : (shift + len(word)) * 8 // 6]
