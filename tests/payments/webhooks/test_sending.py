"""One request: to the very address that was checked, over TLS that names the host, within its seconds and bytes."""

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from payments.webhooks.sending import SECONDS_MAX, Sender
from tests.payments.webhooks.receiver import NAME, receiving_tls


@pytest.fixture
def send():
    """Sends to a URL with a resolver of the test's: `send(url, resolver=...)`. Gives the reply."""
    senders = []

    def post(url, **options):
        senders.append(Sender(places=2, **{"seconds_max": 2, **options}))
        return senders[-1].post(url, headers={"X-Test": "1"}, body=b"{}")

    yield post
    for sender in senders:
        sender.close()


class Answers:
    """A resolver that gives one answer after the other, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, host, port):
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class TestGuard:
    @pytest.mark.parametrize(
        "address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0", "64:ff9b::7f00:1"]
    )
    def test_refuses_a_name_that_leads_inside(self, address, send, receiver):
        reply = send(f"http://{NAME}:{receiver.port}/ok", resolver=Answers([address]))

        assert (reply.outcome, reply.http_status) == ("refused_address", None)
        assert (receiver.received, receiver.connections) == ([], 0)

    def test_refuses_one_private_address_among_others(self, send, receiver):
        reply = send(f"http://{NAME}:{receiver.port}/ok", resolver=Answers(["8.8.8.8", "127.0.0.1"]))

        assert (reply.outcome, receiver.connections) == ("refused_address", 0)

    def test_connects_to_what_it_checked_when_the_name_changes_its_mind(self, send, receiver, monkeypatch):
        """A name that is public when asked first and private when asked again: it is asked once."""
        resolver = Answers(["192.31.196.1"], ["127.0.0.1"])
        connected = []

        def connect(self, host, port, **_):
            connected.append((host, port))
            raise ConnectionRefusedError("nobody is there in a test")

        monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
        reply = send(f"http://{NAME}:{receiver.port}/ok", resolver=resolver)

        assert resolver.asked == [(NAME, receiver.port)]
        assert connected == [("192.31.196.1", receiver.port)]
        assert (reply.outcome, receiver.connections) == ("unreachable", 0)

    @pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/ok", "http://[::1]:{port}/ok", "http://0:{port}/ok"])
    def test_refuses_a_number_that_stood_in_the_table_already(self, url, send, receiver, settings):
        settings.WEBHOOK_ALLOW_HOSTS = []

        reply = send(url.format(port=receiver.port))

        assert (reply.outcome, receiver.connections) == ("refused_address", 0)

    def test_follows_no_redirect(self, send, receiver):
        receiver.answers["/ok"] = (307, {"Location": receiver.url("/inside")}, b"")

        reply = send(receiver.url("/ok"))

        assert (reply.outcome, reply.http_status) == ("redirected", 307)
        assert [each.path for each in receiver.received] == ["/ok"]

    def test_says_unreachable_where_the_name_is_unknown(self, send):
        def resolver(host, port):
            raise OSError("no such name")

        assert send("http://nowhere.example.com/", resolver=resolver).outcome == "unreachable"

    def test_waits_no_longer_for_the_resolver_than_for_all_else(self, send, receiver):
        def resolver(host, port):
            receiver.released.wait(20)
            return []

        try:
            assert send("http://slow.example.com/", resolver=resolver, seconds_max=0.2).outcome == "timed_out"
        finally:
            receiver.released.set()


class TestRequest:
    def test_keeps_the_name_in_its_host_header(self, send, receiver, settings):
        settings.WEBHOOK_ALLOW_HOSTS = [NAME]

        reply = send(f"http://{NAME}:{receiver.port}/ok?a=b", resolver=Answers(["127.0.0.1"]))

        (received,) = receiver.received
        assert reply.is_success
        assert (received.path, received.headers["host"]) == ("/ok?a=b", f"{NAME}:{receiver.port}")
        assert received.headers["x-test"] == "1"

    def test_tries_the_next_address_where_one_is_down(self, send, receiver, settings):
        settings.WEBHOOK_ALLOW_HOSTS = [NAME]

        reply = send(f"http://{NAME}:{receiver.port}/ok", resolver=Answers(["127.0.0.2", "127.0.0.1"]))

        assert reply.is_success

    def test_keeps_so_much_of_the_answer_as_text(self, send, receiver):
        receiver.answers["/ok"] = (400, {}, b"\xff\x00" + b"y" * 5_000)

        reply = send(receiver.url("/ok"))

        assert (reply.outcome, reply.http_status, len(reply.body)) == ("http_error", 400, 1024)
        assert "\0" not in reply.body


class TestRetryAfter:
    def test_reads_a_time_as_well_as_seconds(self, send, receiver):
        until = datetime.now(UTC) + timedelta(seconds=600)
        receiver.answers["/ok"] = (503, {"Retry-After": format_datetime(until, usegmt=True)}, b"")
        receiver.answers["/past"] = (503, {"Retry-After": "Mon, 02 Mar 2020 12:00:00 GMT"}, b"")
        receiver.answers["/none"] = 503
        receiver.answers["/never"] = (503, {"Retry-After": f"Mon, 02 Mar {'9' * 20} 12:00:00 GMT"}, b"")

        waits = [send(receiver.url(path)).retry_after for path in ("/ok", "/past", "/none", "/never")]

        assert timedelta(seconds=500) < waits[0] <= timedelta(seconds=600)
        assert waits[1:] == [timedelta(0), None, None]


class TestDeadline:
    def test_is_fifteen_seconds_for_the_whole(self):
        sender = Sender(places=1)
        sender.close()

        assert sender._seconds_max == SECONDS_MAX == 15


class TestTls:
    @pytest.fixture
    def secure(self, tmp_path, settings):
        settings.WEBHOOK_ALLOW_HOSTS = [NAME, "other.example.com"]
        with receiving_tls(tmp_path) as (server, context):
            yield server, context

    def test_is_verified_against_the_name_and_not_the_address(self, send, secure):
        server, context = secure
        resolver = Answers(["127.0.0.1"])

        right = send(f"https://{NAME}:{server.port}/ok", resolver=resolver, ssl_context=context)
        wrong = send(f"https://other.example.com:{server.port}/ok", resolver=resolver, ssl_context=context)

        assert right.is_success
        assert wrong.outcome == "unreachable"
        assert "CERTIFICATE_VERIFY_FAILED" in wrong.detail
        assert len(server.received) == 1

    def test_is_trusted_by_no_word_of_its_own(self, send, secure):
        server, _ = secure

        reply = send(f"https://{NAME}:{server.port}/ok", resolver=Answers(["127.0.0.1"]))

        assert (reply.outcome, server.received) == ("unreachable", [])

    def test_is_checked_by_default(self):
        sender = Sender(places=1)

        context = sender._pool._ssl_context
        sender.close()
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
