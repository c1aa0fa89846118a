"""What stands on a member's card: twelve digits, the last of which checks the others (Luhn)."""

import secrets

from stdnum import luhn

LENGTH = 12


def new() -> str:
    """A number by chance: nobody guesses another one's, or how many members there are."""
    # No leading zero, which spreadsheets drop.
    digits = str(secrets.randbelow(9) + 1) + "".join(str(secrets.randbelow(10)) for _ in range(LENGTH - 2))
    return digits + luhn.calc_check_digit(digits)


def read(text: str) -> str | None:
    """A number as somebody typed it, perhaps in groups; None where it cannot be one."""
    digits = "".join(text.split()).replace("-", "")
    return digits if len(digits) == LENGTH and digits.isascii() and luhn.is_valid(digits) else None


def spaced(number: str) -> str:
    """In groups of four, as cards show it."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
