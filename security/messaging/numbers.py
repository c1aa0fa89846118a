"""Telephone numbers as pages show them: enough to tell one's own by, and no more."""

SHOWN_DIGITS = 4


def masked(number: str) -> str:
    """`+8613800138000` as `••• 8000`."""
    return f"••• {number[-SHOWN_DIGITS:]}"
