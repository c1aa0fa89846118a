import hashlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.forms.models import model_to_dict

from merchant_platform.kernel.errors import Invalid
from security.credentials import keys
from security.credentials.models import PUBLISHABLE, RESTRICTED, SECRET, ApiKey, CredentialsVersion
from tests.cast import NOW, race

pytestmark = pytest.mark.django_db

READ = {"customers": "read"}


def version() -> int:
    return CredentialsVersion.objects.values_list("number", flat=True).filter(pk=1).first() or 0


class TestMake:
    @pytest.mark.parametrize(
        ("kind", "permissions", "prefix"), [(SECRET, None, "sk"), (PUBLISHABLE, None, "pk"), (RESTRICTED, READ, "rk")]
    )
    def test_says_kind_and_mode_in_its_first_letters(self, book, live_book, kind, permissions, prefix):
        for each, mode in ((book, "test"), (live_book, "live")):
            row, text = keys.make(book=each, kind=kind, permissions=permissions, now=NOW)

            assert text.startswith(f"{prefix}_{mode}_")
            assert (row.book, row.kind, row.permissions, row.created_at) == (each, kind, permissions or {}, NOW)
            assert (row.expires_at, row.revoked_at, row.last_four) == (None, None, text[-4:])

    def test_keeps_a_digest_and_four_characters_of_the_text(self, book):
        row, text = keys.make(book=book, kind=SECRET, name="till", now=NOW)

        with connection.cursor() as cursor:
            cursor.execute("SELECT to_jsonb(k)::text FROM security_apikey k WHERE id = %s", [row.pk])
            (stored,) = cursor.fetchone()
        assert bytes(ApiKey.objects.get().digest) == hashlib.sha256(text.encode()).digest()
        assert text[8:] not in stored
        assert not any(text[8:-4] in str(value) for value in model_to_dict(row).values())

    def test_makes_a_text_that_nobody_guesses(self, book):
        texts = {keys.make(book=book, kind=SECRET, now=NOW)[1] for _ in range(50)}

        assert len(texts) == 50
        assert {len(text) for text in texts} == {len("sk_test_") + 43}
        assert all(text[8:].isalnum() for text in texts)

    @pytest.mark.parametrize(
        ("kind", "permissions"),
        [
            (SECRET, READ),
            (PUBLISHABLE, READ),
            (RESTRICTED, None),
            (RESTRICTED, {}),
            (RESTRICTED, {"customers": "delete"}),
            (RESTRICTED, {"customers": ""}),
        ],
    )
    def test_refuses_permissions_that_do_not_go_with_the_kind(self, book, kind, permissions):
        with pytest.raises(Invalid) as refused:
            keys.make(book=book, kind=kind, permissions=permissions, now=NOW)

        assert refused.value.param == "permissions"
        assert ApiKey.objects.count() == 0

    def test_is_of_a_kind_that_the_database_knows(self, book):
        row, _ = keys.make(book=book, kind=SECRET, now=NOW)

        with pytest.raises(IntegrityError, match="security_apikey_kind_is_known"), transaction.atomic():
            ApiKey.objects.filter(pk=row.pk).update(kind="master")


class TestRotate:
    def test_makes_a_new_key_and_lets_the_old_one_work_for_a_while(self, book):
        old, old_text = keys.make(book=book, kind=RESTRICTED, name="till", permissions=READ, now=NOW)

        new, text = keys.rotate(key=old, overlap=timedelta(hours=24), now=NOW + timedelta(days=1))

        old.refresh_from_db()
        assert (old.expires_at, old.revoked_at) == (NOW + timedelta(days=2), None)
        assert (new.kind, new.name, new.permissions, new.expires_at) == (RESTRICTED, "till", READ, None)
        assert new.pk != old.pk
        assert text != old_text

    @pytest.mark.parametrize("overlap", [timedelta(0), timedelta(days=7)])
    def test_takes_an_overlap_of_up_to_a_week(self, book, overlap):
        old, _ = keys.make(book=book, kind=SECRET, now=NOW)

        keys.rotate(key=old, overlap=overlap, now=NOW)

        old.refresh_from_db()
        assert old.expires_at == NOW + overlap

    @pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
    def test_refuses_any_other_overlap(self, book, overlap):
        old, _ = keys.make(book=book, kind=SECRET, now=NOW)

        with pytest.raises(Invalid) as refused:
            keys.rotate(key=old, overlap=overlap, now=NOW)

        old.refresh_from_db()
        assert (refused.value.param, old.expires_at, ApiKey.objects.count()) == ("overlap", None, 1)

    def test_refuses_a_key_that_was_rotated_or_revoked(self, book):
        rotated, revoked = (keys.make(book=book, kind=SECRET, now=NOW)[0] for _ in range(2))
        keys.rotate(key=rotated, overlap=timedelta(0), now=NOW)
        keys.revoke(key=revoked, now=NOW)
        count, at = ApiKey.objects.count(), version()

        for key in (rotated, revoked):
            with pytest.raises(keys.AlreadyRevoked):
                keys.rotate(key=key, overlap=timedelta(days=1), now=NOW)

        assert (ApiKey.objects.count(), version()) == (count, at)

    @pytest.mark.django_db(transaction=True)
    def test_makes_one_key_of_two_rotations_at_once(self, book):
        old, _ = keys.make(book=book, kind=SECRET, now=NOW)

        outcomes = race(*[lambda: keys.rotate(key=old, overlap=timedelta(days=1), now=NOW)] * 2)

        assert sorted(isinstance(outcome, keys.AlreadyRevoked) for outcome in outcomes) == [False, True]
        assert ApiKey.objects.count() == 2

    def test_is_told_to_every_process(self, book):
        old, _ = keys.make(book=book, kind=SECRET, now=NOW)
        before = version()

        keys.rotate(key=old, overlap=timedelta(days=1), now=NOW)

        assert version() > before


class TestRevoke:
    def test_stops_the_key(self, book):
        key, _ = keys.make(book=book, kind=SECRET, now=NOW)
        before = version()

        keys.revoke(key=key, now=NOW)

        key.refresh_from_db()
        assert key.revoked_at == NOW
        assert version() > before

    def test_stops_a_rotated_key_before_its_time(self, book):
        key, _ = keys.make(book=book, kind=SECRET, now=NOW)
        keys.rotate(key=key, overlap=timedelta(days=1), now=NOW)

        keys.revoke(key=key, now=NOW)

        key.refresh_from_db()
        assert key.revoked_at == NOW

    def test_refuses_a_second_time(self, book):
        key, _ = keys.make(book=book, kind=SECRET, now=NOW)
        keys.revoke(key=key, now=NOW)

        with pytest.raises(keys.AlreadyRevoked) as refused:
            keys.revoke(key=key, now=NOW + timedelta(days=1))

        key.refresh_from_db()
        assert (key.revoked_at, refused.value.code) == (NOW, "api_key_revoked")


class TestBumpVersion:
    def test_counts_from_the_first_change_on(self):
        """No founding is needed: a database without the row says 0, and every change says more."""
        before = version()

        keys.bump_version()
        first = version()
        keys.bump_version()

        assert before < first < version()
