"""Passkeys at the doors: what a true one opens, and each way in which an answer is wrong."""

import json
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client

from merchant_platform.kernel import clock
from security.audit.models import AuditRecord
from security.authentication import operations
from tests.authenticator import Passkey
from tests.staff import make_staff, sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A41")]

ADD, LOGIN = "/accounts/2fa/webauthn/add/", "/accounts/2fa/webauthn/login/"
SIGN_UP = "/accounts/2fa/webauthn/signup/"
DESK = "/dashboard/cafe/"


@pytest.fixture
def staff(merchant, settings):
    settings.PUBLIC_URL = "http://localhost:8000"
    staff = make_staff(merchant)
    operations.vouch_for_email(users=[staff.user])
    return staff


@pytest.fixture
def passkey(staff):
    """A passkey that its owner added after signing in."""
    made = Passkey()
    reply = add(sign_in(staff.user, factor=None), made)
    assert reply.status_code == 302, reply.content.decode()
    return made


def add(client, passkey):
    options = client.get(ADD).context["js_data"]["creation_options"]
    credential = passkey.register(_plain(options))
    return client.post(ADD, {"name": "Phone", "credential": json.dumps(credential), "passwordless": "on"})


def question(client):
    return client.get(LOGIN, headers={"X-Requested-With": "XMLHttpRequest"}).json()["request_options"]


def sign_in_with(client, credential):
    return client.post(LOGIN, {"credential": json.dumps(credential)})


def is_in(client):
    return "_auth_user_id" in client.session


def _plain(options):
    """As the browser reads them from the page."""
    return json.loads(json.dumps(options, default=lambda value: dict(value)))


class TestAdd:
    def test_makes_the_session_strong_and_gives_it_a_new_key(self, staff):
        client = sign_in(staff.user, factor=None)
        assert client.get(DESK)["Location"].startswith("/accounts/enrol/")
        before = client.session.session_key

        reply = add(client, Passkey())

        assert reply["Location"] == "/accounts/2fa/recovery-codes/"
        assert client.session.session_key != before
        assert client.get(DESK).status_code == 200
        assert "login.webauthn_added" in AuditRecord.objects.values_list("action", flat=True)

    @pytest.mark.parametrize(
        "wrong", [{"origin": "https://evil.example"}, {"is_verified": False}, {"rp_id": "evil.example"}]
    )
    def test_refuses_a_key_made_elsewhere_or_without_verification(self, staff, wrong):
        client = sign_in(staff.user, factor=None)

        add(client, Passkey(**wrong))

        assert not Authenticator.objects.filter(type="webauthn").exists()
        assert client.get(DESK)["Location"].startswith("/accounts/enrol/")


