"""The page of keys: made once a form, shown once, replaced, revoked; by those who may, and written down."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext
from joserfc.jwk import ECKey

from merchant_platform.kernel import clock, ids, tenancy
from merchant_platform.kernel.errors import Unauthenticated
from merchant_platform.kernel.request_log import buffer
from security.audit.models import AuditRecord
from security.credentials import authentication, keys, networks, queries
from security.credentials.models import ApiKey
from tests.cast import Api
from tests.staff import ROLES, make_staff, signed_in

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])


@pytest.fixture
def developer(merchant):
    return signed_in(make_staff(merchant, "developer"))


def at(book, rest="", merchant="cafe"):
    return f"/dashboard/{merchant}/test/developers/keys{rest}"


def form(**fields):
    return {"name": "Web shop", "kind": "secret", "once": "form-1", **fields}


def text_in(response):
    return response.context["text"]


def known():
    authentication.memory.holders.clear()
    authentication.memory.polled_at = float("-inf")


def noted(action):
    return list(AuditRecord.objects.filter(action=action).order_by("recorded_at"))


class TestCreate:
    def test_shows_the_text_once_and_keeps_a_digest(self, developer, book):
        response = developer.post(at(book, "/new"), form())

        text = text_in(response)
        assert response.status_code == 200
        assert text.startswith("sk_test_")
        assert text in response.content.decode()
        holder = authentication.authenticate(text)
        assert (holder.book_id, holder.kind) == (book.pk, "secret")
        row = ApiKey.objects.get(pk=holder.key_id)
        assert (row.name, row.public_text, row.made_by.role) == ("Web shop", None, "developer")
        (record,) = noted("key.create")
        assert (record.object_id, record.book_id) == (ids.show("key", row.pk), book.pk)
        assert text not in str(record.detail)
        assert text not in developer.get(at(book)).content.decode()
        assert text not in developer.get(at(book, f"/{ids.show('key', row.pk)}")).content.decode()

    def test_makes_one_key_of_a_form_that_is_sent_twice(self, developer, book):
        first = developer.post(at(book, "/new"), form())
        second = developer.post(at(book, "/new"), form())

        assert text_in(second) == text_in(first)
        assert ApiKey.objects.filter(book=book).count() == 1
        assert len(noted("key.create")) == 1

    def test_shows_it_to_nobody_after_a_while(self, developer, book, monkeypatch):
        developer.post(at(book, "/new"), form())
        later = clock.wall() + timedelta(minutes=11)
        monkeypatch.setattr(clock, "wall", lambda: later)

        again = developer.post(at(book, "/new"), form())

        assert text_in(again) is None
        assert ApiKey.objects.filter(book=book).count() == 1

    def test_shows_it_to_nobody_else(self, developer, merchant, book):
        developer.post(at(book, "/new"), form())
        owner = signed_in(make_staff(merchant, "owner"))

        other = owner.post(at(book, "/new"), form())

        assert ApiKey.objects.filter(book=book).count() == 2
        assert text_in(other).startswith("sk_test_")

    def test_makes_a_restricted_key_of_what_is_ticked(self, developer, book):
        response = developer.post(
            at(book, "/new"),
            form(
                kind="restricted", right_customers="read", right_refunds="write", right_events="write", right_x="write"
            ),
        )

        holder = authentication.authenticate(text_in(response))
        # Events cannot be written, and there is no x.
        assert dict(holder.permissions) == {"customers": "read", "refunds": "write"}
        api = Api(text_in(response))
        assert (api.get("customers").status, api.post("customers", {}).status) == (200, 403)

    @pytest.mark.parametrize(
        "fields",
        [
            {"kind": "restricted"},
            {"kind": "restricted", "right_events": "write"},
            {"kind": "x"},
            {"name": "x" * 101},
            {"once": ""},
        ],
    )
    def test_refuses_what_is_no_key(self, developer, book, fields):
        response = developer.post(at(book, "/new"), form(**fields))

        assert response.status_code == 400
        assert not ApiKey.objects.filter(book=book).exists()

    def test_shows_a_publishable_key_again(self, developer, book):
        text = text_in(developer.post(at(book, "/new"), form(kind="publishable")))

        key_id = authentication.authenticate(text).key_id
        assert text in developer.get(at(book, f"/{ids.show('key', key_id)}")).content.decode()
        assert queries.publishable_text(book_id=book.pk, now=clock.wall()) == text

    def test_refuses_one_more_than_there_may_be(self, developer, book, monkeypatch):
        monkeypatch.setattr(keys, "KEYS_MAX", 1)
        developer.post(at(book, "/new"), form())

        response = developer.post(at(book, "/new"), form(once="form-2"))

        assert response.status_code == 302
        assert ApiKey.objects.filter(book=book).count() == 1

    def test_asks_for_a_factor_in_live_mode(self, developer, live_book):
        address = "/dashboard/cafe/developers/keys/new"

        asked, posted = developer.get(address), developer.post(address, form())

        assert asked.status_code == posted.status_code == 302
        assert asked["Location"].startswith("/accounts/confirm/")
        assert not ApiKey.objects.filter(book=live_book).exists()


class TestReplace:
    def test_lets_the_old_key_work_until_then(self, developer, book, key):
        old = ApiKey.objects.get(book=book)
        until = (clock.wall() + timedelta(hours=2)).astimezone(book.merchant.zone)

        response = developer.post(
            at(book, f"/{ids.show('key', old.pk)}/replace"), {"until": until.strftime("%Y-%m-%dT%H:%M"), "once": "r-1"}
        )

        known()
        old.refresh_from_db()
        assert authentication.authenticate(text_in(response)).book_id == book.pk
        assert authentication.authenticate(key).key_id == old.pk
        assert abs(old.expires_at - until) < timedelta(minutes=1)
        assert [record.object_id for record in noted("key.rotate")] == [ids.show("key", old.pk)]

    def test_at_a_time_that_is_past_stops_it_at_once(self, developer, book, key):
        old = ApiKey.objects.get(book=book)

        developer.post(at(book, f"/{ids.show('key', old.pk)}/replace"), {"until": "2020-01-01T00:00", "once": "r-1"})

        known()
        with pytest.raises(Unauthenticated):
            authentication.authenticate(key)

    @pytest.mark.parametrize("until", ["", "soon", "2999-01-01T00:00", "0001-01-01T00:00x"])
    def test_refuses_other_times(self, developer, book, key, until):
        old = ApiKey.objects.get(book=book)

        response = developer.post(at(book, f"/{ids.show('key', old.pk)}/replace"), {"until": until, "once": "r-1"})

        assert response.status_code in (302, 400)
        assert ApiKey.objects.filter(book=book).count() == 1
        assert ApiKey.objects.get(pk=old.pk).expires_at is None

    def test_twice_makes_one(self, developer, book, key):
        old = ids.show("key", ApiKey.objects.get(book=book).pk)
        sent = {"until": "2020-01-01T00:00", "once": "r-1"}

        first, second = (developer.post(at(book, f"/{old}/replace"), sent) for _ in range(2))
        other = developer.post(at(book, f"/{old}/replace"), {**sent, "once": "r-2"})

        assert text_in(second) == text_in(first)
        assert other.status_code == 302
        assert ApiKey.objects.filter(book=book).count() == 2


class TestRevoke:
    def test_asks_first_and_then_stops_it(self, developer, book, key):
        shown = ids.show("key", ApiKey.objects.get(book=book).pk)

        assert developer.get(at(book, f"/{shown}/revoke")).status_code == 200
        known()
        assert authentication.authenticate(key)
        for _ in range(2):
            assert developer.post(at(book, f"/{shown}/revoke")).status_code == 302

        known()
        with pytest.raises(Unauthenticated):
            authentication.authenticate(key)
        assert len(noted("key.revoke")) == 1


class TestRename:
    def test_gives_it_a_name(self, developer, book, key):
        row = ApiKey.objects.get(book=book)

        developer.post(at(book, f"/{ids.show('key', row.pk)}"), {"name": "收银台"})

        row.refresh_from_db()
        assert row.name == "收银台"
        assert len(noted("key.rename")) == 1


class TestList:
    def test_says_when_each_was_used_last(self, developer, book, api):
        buffer.log.reset()
        before = clock.wall() - timedelta(seconds=1)
        api.get("customers")
        buffer.log.flush()

        (shown,) = developer.get(at(book)).context["keys"]

        assert before < shown.last_used_at <= clock.wall()

    def test_takes_a_stated_number_of_statements(self, developer, book, make_key):
        developer.get(at(book))
        counts = []
        for _ in range(2):
            for _ in range(10):
                make_key(book)
            with CaptureQueriesContext(connections["default"]) as captured:
                developer.get(at(book))
            counts.append(len(captured))

        # The desk, the keys, and a unit of work of three around when each was used.
        assert counts[0] == counts[1]
        assert counts[0] <= 12

    def test_shows_no_other_books_keys(self, developer, book, other_book, live_book, make_key):
        for each in (other_book, live_book):
            make_key(each)

        assert developer.get(at(book)).context["keys"] == []


class TestDoors:
    PAGES = ("", "/new", "/{key}", "/{key}/replace", "/{key}/revoke")

    @pytest.mark.parametrize("role", ROLES)
    def test_open_to_developers_and_owners_alone(self, merchant, book, key, role):
        client = signed_in(make_staff(merchant, role))
        shown = ids.show("key", ApiKey.objects.get(book=book).pk)
        wanted = 200 if role in ("developer", "owner") else 403

        for page in self.PAGES:
            assert client.get(at(book, page.format(key=shown))).status_code == wanted, page
        if wanted == 403:
            for page in self.PAGES[1:]:
                assert client.post(at(book, page.format(key=shown)), form()).status_code == 403
            assert ApiKey.objects.get(book=book).revoked_at is None
            assert not AuditRecord.objects.filter(action__startswith="key.").exists()

    def test_of_another_merchant_are_not_there(self, developer, merchant, book, other_book, make_key):
        make_key(other_book)
        theirs = ids.show("key", ApiKey.objects.get(book=other_book).pk)

        for page in self.PAGES[2:]:
            assert developer.get(at(book, page.format(key=theirs))).status_code == 404
            assert developer.post(at(book, page.format(key=theirs)), {}).status_code == 404
            assert developer.get(at(book, page.format(key="key_1"))).status_code == 404
        assert developer.get(at(book, merchant="bakery")).status_code == 404
        assert ApiKey.objects.get(book=other_book).revoked_at is None


def test_the_forms_of_everybody_are_their_own(developer, book):
    """The answer that is kept holds no text that can be read."""
    text = text_in(developer.post(at(book, "/new"), form()))

    with tenancy.within(book.pk), connections["default"].cursor() as cursor:
        cursor.execute("SELECT string_agg(body, '') FROM kernel_idempotencykey")
        (kept,) = cursor.fetchone()
    assert text not in kept
    assert settings.SECRET_KEY not in kept


class TestBind:
    FINGERPRINT = "ab:" * 31 + "cd"

    def test_lists_changes_and_takes_away_what_a_key_is_bound_to(self, developer, book):
        key, _ = keys.make(book=book, kind="secret", now=clock.wall())
        there = at(book, f"/{ids.show('key', key.pk)}")
        pem = _public_pem()
        jwk = json.dumps(ECKey.generate_key("P-256", private=False).as_dict(private=False))
        given = {"networks": "203.0.113.0/24\n2001:db8::/32", "certificates": self.FINGERPRINT}

        developer.post(f"{there}/bindings", {**given, "signing_key": pem, "encryption_key": jwk})

        bound = ApiKey.objects.get(pk=key.pk)
        assert bound.networks == ["203.0.113.0/24", "2001:db8::/32"]
        assert bound.certificates == ["ab" * 31 + "cd"]
        assert (bound.signing_key, bound.encryption_key["crv"]) == (pem.strip(), "P-256")
        assert "203.0.113.0/24" in developer.get(there).content.decode()
        developer.post(f"{there}/bindings", {})
        freed = ApiKey.objects.get(pk=key.pk)
        assert (freed.networks, freed.certificates, freed.signing_key, freed.encryption_key) == ([], [], "", None)
        everything = ["certificates", "encryption_key", "networks", "signing_key"]
        assert [record.detail for record in noted("key.bind")] == [{"changed": everything}] * 2

    @pytest.mark.parametrize(
        ("field", "typed"),
        [
            ("networks", "203.0.113.300"),
            ("certificates", "ab"),
            ("signing_key", "-----BEGIN PUBLIC KEY-----\nno\n-----END PUBLIC KEY-----"),
            ("encryption_key", "[1]"),
            ("encryption_key", "{"),
            ("encryption_key", "[" * 3_999),
            ("encryption_key", '{"kty": "RSA"}'),
            ("networks", "x" * 4_001),
            ("signing_key", "\0"),
        ],
    )
    def test_says_at_the_field_what_is_none_and_changes_nothing(self, developer, book, field, typed):
        key, _ = keys.make(book=book, kind="secret", now=clock.wall())
        networks.allow(key=key, networks=["203.0.113.0/24"])

        reply = developer.post(at(book, f"/{ids.show('key', key.pk)}/bindings"), {field: typed})

        assert (reply.status_code, list(reply.context["form"].errors)) == (400, [field])
        assert ApiKey.objects.get(pk=key.pk).networks == ["203.0.113.0/24"]

    def test_asks_for_a_factor_where_the_key_is_live_and_keeps_what_another_wrote(self, developer, live_book, book):
        live, _ = keys.make(book=live_book, kind="secret", now=clock.wall())
        key, _ = keys.make(book=book, kind="secret", now=clock.wall())
        there = at(book, f"/{ids.show('key', key.pk)}/bindings")

        asked = developer.post(f"/dashboard/cafe/developers/keys/{ids.show('key', live.pk)}/bindings", {})
        seen = developer.get(there).context["form"].seen
        networks.allow(key=key, networks=["203.0.113.0/24"])
        late = developer.post(there, {"seen": seen, "once": "x" * 22})

        assert asked["Location"].startswith("/accounts/confirm/")
        assert late.status_code == 400
        assert ApiKey.objects.get(pk=key.pk).networks == ["203.0.113.0/24"]


def _public_pem():
    public = Ed25519PrivateKey.generate().public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
