"""Ids: UUID version 7 inside (RFC 9562, section 5.7), prefix and base62 outside.

The 48 leading bits are the row's creation time in milliseconds, so that ids sort as
their rows were made and the order of a list needs no column of its own. The 12 bits of
`rand_a` and the first 10 of `rand_b` are a counter (section 6.2, method 1), which keeps
the ids that one process makes within one millisecond in order.
"""

import os
import secrets
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TEXT_LENGTH = 22  # 62 ** 22 > 2 ** 128
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
# Two digits at a time, and two halves: an id is shown a dozen times in one payment.
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_PAIR_BASE = 62 * 62
_HALF = _PAIR_BASE**6
_COUNTER_BITS = 22
_COUNTER_MASK = (1 << _COUNTER_BITS) - 1
_MILLISECONDS_KEPT = 4_096
_CHANCE_BYTES = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Every prefix an id is shown with, and what it names.
PREFIXES = {
    "acc": "accrual",
    "apr": "approval",
    "aud": "audit record",
    "ch": "charge",
    "cs": "checkout session",
    "cus": "customer",
    "cons": "consent",
    "csm": "consumer",
    "dec": "decision",
    "cor": "correction",
    "dlv": "delivery",
    "dup": "duplicate",
    "dev": "device",
    "di": "discount",
    "evt": "event",
    "bk": "book",
    "bki": "bulk item",
    "bon": "bonus of an offer",
    "bulk": "bulk job",
    "card": "card token",
    "dkey": "data key",
    "dsh": "discount share",
    "note": "note",
    "ntc": "notice",
    "nver": "former note",
    "hh": "household",
    "hold": "hold",
    "inv": "invitation",
    "key": "API key",
    "li": "order line",
    "lmv": "lot move",
    "lot": "lot of points",
    "mandate": "mandate",
    "mct": "member contact",
    "mem": "member",
    "mimp": "import of members",
    "mirow": "row of an import",
    "mer": "merchant",
    "mrg": "merge",
    "msg": "message",
    "mtg": "tag of a member",
    "offer": "offer",
    "offver": "offer version",
    "ord": "order",
    "park": "parked report",
    "pi": "payment intent",
    "pm": "payment method",
    "price": "price",
    "prod": "product",
    "prog": "points programme",
    "promo": "promotion code",
    "re": "refund",
    "redm": "redemption of an offer",
    "req": "request",
    "rpt": "report",
    "rsch": "report schedule",
    "rct": "receipt",
    "rdm": "redemption of a reward",
    "rli": "refund line",
    "run": "run",
    "rwd": "reward",
    "stand": "standing",
    "stf": "staff",
    "stp": "step-up",
    "setatt": "setup attempt",
    "seti": "setup intent",
    "sto": "store",
    "sup": "suppression",
    "svc": "stored-value card",
    "svl": "stored-value load",
    "tag": "tag",
    "terms": "terms",
    "top": "top-up",
    "tnd": "tender",
    "tr": "transfer",
    "tre": "tender refund",
    "txn": "balance transaction",
    "usr": "user",
    "view": "saved view",
    "wal": "wallet",
    "we": "webhook endpoint",
    "wha": "webhook attempt",
    "whd": "webhook delivery",
}


class MalformedId(ValueError):
    """The text is not an id of the expected kind."""


class _Counter:
    """What one process numbers its ids with: the last count of each recent millisecond, and chance in advance.

    Several milliseconds at once, since threads and books with a test clock go back and
    forth between them. Both are emptied after a fork, so that children differ.
    """

    def __init__(self) -> None:
        self.reseed()

    def reseed(self) -> None:
        self.lock = threading.Lock()
        # The one used last stands last.
        self.counts: dict[int, int] = {}
        # A payment makes a dozen ids: asking the system for each one's random bits is dear.
        self.chance = b""

    def next(self, millisecond: int) -> tuple[int, int, bytes]:
        """A millisecond, which may be a later one, the count in it, and seven random bytes."""
        with self.lock:
            if not self.chance:
                self.chance = os.urandom(_CHANCE_BYTES * 64)
            chance, self.chance = self.chance[:_CHANCE_BYTES], self.chance[_CHANCE_BYTES:]
            while True:
                last = self.counts.pop(millisecond, None)
                # The top bit starts clear, which leaves at least two million ids a millisecond.
                count = secrets.randbits(_COUNTER_BITS - 1) if last is None else min(last + 1, _COUNTER_MASK)
                self.counts[millisecond] = count
                if len(self.counts) > _MILLISECONDS_KEPT:
                    del self.counts[next(iter(self.counts))]
                if count != last:
                    return millisecond, count, chance
                millisecond += 1


_counter = _Counter()
os.register_at_fork(after_in_child=_counter.reseed)


def new(at: datetime) -> UUID:
    """A new id for a row made at `at` (aware). This will carry that time in its first 48 bits."""
    millisecond, count, chance = _counter.next(_milliseconds(at))
    return UUID(
        int=(millisecond << 80)
        | (7 << 76)
        | ((count >> 10) << 64)
        | (0b10 << 62)
        | ((count & 0x3FF) << 52)
        | (int.from_bytes(chance, "big") >> 4)
    )


def first_at(at: datetime) -> UUID:
    """The smallest id that a row made at `at` or later can have: a bound for time ranges over ids."""
    return UUID(int=max(_milliseconds(at), 0) << 80)


def made_at(identifier: UUID) -> datetime:
    """The time that an id carries, to the millisecond."""
    return _EPOCH + (identifier.int >> 80) * _MILLISECOND


def show(prefix: str, identifier: UUID) -> str:
    """The id as people and programs see it: `pi_` and 22 characters."""
    high, low = divmod(identifier.int, _HALF)
    high, a = divmod(high, _PAIR_BASE)
    high, b = divmod(high, _PAIR_BASE)
    high, c = divmod(high, _PAIR_BASE)
    e, d = divmod(high, _PAIR_BASE)
    low, f = divmod(low, _PAIR_BASE)
    low, g = divmod(low, _PAIR_BASE)
    low, h = divmod(low, _PAIR_BASE)
    low, i = divmod(low, _PAIR_BASE)
    k, j = divmod(low, _PAIR_BASE)
    pairs = _PAIRS
    return (
        f"{prefix}_{pairs[e]}{pairs[d]}{pairs[c]}{pairs[b]}{pairs[a]}"
        f"{pairs[k]}{pairs[j]}{pairs[i]}{pairs[h]}{pairs[g]}{pairs[f]}"
    )


def kind(prefix: str) -> str:
    """What a prefix names. The mode may follow it, as in `cs_test`."""
    return PREFIXES[prefix.partition("_")[0]]


def parse(prefix: str, text: str) -> UUID:
    """The id behind `pi_...`. Raises MalformedId for anything that `show` does not write."""
    head, _, tail = text.rpartition("_")
    if head != prefix or len(tail) != TEXT_LENGTH:
        raise MalformedId(text)
    value = 0
    for character in tail:
        digit = _VALUES.get(character)
        if digit is None:
            raise MalformedId(text)
        value = value * 62 + digit
    if value >> 128:
        raise MalformedId(text)
    return UUID(int=value)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
