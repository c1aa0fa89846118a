"""Letters about signing in: every one that is sent has words, in both languages."""

from datetime import UTC, datetime
from pathlib import Path

import allauth
import pytest
from django.conf import settings
from django.utils.translation import override

from security.web.accounts import letters

TOLD = {
    "code": "ABCD-1234",
    "password_reset_url": "https://pay.example/reset",
    "signup_url": "https://pay.example/signup",
    "from_email": "old@example.com",
    "to_email": "new@example.com",
    "deleted_email": "old@example.com",
    "timestamp": datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    "ip": "203.0.113.9",
    "user_agent": "Firefox",
}
URLS = ([TOLD["password_reset_url"]], [TOLD["signup_url"]])
# Of those that allauth sends: links that a setting of ours replaces by codes are none of them.
SENT = {
    path.name.removesuffix("_subject.txt")
    for app in ("account", "mfa")
    for path in (Path(allauth.__file__).parent / "templates" / app / "email").glob("*_subject.txt")
} - {"password_reset_key"}


class TestLetter:
    @pytest.mark.parametrize("name", sorted({*SENT, "phone_changed", "phone_removed"}))
    def test_speaks_both_languages(self, name):
        with override("en"):
            subject, text = letters.letter(name, TOLD)
        with override("zh-hans"):
            chinese, said = letters.letter(name, TOLD)

        assert subject.startswith(f"[{settings.SITE_NAME}] ")
        assert subject != chinese
        assert [line for line in text.split("\n\n") if line in said.split("\n\n")] in ([], [TOLD["code"]], *URLS)

    def test_says_how_long_a_code_works(self):
        with override("en"):
            assert "It works for 15 minutes, once." in letters.letter("email_confirmation", TOLD)[1]

    def test_says_when_and_from_where_and_what_to_do(self):
        with override("en"):
            text = letters.letter("password_changed", TOLD)[1]

        assert "When: 2026-03-02 09:30 UTC\nNetwork address: 203.0.113.9\nBrowser: Firefox" in text
        assert f"{settings.PUBLIC_URL}/accounts/password/reset/" in text
