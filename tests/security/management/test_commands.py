"""Keys and flags from the command line: what `manage.py keys` and `manage.py flag` do and say."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from security.access import flags
from security.credentials.authentication import authenticate
from security.credentials.models import ApiKey
from tests.cast import shown

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    said = StringIO()
    call_command(*words, stdout=said)
    return said.getvalue()


class TestKeys:
    def test_makes_a_key_and_shows_it_once(self, book):
        text = run("keys", "make", "cafe", "--name", "till").strip()
        listed = run("keys", "list", "cafe")

        assert authenticate(text).book_id == book.pk
        assert text not in listed
        assert re.search(rf"key_\w{{22}}  secret +…{text[-4:]}  works  till", listed)

    def test_makes_a_restricted_key_of_the_live_book(self, live_book):
        text = run(
            "keys",
            "make",
            "cafe",
            "--live",
            "--kind",
            "restricted",
            "--allow",
            "charges:read",
            "--allow",
            "refunds:write",
        ).strip()

        holder = authenticate(text)
        assert text.startswith("rk_live_")
        assert (holder.book_id, holder.permissions) == (live_book.pk, {"charges": "read", "refunds": "write"})

    def test_rotates_and_revokes(self, book, key):
        old = shown("key", ApiKey.objects.get())

        new = run("keys", "rotate", old, "--overlap-hours", "1").strip()
        run("keys", "revoke", old)

        states = {row.last_four: (row.expires_at is None, row.revoked_at is None) for row in ApiKey.objects.all()}
        assert states == {key[-4:]: (False, False), new[-4:]: (True, True)}

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (["list", "nobody"], "No merchant is called 'nobody'."),
            (["make", "nobody"], "No merchant is called 'nobody'."),
            (["make", "cafe", "--allow", "charges:read"], "A restricted key has permissions"),
            (["make", "cafe", "--kind", "restricted"], "A restricted key has permissions"),
            (["revoke", "nonsense"], "No such key: 'nonsense'."),
            (["rotate", "key_0000000000000000000000"], "No such key"),
        ],
    )
    def test_says_what_was_wrong(self, merchant, words, sentence):
        with pytest.raises(CommandError, match=re.escape(sentence)):
            run("keys", *words)

        assert ApiKey.objects.count() == 0


class TestFlag:
    def test_switches_a_feature_on(self, book, live_book):
        run("flag", "cafe", "fast_lane", "100")

        assert flags.is_on(book_id=book.pk, name="fast_lane")
        assert not flags.is_on(book_id=live_book.pk, name="fast_lane")

    @pytest.mark.parametrize(
        ("words", "sentence"), [(["nobody", "x", "1"], "No merchant"), (["cafe", "x", "101"], "A share")]
    )
    def test_says_what_was_wrong(self, merchant, words, sentence):
        with pytest.raises(CommandError, match=sentence):
            run("flag", *words)
