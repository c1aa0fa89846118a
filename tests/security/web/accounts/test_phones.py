"""Telephone numbers of logins: proved by a code, sign consumers in, tell staff; never open a till, never tell whose."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.cache import cache
from django.test import Client

from merchant_platform.kernel import clock
from security.authentication import operations, phones
from security.authentication.models import Phone
from security.identity.models import User
from security.messaging import bodies
from security.messaging import operations as messaging
from security.messaging.models import SMS, Message
from tests.cast import NOW, race
from tests.security.web.accounts.test_doors import code_now
from tests.staff import make_staff, sign_in, with_password

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("A41")]

CHANGE, VERIFY, REMOVE = "/accounts/phone/change/", "/accounts/phone/verify/", "/accounts/phone/remove/"
ASK, CONFIRM, LOGIN = "/accounts/login/code/", "/accounts/login/code/confirm/", "/accounts/login/"
TYPED, NUMBER, UNKNOWN = "138 0013-8000", "+8613800138000", "+8613900139000"


@pytest.fixture
def lin():
    """A consumer: a login that works nowhere."""
    user = User.objects.create_user("lin@example.com", "correct horse battery staple")
    operations.vouch_for_email(users=[user])
    return user


@pytest.fixture
def with_phone(lin):
    phones.keep(user=lin, number=NUMBER, now=NOW)
    return lin


def texts():
    """What lies in the outbox for telephones, oldest first: where to, and what."""
    return [
        (bodies.unseal(message.sealed_address), bodies.unseal(message.body))
        for message in Message.objects.filter(channel=SMS).order_by("pk")
    ]


def sent_code():
    return re.search(r"#(\d{6})$", texts()[-1][1]).group(1)


def is_in(client):
    return "_auth_user_id" in client.session


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


class TestProve:
    def test_keeps_a_number_whose_code_came_back_and_keeps_it_sealed(self, lin):
        client = sign_in(lin, factor=None)

        assert client.post(CHANGE, {"phone": TYPED})["Location"] == VERIFY
        assert phones.number_of(lin) is None
        assert client.post(VERIFY, {"code": wrong(sent_code())}).status_code == 200
        assert client.post(VERIFY, {"code": sent_code()})["Location"] == CHANGE

        assert phones.number_of(lin) == NUMBER
        [(to, body)] = texts()
        assert (to, "is your code" in body) == (NUMBER, True)
        kept = Phone.objects.get()
        assert "8000" not in kept.sealed
        assert Message.objects.get(channel=SMS).address == "••• 8000"
        page = client.get(CHANGE).content.decode()
        assert "••• 8000" in page
        assert "1380013" not in page
        # Who may sign in by it is told to the address that was there before.
        assert Message.objects.filter(template="phone_changed", address=lin.email).count() == 1

    def test_keeps_neither_code_nor_number_readable_in_the_session(self, lin):
        client = sign_in(lin, factor=None)
        client.post(CHANGE, {"phone": TYPED})

        held = Session.objects.get(pk=client.cookies[settings.SESSION_COOKIE_NAME].value)

        raw = signing.loads(held.session_data, salt="django.contrib.sessions.SessionStore", serializer=_Raw)
        assert sent_code().encode() not in raw
        assert b"13800138000" not in raw
        assert client.session["account_phone_verification"]["code"] == sent_code()

    def test_asks_who_it_is_where_that_was_shown_long_ago(self, lin):
        client = sign_in(lin, factor=None)
        session = client.session
        session["account_authentication_methods"][0]["at"] -= 301
        session.save()

        assert client.post(CHANGE, {"phone": TYPED})["Location"].startswith("/accounts/reauthenticate/")
        assert client.post(REMOVE)["Location"].startswith("/accounts/reauthenticate/")
        assert texts() == []

    @pytest.mark.parametrize("typed", ["12", "abc", "021 6888 8888", "+1 900 555 0100", "+" + "9" * 40, "+86138\x00"])
    def test_takes_mobile_numbers_alone(self, lin, typed):
        assert sign_in(lin, factor=None).post(CHANGE, {"phone": typed}).status_code == 200
        assert texts() == []

    def test_writes_to_the_countries_that_are_named(self, lin, settings):
        settings.SMS_COUNTRIES = ["SG"]

        assert sign_in(lin, factor=None).post(CHANGE, {"phone": NUMBER}).status_code == 200
        assert texts() == []

    def test_gives_a_number_to_one_login(self, lin):
        mo = User.objects.create_user("mo@example.com")

        def take(user):
            try:
                phones.keep(user=user, number=NUMBER, now=NOW)
            except phones.NumberTaken:
                return "taken"
            return "kept"

        assert sorted(race(lambda: take(lin), lambda: take(mo))) == ["kept", "taken"]
        assert Phone.objects.filter(digest__isnull=False).count() == 1

    def test_tells_of_another_login_only_who_holds_the_number(self, with_phone):
        mo = User.objects.create_user("mo@example.com")
        operations.vouch_for_email(users=[mo])
        client = sign_in(mo, factor=None)

        assert client.post(CHANGE, {"phone": NUMBER})["Location"] == VERIFY
        page = client.post(VERIFY, {"code": sent_code()}).content.decode()

        assert "This number belongs to another account." in page
        assert phones.number_of(mo) is None

    def test_forgets_what_is_taken_away(self, with_phone):
        client = sign_in(with_phone, factor=None)

        assert [client.post(REMOVE).status_code for _ in range(2)] == [302, 302]

        assert (phones.number_of(with_phone), phones.holder(NUMBER)) == (None, None)
        assert Phone.objects.get().sealed == ""
        assert Message.objects.filter(template="phone_removed").count() == 1


class TestSignIn:
    def test_lets_a_consumer_in_by_the_code_that_was_sent(self, with_phone):
        client = Client()

        assert client.post(ASK, {"phone": TYPED})["Location"] == CONFIRM
        client.post(CONFIRM, {"code": sent_code()})

        assert is_in(client)
        assert client.post(CONFIRM, {"code": sent_code()})["Location"] != CONFIRM
        assert client.get("/dashboard").status_code == 404

    def test_still_wants_the_factor_of_who_has_one(self, with_phone):
        seed = operations.give_app(user=with_phone)
        client = Client()
        client.post(ASK, {"phone": NUMBER})

        assert client.post(CONFIRM, {"code": sent_code()})["Location"] == "/accounts/2fa/authenticate/"
        assert not is_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code_now(seed)})
        assert is_in(client)

    def test_says_and_sends_of_staff_and_of_nobody_what_it_says_of_anybody(self, with_phone, merchant):
        staff = make_staff(merchant)
        phones.keep(user=staff.user, number="+8613700137000", now=NOW)
        pages = {}
        for number in (NUMBER, "+8613700137000", UNKNOWN):
            cache.clear()
            client = Client()
            asked = client.post(ASK, {"phone": number})
            page = client.get(CONFIRM).content.decode()
            guessed = client.post(CONFIRM, {"code": "000000"})
            cache.clear()
            again = client.post(CONFIRM, {"action": "resend"})
            told = client.get(CONFIRM).content.decode()
            pages[number] = [
                asked["Location"], guessed.status_code, again.status_code, again["Location"],
                *(re.sub(r'value="[^"]{40,}"|nonce="[^"]*"', "", text.replace(number, "")) for text in (page, told)),
            ]  # fmt: skip

        assert pages[NUMBER] == pages["+8613700137000"] == pages[UNKNOWN]
        # To whom a code went: to the consumer alone, twice.
        assert [to for to, _ in texts()] == [NUMBER, NUMBER]

    def test_ends_after_three_guesses_and_after_five_in_any_browsers(self, with_phone):
        first = Client()
        first.post(ASK, {"phone": NUMBER})
        code = sent_code()
        for _ in range(3):
            first.post(CONFIRM, {"code": wrong(code)})
        first.post(CONFIRM, {"code": code})
        assert not is_in(first)

        with time_machine.travel(clock.wall() + timedelta(seconds=31)):
            second = Client()
            second.post(ASK, {"phone": NUMBER})
            for _ in range(2):
                second.post(CONFIRM, {"code": wrong(sent_code())})
            second.post(CONFIRM, {"code": sent_code()})
        assert not is_in(second)

    @pytest.mark.parametrize("sent", [{}, {"email": "lin@example.com", "phone": NUMBER}, {"phone": "x\0"}])
    def test_asks_again_for_what_is_none_or_two(self, sent):
        assert Client().post(ASK, sent).status_code == 200

    def test_takes_the_number_for_the_address_beside_a_password(self, with_phone):
        client, guessing = Client(), Client()

        client.post(LOGIN, {"login": TYPED, "password": "correct horse battery staple"})
        known = guessing.post(LOGIN, {"login": NUMBER, "password": "x"}).content.decode()
        unknown = Client().post(LOGIN, {"login": UNKNOWN, "password": "x"}).content.decode()
        neither = Client().post(LOGIN, {"login": "lin", "password": "x"}).content.decode()

        assert is_in(client)
        said = "The address, the number or the password is wrong."
        assert [said in page for page in (known, unknown, neither)] == [True] * 3


class TestLimits:
    @pytest.mark.parametrize("number", [NUMBER, UNKNOWN])
    def test_sends_one_in_half_a_minute_to_a_number_whoever_asks_and_whosever_it_is(self, with_phone, number):
        replies = [Client(REMOTE_ADDR=f"203.0.113.{each}").post(ASK, {"phone": number}) for each in range(3)]

        assert [reply.status_code for reply in replies] == [302, 429, 429]
        assert "Too many tries" in replies[1].content.decode()
        assert len(texts()) == (1 if number == NUMBER else 0)

    def test_sends_ten_a_day_for_an_account_whatever_the_numbers(self, lin, settings):
        client = sign_in(lin, factor=None)
        settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "change_phone": None}

        statuses = [client.post(CHANGE, {"phone": f"+86138001380{each:02}"}).status_code for each in range(12)]

        assert statuses == [302] * 10 + [429] * 2
        assert len(texts()) == 10

    def test_sends_so_many_for_an_address_whatever_the_accounts(self, settings):
        settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "sms_address": "2/h/ip"}
        for each in range(3):
            user = User.objects.create_user(f"user{each}@example.com")
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            sign_in(user, factor=None).post(CHANGE, {"phone": f"+86138001380{each:02}"})

        assert len(texts()) == 2

    def test_sends_nothing_to_a_number_that_wants_nothing(self, with_phone):
        messaging.suppress(channel=SMS, address=NUMBER, reason="HTTP 410", now=NOW)

        assert Client().post(ASK, {"phone": NUMBER})["Location"] == CONFIRM
        assert Message.objects.get(channel=SMS).status == "suppressed"


class TestNotice:
    @pytest.mark.parametrize(("language", "said"), [("en", "a device that was not used before"), ("zh-hans", "新设备")])
    def test_tells_staff_of_a_device_once(self, merchant, language, said):
        staff = with_password(make_staff(merchant))
        seed = operations.give_app(user=staff.user)
        phones.keep(user=staff.user, number=NUMBER, now=NOW)
        client = Client(HTTP_ACCEPT_LANGUAGE=language)

        for steps in (0, 1):
            cache.clear()
            client.post(LOGIN, {"login": staff.user.email, "password": "correct horse battery staple"})
            client.post("/accounts/2fa/authenticate/", {"code": code_now(seed, steps)})
            assert is_in(client)
            client.post("/accounts/logout/")

        [(to, body)] = texts()
        assert (to, said in body) == (NUMBER, True)

    def test_tells_staff_of_a_device_again_that_was_known_by_another_password(self, merchant):
        staff = with_password(make_staff(merchant))
        seed = operations.give_app(user=staff.user)
        phones.keep(user=staff.user, number=NUMBER, now=NOW)
        client = Client()

        for steps, password in enumerate(("correct horse battery staple", "another horse")):
            cache.clear()
            staff.user.set_password(password)
            staff.user.save(update_fields=["password"])
            client.post(LOGIN, {"login": staff.user.email, "password": password})
            client.post("/accounts/2fa/authenticate/", {"code": code_now(seed, steps)})
            assert is_in(client)
            client.post("/accounts/logout/")

        assert ["a device that was not used before" in body for _, body in texts()] == [True, True]

    def test_tells_staff_of_a_password_and_of_factors(self, merchant):
        staff = with_password(make_staff(merchant))
        operations.give_app(user=staff.user)
        phones.keep(user=staff.user, number=NUMBER, now=NOW)
        client = sign_in(staff.user)

        client.post(
            "/accounts/password/change/",
            {
                "oldpassword": "correct horse battery staple",
                **dict.fromkeys(("password1", "password2"), "another horse"),
            },
        )
        sign_in(User.objects.get()).post(REMOVE)

        assert ["password was changed" in texts()[0][1], "number was removed" in texts()[1][1]] == [True, True]

    def test_tells_a_consumer_by_letter_alone(self, with_phone):
        sign_in(with_phone, factor=None).post(REMOVE)

        assert texts() == []


class _Raw:
    def loads(self, data):
        return data
