"""The doors of sign-in, tried as an attacker tries them."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from merchant_platform.kernel import clock
from security.audit.models import AuditRecord
from security.authentication import codes, operations
from security.identity.models import User
from tests.staff import make_staff, sign_in, signed_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A41")]

LOGIN, FACTOR, DESK = "/accounts/login/", "/accounts/2fa/authenticate/", "/dashboard/cafe/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def staff(merchant):
    staff = make_staff(merchant)
    staff.user.set_password(PASSWORD)
    staff.user.save(update_fields=["password"])
    operations.vouch_for_email(users=[staff.user])
    return staff


@pytest.fixture
def seed(staff):
    return operations.give_app(user=staff.user)


def post_password(client, staff, password=PASSWORD, **more):
    return client.post(LOGIN, {"login": staff.user.email, "password": password, **more})


def code_now(seed, steps=0):
    return codes.code_at(seed, codes.step_at(clock.wall()) + steps)


def is_in(client):
    return "_auth_user_id" in client.session


class TestPassword:
    def test_alone_lets_nobody_in_who_has_a_second_factor(self, staff, seed):
        client = Client()

        reply = post_password(client, staff)

        assert (reply.status_code, reply["Location"], is_in(client)) == (302, FACTOR, False)
        assert client.get(DESK)["Location"].startswith(LOGIN)

    def test_leads_who_has_none_to_set_one_up_and_nowhere_else(self, staff):
        client = Client()

        post_password(client, staff)

        assert is_in(client)
        for address in (DESK, "/dashboard", "/dashboard/cafe/test/approvals"):
            assert client.get(address)["Location"].startswith("/accounts/enrol/?next=")
        assert client.post("/dashboard/cafe/test/approvals/apr_1/refuse")["Location"].startswith("/accounts/enrol/")
        # A page's fragment is loaded again with its page.
        fragment = client.get(f"{DESK}notifications/count", headers={"HX-Request": "true"})
        assert (fragment.status_code, fragment["HX-Refresh"]) == (204, "true")

    def test_is_refused_in_the_same_words_for_an_unknown_address(self, staff):
        wrong = post_password(Client(), staff, "something else").content.decode()
        cache.clear()
        unknown = Client().post(LOGIN, {"login": "nobody@example.com", "password": "x"}).content.decode()

        assert "field-error" in wrong or "notice-danger" in wrong
        assert _words(wrong) == _words(unknown)

    def test_is_recorded_where_it_was_wrong(self, staff):
        post_password(Client(REMOTE_ADDR="203.0.113.9"), staff, "something else")

        record = AuditRecord.objects.get()
        assert (record.action, record.actor_kind, record.actor_id) == ("login.refused", "user", None)
        assert (record.ip, record.merchant_id) == ("203.0.113.9", staff.merchant_id)


class TestBruteForce:
    def test_ends_after_five_wrong_passwords_whatever_address_they_come_from(self, staff, seed):
        for number in range(5):
            post_password(Client(REMOTE_ADDR=f"203.0.113.{number}"), staff, f"guess {number}")

        client = Client(REMOTE_ADDR="203.0.113.99")
        reply = post_password(client, staff)

        assert reply.status_code in (200, 429)
        assert client.get(FACTOR)["Location"] == LOGIN

    def test_ends_after_five_wrong_codes(self, staff, seed):
        client = Client()
        post_password(client, staff)
        for number in range(5):
            client.post(FACTOR, {"code": f"00000{number}"})

        client.post(FACTOR, {"code": code_now(seed)})

        assert not is_in(client)

    def test_believes_nobody_about_where_they_come_from(self, staff):
        for number in range(12):
            Client(headers={"X-Forwarded-For": f"198.51.100.{number}"}).post(
                LOGIN, {"login": f"somebody{number}@example.com", "password": "guess"}
            )

        last = Client(headers={"X-Forwarded-For": "198.51.100.99"})
        reply = last.post(LOGIN, {"login": "somebody@example.com", "password": "guess"})

        assert "Too many" in reply.content.decode()


class TestCode:
    def test_lets_in_with_the_password_and_rotates_the_session(self, staff, seed):
        client = Client()
        client.get(LOGIN)
        post_password(client, staff)
        before = client.session.session_key

        reply = client.post(FACTOR, {"code": code_now(seed)})

        assert (reply.status_code, reply["Location"], is_in(client)) == (302, "/dashboard", True)
        assert client.session.session_key != before
        assert client.get(DESK).status_code == 200

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    def test_of_the_step_beside_counts_too_and_each_opens_once(self, staff, seed, steps):
        code = code_now(seed, steps)
        first, second = Client(), Client()
        for client in (first, second):
            post_password(client, staff)
            client.post(FACTOR, {"code": code})

        assert [is_in(first), is_in(second)] == [True, False]

    @pytest.mark.parametrize("steps", [-3, 3])
    def test_of_another_time_opens_nothing(self, staff, seed, steps):
        client = Client()
        post_password(client, staff)

        client.post(FACTOR, {"code": code_now(seed, steps)})

        assert not is_in(client)

    def test_that_was_used_opens_nothing_later_in_its_window_either(self, staff, seed):
        code = code_now(seed, 1)
        client = Client()
        post_password(client, staff)
        client.post(FACTOR, {"code": code})

        with time_machine.travel(clock.wall() + timedelta(seconds=45)):
            later = Client()
            post_password(later, staff)
            later.post(FACTOR, {"code": code})

        assert [is_in(client), is_in(later)] == [True, False]

    @pytest.mark.parametrize("code", ["", " ", "abcdef", "1" * 5000, "１２３４５６", "\x00"])
    def test_may_be_anything_at_all(self, staff, seed, code):
        client = Client()
        post_password(client, staff)

        assert client.post(FACTOR, {"code": code}).status_code == 200
        assert not is_in(client)


class TestSession:
    def test_is_another_one_after_sign_in(self, staff, seed):
        """Session fixation: what an attacker planted before the sign-in is worth nothing afterwards."""
        client = sign_in(User.objects.create_user("attacker@example.com"), factor=None)
        planted = client.session.session_key
        client.post("/accounts/logout/")
        client.cookies[settings.SESSION_COOKIE_NAME] = planted

        post_password(client, staff)
        client.post(FACTOR, {"code": code_now(seed)})

        assert is_in(client)
        assert client.session.session_key != planted
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = planted
        assert not is_in(thief)

    def test_ends_where_its_owner_ends_it(self, staff, seed):
        here, there = Client(), Client()
        for number, client in enumerate((here, there)):
            post_password(client, staff)
            client.post(FACTOR, {"code": code_now(seed, number)})
        page = here.get("/accounts/sessions/")
        own = here.session.session_key
        other = next(session for session in page.context["sessions"] if session.session_key != own)

        reply = here.post(f"/accounts/sessions/{other.pk}/end/")

        assert reply["Location"] == "/accounts/sessions/"
        assert here.get(DESK).status_code == 200
        assert there.get(DESK)["Location"].startswith(LOGIN)

    def test_is_not_ended_by_somebody_else(self, staff, seed, merchant):
        client = Client()
        post_password(client, staff)
        client.post(FACTOR, {"code": code_now(seed)})
        [session] = client.get("/accounts/sessions/").context["sessions"]

        reply = sign_in(make_staff(merchant, "manager").user).post(f"/accounts/sessions/{session.pk}/end/")

        assert reply.status_code == 404
        assert client.get(DESK).status_code == 200

    def test_cookie_is_out_of_reach_of_scripts_and_other_sites(self, staff, seed):
        client = Client()
        post_password(client, staff)

        cookie = client.cookies[settings.SESSION_COOKIE_NAME]

        assert (bool(cookie["httponly"]), cookie["samesite"]) == (True, "Lax")


class TestForgery:
    @pytest.mark.parametrize("address", [LOGIN, "/accounts/logout/", FACTOR, "/accounts/2fa/totp/activate/"])
    def test_of_a_form_is_refused(self, address, staff):
        client = Client(enforce_csrf_checks=True)

        assert client.post(address, {"login": staff.user.email, "password": PASSWORD}).status_code == 403
        assert not is_in(client)

    def test_signing_out_is_no_link(self, staff):
        client = signed_in(staff)

        client.get("/accounts/logout/")

        assert is_in(client)


class TestOpenRedirect:
    @pytest.mark.parametrize(
        "address",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "http:evil.example",
            "javascript:alert(1)",
            "https://testserver.evil.example/",
        ],
    )
    def test_goes_nowhere_else(self, address, staff, seed):
        client = Client()
        client.get(LOGIN, {"next": address})
        post_password(client, staff, next=address)

        reply = client.post(FACTOR, {"code": code_now(seed)})

        assert (reply.status_code, reply["Location"]) == (302, "/dashboard")

    def test_enrolment_goes_nowhere_else_either(self, staff):
        client = sign_in(staff.user, factor=None)
        client.get("/accounts/enrol/?next=https://evil.example/")

        assert "second_factor_next" not in client.session
        assert signed_in(staff).get("/accounts/enrol/?next=https://evil.example/")["Location"] == "/"


class TestHeaders:
    @pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:80@evil.example"])
    def test_another_host_is_refused(self, host, staff):
        assert Client().get(LOGIN, headers={"Host": host}).status_code == 400

    def test_a_forwarded_host_is_believed_nowhere(self, staff):
        reply = Client().post(
            "/accounts/password/reset/", {"email": staff.user.email}, headers={"X-Forwarded-Host": "evil.example"}
        )

        assert reply.status_code == 302
        assert "evil.example" not in reply["Location"]

    @pytest.mark.parametrize("address", [LOGIN, "/accounts/signup/passkey/", "/accounts/password/reset/"])
    def test_no_page_is_framed_or_runs_a_foreign_script(self, address):
        reply = Client().get(address)

        assert reply["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in reply["Content-Security-Policy"]
        assert "unsafe-inline" not in reply["Content-Security-Policy"]
        assert " onclick" not in reply.content.decode()
        assert "<style" not in reply.content.decode()


class TestSecrets:
    def test_are_in_no_log_and_in_no_row_as_they_are(self, staff, caplog):
        client = Client()
        with caplog.at_level("DEBUG"):
            post_password(client, staff)
            page = client.get("/accounts/2fa/totp/activate/")
            seed = page.context["form"].secret
            client.post("/accounts/2fa/totp/activate/", {"code": code_now(seed)})

        [app] = staff.user.authenticator_set.filter(type="totp")
        [recovery] = staff.user.authenticator_set.filter(type="recovery_codes")
        unused = recovery.wrap().get_unused_codes()
        assert seed not in str(app.data)
        assert len(unused) == 10
        assert not any(code in str(recovery.data) for code in unused)
        said = caplog.text
        assert not any(secret in said for secret in (PASSWORD, seed, *unused))

    def test_recovery_codes_open_once_each(self, staff, seed):
        from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

        code = RecoveryCodes.activate(staff.user).get_unused_codes()[0]
        first, second = Client(), Client()
        for client in (first, second):
            post_password(client, staff)
            client.post(FACTOR, {"code": code})

        assert [is_in(first), is_in(second)] == [True, False]


def _words(page):
    return page[page.index("<main") : page.index("</main>")].replace("nobody@example.com", "").count("error")


class TestWayOn:
    """`next`, where a person goes on to."""

    @pytest.mark.parametrize(
        "address",
        ["//[evil", "http://[::1", "//evil.example", "http://localhost/", "http://127.0.0.1:6379/", "/\\evil"],
    )
    def test_leads_to_no_other_host_and_is_no_mistake_of_ours(self, staff, address):
        door = Client().get(LOGIN, {"next": address})
        inside = signed_in(staff).get(LOGIN, {"next": address})
        side = signed_in(staff).get("/accounts/side/", {"next": address})

        assert (door.status_code, inside.status_code, inside["Location"]) == (200, 302, "/dashboard")
        assert (side.status_code, side.context["next"]) == (200, "/wallet/")

    def test_leads_to_a_page_of_ours(self, staff):
        assert signed_in(staff).get(LOGIN, {"next": DESK})["Location"] == DESK


class TestPrivatePages:
    """Pages that show seeds, codes, devices or addresses."""

    @pytest.mark.parametrize(
        "path",
        ["2fa/", "2fa/totp/activate/", "2fa/recovery-codes/", "2fa/recovery-codes/generate/", "sessions/", "email/"],
    )
    def test_stay_in_no_cache(self, staff, path):
        page = signed_in(staff).get(f"/accounts/{path}")

        assert "no-store" in page["Cache-Control"]
