"""Just enough colour to tell a program's parts: what to fill in, names, strings, variables, words, numbers.

One set of rules does for the shell, Python and JSON, because nothing depends on it.
"""

import re
from collections.abc import Iterator

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_BLANK = r"\b[a-z]+(?:_[a-z]+)*_\.\.\."
_TOKENS = re.compile(
    rf"(?P<blank>{_BLANK})"
    r"""|(?P<name>"\w+"(?=: ))"""
    r"""|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
    r"""|(?P<variable>\$\w+)"""
    r"""|(?P<word>(?<![\w./-])(?:as|curl|def|except|export|for|from|import|in|return|try)(?![\w./]))"""
    r"""|(?P<number>(?<![\w.:/-])(?:\d+|true|false|null|True)(?![\w.]))"""
)
_INSIDE_STRINGS = re.compile(rf"(?P<blank>{_BLANK})|(?P<variable>\$\w+)")


def highlight(text: str) -> SafeString:
    """A program as HTML."""
    return mark_safe("".join(_coloured(text, _TOKENS)))  # noqa: S308 (every part is escaped)


def _coloured(text: str, tokens: re.Pattern[str]) -> Iterator[str]:
    end = 0
    for match in tokens.finditer(text):
        yield escape(text[end : match.start()])
        inner = "".join(_coloured(match[0], _INSIDE_STRINGS)) if match.lastgroup == "string" else escape(match[0])
        yield f'<span class="token-{match.lastgroup}">{inner}</span>'
        end = match.end()
    yield escape(text[end:])
