"""Messages go out over real SMTP and HTTP, are tried again, and never go to who wants none."""

import json
import socket
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from django.core import mail

from merchant_platform.kernel import clock
from security.messaging import operations as messaging
from security.messaging.models import EMAIL, FAILED, QUEUED, SENT, SMS, SUPPRESSED, Message
from tests.cast import NOW, race

pytestmark = pytest.mark.django_db(transaction=True)

CODE = "482913"


class Postbox:
    """What an SMTP server took, and what it says to the next recipient."""

    def __init__(self):
        self.taken = []
        self.says = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.says.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.says

    async def handle_DATA(self, server, session, envelope):
        self.taken.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def postbox(settings):
    box = Postbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield box
    controller.stop()


@pytest.fixture
def gateway(settings):
    """An SMS gateway: `taken` are its requests, `status` is what it answers."""

    class Gateway(BaseHTTPRequestHandler):
        taken, status = [], 200

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            Gateway.taken.append((self.headers["Authorization"], body))
            self.send_response(Gateway.status)
            self.end_headers()

        def log_message(self, *_):
            """Says nothing."""

    Gateway.taken = []
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    settings.SMS_URL, settings.SMS_TOKEN = f"http://127.0.0.1:{server.server_port}/", "token"
    yield Gateway
    server.shutdown()
    thread.join()
    server.server_close()


def letter(address="lin@example.com"):
    return messaging.write(
        channel=EMAIL,
        address=address,
        template="login_code",
        language="en",
        subject="Your code",
        body=f"Your code is {CODE}",
        now=NOW,
    )


def text_message(language="zh-hans"):
    context = {"code": CODE, "site": "Café Moka", "host": "pay.example.com"}
    return messaging.write_sms(address="+8613800138000", template="code", language=language, context=context, now=NOW)


def state(message):
    found = Message.objects.get(pk=message.pk)
    return found.status, found.attempts_count, found.next_attempt_at


class TestWrite:
    def test_keeps_the_body_sealed(self):
        message = letter()

        assert (message.status, message.next_attempt_at) == (QUEUED, NOW)
        assert CODE not in message.body

    def test_ends_where_the_address_wants_nothing(self, postbox):
        messaging.suppress(channel=EMAIL, address="Lin@Example.com ", reason="asked", now=NOW)

        message = letter()

        assert message.status == SUPPRESSED
        assert (messaging.send_due(now=NOW), postbox.taken) == (0, [])
        stopped = messaging.suppression_of(channel=EMAIL, address="lin@example.com")
        assert [messaging.lift(identifier=stopped.pk, now=NOW) for _ in range(2)] == [True, False]
        assert letter().status == QUEUED
        # On the list again, it is a new entry.
        messaging.suppress(channel=EMAIL, address="lin@example.com", reason="SMTP 550", now=NOW)
        again = messaging.suppression_of(channel=EMAIL, address="lin@example.com")
        assert (again.pk > stopped.pk, again.reason, letter().status) == (True, "SMTP 550", SUPPRESSED)


class TestSend:
    def test_hands_mail_to_the_server(self, postbox):
        message = letter()

        assert messaging.send_due(now=NOW) == 1

        assert state(message) == (SENT, 1, None)
        [(recipients, content)] = postbox.taken
        assert recipients == ["lin@example.com"]
        assert f"Your code is {CODE}" in content

    def test_is_done_once_by_two_workers(self, postbox):
        message = letter()

        outcomes = race(*[lambda: messaging.send(identifier=message.pk, now=NOW)] * 3)

        assert sorted(outcomes) == [False, False, True]
        assert len(postbox.taken) == 1

    def test_comes_again_after_a_failure_and_is_given_up_at_last(self, postbox):
        postbox.says = "451 later"
        message, now = letter(), NOW

        assert messaging.send_due(now=now) == 0
        assert state(message) == (QUEUED, 1, NOW + timedelta(seconds=10))
        for wait in messaging.RETRY_AFTER:
            now += wait
            messaging.send_due(now=now)

        assert state(message) == (FAILED, 6, None)

    def test_writes_nothing_more_to_an_address_that_bounced(self, postbox):
        postbox.says = "550 nobody here"
        message = letter()

        messaging.send_due(now=NOW)

        assert state(message) == (FAILED, 1, None)
        assert letter().status == SUPPRESSED

    def test_to_an_address_that_cannot_be_written_stops_no_other(self, postbox):
        bad, good = letter(f"lin@{'中' * 60}.com"), letter()

        assert messaging.send_due(now=NOW) == 1

        assert state(bad) == (FAILED, 1, None)
        assert state(good) == (SENT, 1, None)

    def test_comes_back_where_its_worker_died(self, postbox):
        message = letter()
        Message.objects.filter(pk=message.pk).update(next_attempt_at=NOW + timedelta(minutes=2), attempts_count=1)

        assert messaging.send_due(now=NOW + timedelta(minutes=1, seconds=59)) == 0
        assert messaging.send_due(now=NOW + timedelta(minutes=2)) == 1

    def test_says_neither_address_nor_code_in_a_log(self, postbox, gateway, caplog):
        postbox.says, gateway.status = "451 later", 500
        letter(), text_message()

        with caplog.at_level("DEBUG"):
            messaging.send_due(now=NOW)

        # The tests' own mail server talks of what it hears.
        ours = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("mail.log"))
        assert CODE not in ours
        assert "lin@example.com" not in ours
        assert {message.last_error for message in Message.objects.all()} == {
            "the server did not take the address now",
            "HTTP 500",
        }


@pytest.mark.django_db(transaction=True, databases=["default", "platform"])
class TestPurge:
    def test_forgets_what_is_a_month_old(self):
        letter()

        assert messaging.purge(now=NOW + timedelta(days=30)) == 0
        assert messaging.purge(now=NOW + timedelta(days=30, seconds=1)) == 1
        assert not Message.objects.exists()


class TestSms:
    @pytest.mark.parametrize(
        ("language", "said"),
        [("zh-hans", "482913 是您在 Café Moka 的验证码"), ("en", "482913 is your code at Café Moka")],
    )
    def test_goes_to_the_gateway_in_the_persons_language(self, gateway, language, said):
        message = text_message(language)

        assert messaging.send_due(now=NOW) == 1

        [(authorization, body)] = gateway.taken
        assert (authorization, body["to"]) == ("Bearer token", "+8613800138000")
        assert body["text"].startswith(said)
        # The last line lets a phone fill the code in at that host alone.
        assert body["text"].endswith(f"@pay.example.com #{CODE}")
        assert state(message) == (SENT, 1, None)

    def test_waits_without_a_gateway(self, settings):
        settings.SMS_URL = ""
        message = text_message()

        assert messaging.send_due(now=NOW) == 0
        assert state(message)[0] == QUEUED

    @pytest.mark.parametrize("status", [404, 410, 422])
    def test_gives_a_number_up_that_is_none(self, gateway, status):
        gateway.status = status
        message = text_message()

        messaging.send_due(now=NOW)

        assert state(message) == (FAILED, 1, None)
        assert text_message().status == SUPPRESSED
        assert message.channel == SMS


def test_mail_of_sign_in_goes_through_the_outbox(client, merchant):
    from tests.staff import make_staff

    staff = make_staff(merchant)

    client.post("/accounts/login/code/", {"email": staff.user.email})

    message = Message.objects.get()
    assert (message.template, message.address, message.status) == ("login_code", staff.user.email, QUEUED)
    assert message.created_at <= clock.wall()
    assert mail.outbox == []
