"""Short texts about people under seal, and the digest by which a sealed one is found again (a blind index)."""

from dataclasses import dataclass, field
from uuid import UUID

from security.vault import keys
from security.vault.keys import Sealed


@dataclass(frozen=True, slots=True)
class Box:
    """Seals and opens texts of one book for one purpose, for the length of a unit of work. Its `repr` shows no key."""

    book_id: UUID
    _seal_key: bytes = field(repr=False)
    _digest_key: bytes = field(repr=False)

    def seal(self, text: str, *, row_id: UUID) -> Sealed:
        """A text under seal, bound to the row that keeps it: moved to another one it does not open."""
        return keys.seal(self._seal_key, text.encode(), about=keys.about_text(self.book_id, row_id))

    def open(self, nonce: bytes | memoryview, ciphertext: bytes | memoryview, *, row_id: UUID) -> str:
        """The text in the clear. Raises keys.Tampered."""
        sealed = Sealed(bytes(nonce), bytes(ciphertext))
        return keys.unseal(self._seal_key, sealed, about=keys.about_text(self.book_id, row_id)).decode()

    def digest(self, text: str) -> str:
        """What a text is found by: equal texts of this book have the same, and those of another book another."""
        return keys.digest(self._digest_key, text)