class TestSignIn:
    def test_needs_nothing_beside_it(self, staff, passkey):
        client = Client()

        reply = sign_in_with(client, passkey.answer(question(client)))

        assert (reply.status_code, reply["Location"]) == (302, "/dashboard")
        assert client.get(DESK).status_code == 200
        record = AuditRecord.objects.filter(action="login.in").latest("pk")
        assert (record.actor_id, record.detail) == (staff.pk, {"methods": ["webauthn"]})

    @pytest.mark.parametrize(
        "wrong",
        [
            {"origin": "https://evil.example"},
            {"origin": "http://localhost:9000"},
            {"origin": "https://localhost:8000"},
            {"rp_id": "evil.example"},
            {"is_verified": False},
        ],
    )
    def test_refuses_another_origin_or_site_or_an_owner_who_was_not_verified(self, passkey, wrong):
        client = Client()
        for name, value in wrong.items():
            setattr(passkey, name, value)

        sign_in_with(client, passkey.answer(question(client)))

        assert not is_in(client)

    def test_refuses_the_answer_to_an_older_question(self, passkey):
        client = Client()
        older = question(client)
        question(client)

        sign_in_with(client, passkey.answer(older))

        assert not is_in(client)

    def test_refuses_an_answer_that_comes_after_five_minutes(self, passkey):
        client = Client()
        asked = question(client)

        with time_machine.travel(clock.wall() + timedelta(minutes=5, seconds=1)):
            sign_in_with(client, passkey.answer(asked))

        assert not is_in(client)

    def test_refuses_the_answer_to_somebody_elses_question(self, passkey):
        client = Client()

        sign_in_with(client, passkey.answer(question(Client())))

        assert not is_in(client)

    def test_refuses_the_same_answer_a_second_time(self, passkey):
        client = Client()
        answer = passkey.answer(question(client))
        sign_in_with(client, answer)
        assert is_in(client)
        client.post("/accounts/logout/")

        sign_in_with(client, answer)

        assert not is_in(client)

    @pytest.mark.parametrize("fallen", [1, 2])
    def test_refuses_a_counter_that_does_not_grow(self, passkey, fallen):
        first = Client()
        passkey.counter = 2
        sign_in_with(first, passkey.answer(question(first)))
        assert is_in(first)
        passkey.counter = fallen

        client = Client()
        sign_in_with(client, passkey.answer(question(client)))

        assert not is_in(client)

    def test_takes_a_synchronised_passkey_whose_counter_is_always_nought(self, staff):
        synchronised = Passkey(counter=0)
        add(sign_in(staff.user, factor=None), synchronised)

        for _ in range(2):
            client = Client()
            sign_in_with(client, synchronised.answer(question(client)))
            assert is_in(client)

    @pytest.mark.parametrize("credential", ["", "{", "[]", "{}", "null", '{"response": {"clientDataJSON": "%%%"}}'])
    def test_refuses_what_is_no_answer(self, passkey, credential):
        client = Client()
        question(client)

        reply = client.post(LOGIN, {"credential": credential})

        assert reply.status_code in (200, 302)
        assert not is_in(client)


    def test_refuses_what_is_nested_without_end(self):
        client = Client()
        question(client)

        replies = [client.post(address, {"credential": "[" * 100_000}) for address in (LOGIN, SIGN_UP)]

        assert [reply.status_code for reply in replies] == [302, 302]
        assert not is_in(client)


class TestRemove:
    def test_keeps_the_last_factor_of_who_must_have_one(self, staff, passkey):
        client = sign_in(staff.user)
        factor = Authenticator.objects.get(type="webauthn")

        reply = client.post(f"/accounts/2fa/webauthn/keys/{factor.pk}/remove/")

        assert (reply.status_code, reply["Location"]) == (302, "/accounts/2fa/webauthn/")
        assert Authenticator.objects.filter(pk=factor.pk).exists()

    def test_is_not_done_by_another_person(self, passkey, merchant):
        other = make_staff(merchant, "manager")
        factor = Authenticator.objects.get(type="webauthn")

        reply = sign_in(other.user).post(f"/accounts/2fa/webauthn/keys/{factor.pk}/remove/")

        assert reply.status_code == 404
        assert Authenticator.objects.filter(pk=factor.pk).exists()


class TestStepUp:
    def test_is_proved_by_a_passkey_that_signs_the_act(self, staff, passkey):
        client = sign_in(staff.user, factor="webauthn")
        address = client.get("/dashboard/cafe/audit/export")["Location"]
        options = _plain(client.get(address).context["js_data"]["request_options"])

        reply = client.post(address, {"credential": json.dumps(passkey.answer(options))})

        assert (reply.status_code, reply["Location"]) == (302, "/dashboard/cafe/audit/export")
        assert client.get("/dashboard/cafe/audit/export").status_code == 200

    def test_is_not_proved_by_an_answer_to_another_question(self, staff, passkey):
        client = sign_in(staff.user, factor="webauthn")
        asked, other = (client.get("/dashboard/cafe/audit/export")["Location"] for _ in range(2))
        options = _plain(client.get(other).context["js_data"]["request_options"])

        reply = client.post(asked, {"credential": json.dumps(passkey.answer(options))})

        assert reply.status_code == 400
        assert client.get("/dashboard/cafe/audit/export").status_code == 302


def test_asks_the_site_that_settings_name_whatever_the_request_says():
    assert settings.MFA_WEBAUTHN_USER_VERIFICATION == "required"
    assert not getattr(settings, "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", False)
