"""The programs of the guide, taken from the page and run against a server, as a reader would."""

import json
import os
import re
import socket
import subprocess
import sys
from contextlib import suppress

import pytest
from django.conf import settings as platform_settings
from django.test import Client

from merchant_platform.docs import snippets
from merchant_platform.kernel import clock
from payments.webhooks.courier import Courier
from payments.webhooks.sending import Sender
from tests import needs
from tests.cast import wait_until
from tests.merchant_platform.docs.reading import Page

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "platform"])
BLANK = re.compile(r"\b((?:[a-z]+_)+)\.\.\.")
IDENTIFIER = r"\b{}[0-9A-Za-z]{{22}}\b"
SECONDS_MAX = 60


@pytest.fixture
def server(platform, live_server, settings, acquirer):
    """A server of our own, which the pages name as the platform's address."""
    settings.PUBLIC_URL = live_server.url
    return live_server.url


@pytest.fixture
def key(server):
    """A key, made as the guide says to make one."""
    _, text = guide("curl")["make_key"]
    program = text.replace(".venv/bin/python", sys.executable)
    return run(["bash", "-c", program]).split()[-1]


def guide(language):
    return Page(Client().get("/docs", {"in": language}).content.decode()).snippets()


def run(words, **environment):
    done = subprocess.run(
        words,
        cwd=platform_settings.BASE_DIR,
        env={**os.environ, "no_proxy": "*", **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(language):
    """The story in one language, in the order of the page."""
    return {name: text for name, (told_in, text) in guide(language).items() if told_in == language}


class Reader:
    """Somebody who runs one snippet after the other in one shell, and fills in blanks from the answers."""

    def __init__(self, key):
        self.key = key
        self.answers = []
        self.variables = {}

    def run(self, program):
        """The answers of a snippet's requests, one after the other: a blank may stand for what the first one said."""
        before = len(self.answers)
        for command in re.split(r"(?<!\\)\n+", program):
            command = BLANK.sub(lambda blank: self.known(blank[1]), command)
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                self.variables[name] = value
            else:
                quiet = command.replace("curl ", "curl -sS ", 1)
                self.answers.append(run(["bash", "-c", quiet], **self.variables))
        return self.answers[before:]

    def known(self, prefix):
        if prefix == "sk_test_":
            return self.key
        for answer in reversed(self.answers):
            if found := re.search(IDENTIFIER.format(prefix), answer):
                return found[0]
        raise AssertionError(f"no answer had a {prefix}")


class TestCurl:
    def test_story_is_true(self, server, key):
        needs.program("curl", package="curl")
        reader = Reader(key)
        answers = {name: reader.run(program) for name, program in told("curl").items()}

        def one(name):
            return json.loads(answers[name][-1])

        assert answers["set_up"] == []
        assert one("customer")["name"] == "Lin Mei"
        assert one("wallet")["balance"] == 50_000
        assert one("pay")["status"] == "succeeded"
        assert one("decline")["error"]["decline_code"] == "insufficient_funds"
        assert one("authenticate")["available"][0]["amount"] == 18_529
        head, body = answers["repeat"][0].replace("\r\n", "\n").split("\n\n", 1)
        assert "idempotent-replayed: true" in head.lower()
        assert body == answers["pay"][0]
        assert one("refusal")["error"]["param"] == "amount"
        wallet, movements = (json.loads(answer) for answer in answers["look_into_wallet"])
        assert wallet["balance"] == 31_400
        assert [each["amount"] for each in movements["data"]] == [-18_600, 50_000]
        assert (one("order")["amount_total"], one("order")["status"]) == (18_600, "open")
        assert one("pay_order")["order"] == one("order")["id"]
        assert one("refund_line")["amount"] == 8_800
        assert one("refund_rest")["amount"] == 9_800
        first, second = (json.loads(answer)["data"] for answer in answers["list"])
        assert (len(first), len(second)) == (1, 1)
        assert first[0]["created"] >= second[0]["created"]
        assert first != second
        assert one("expand")["customer"]["name"] == "Lin Mei"
        assert [each["id"] for each in one("search")["data"]] == [one("pay")["id"]]
        assert {each["type"].partition(".")[0] for each in one("events")["data"]} == {"payment_intent"}
        assert one("webhook_endpoint")["secret"].startswith("whsec_")
        filled, deliveries = (json.loads(answer) for answer in answers["webhook_backfill"])
        assert (filled["object"], deliveries["object"]) == ("webhook_backfill", "list")
        assert one("hold_card")["amount_capturable"] == 18_600
        assert (one("capture_card")["status"], one("capture_card")["amount_received"]) == ("succeeded", 15_000)
        assert one("save_card")["status"] == "succeeded"

    def test_answers_are_as_shown(self, server, key):
        needs.program("curl", package="curl")
        reader = Reader(key)
        answers = {name: reader.run(program) for name, program in told("curl").items()}
        shown = {name: json.loads(text) for name, (language, text) in guide("curl").items() if language == "json"}
        asked = {"refund_answer": "refund_line"}

        assert set(shown) == {name for name, (language, _) in snippets.ALONE.items() if language == "json"}
        for name, part in shown.items():
            whole = json.loads(answers[asked.get(name, name.removesuffix("_answer"))][-1])
            assert is_part(part, whole), (name, part, whole)


class TestPython:
    def test_story_is_true(self, server, key):
        program = "\n".join(told("python").values()).replace("sk_test_...", key)

        printed = run([sys.executable, "-c", program]).splitlines()

        assert printed[:8] == [
            "succeeded",
            "The wallet has insufficient funds to complete the payment.",
            f"insufficient_funds {server}/docs/errors/insufficient_funds",
            "18529 False",
            "True",
            "400 parameter_invalid_integer amount",
            "31400",
            "charge -18600",
        ]
        assert printed[8:11] == ["top_up 50000", "8800", "9800"]
        assert [line.split()[1] for line in printed[11:14]] == ["succeeded", "requires_payment_method", "succeeded"]
        assert printed[14:16] == ["Lin Mei 18529", "1"]
        assert printed[19:21] == ["whsec_", "webhook_backfill"]
        assert [line.split()[0] for line in printed[16:19]] == [
            "payment_intent.succeeded",
            "payment_intent.created",
            "payment_intent.payment_failed",
        ]
        assert printed[-3:] == ["requires_capture 18600", "succeeded 15000", "succeeded"]

    def test_is_told_with_curl_too(self):
        assert list(told("python")) == list(told("curl"))


class TestReceiver:
    @pytest.mark.requirement("A40")
    def test_believes_what_was_really_sent_and_nothing_else(self, server, api, settings, tmp_path):
        """The program of the page, the API, and the courier, over HTTP."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        settings.WEBHOOK_ALLOW_HOSTS = [f"127.0.0.1:{port}"]
        endpoint = api.post(
            "webhook_endpoints", {"url": f"http://127.0.0.1:{port}/webhooks", "enabled_events": ["customer.created"]}
        ).json
        _, program = guide("curl")["webhook_receiver"]
        program = program.replace("whsec_...", endpoint["secret"]).replace("4242", str(port))
        customer = api.post("customers", {"name": "Lin Mei"}).json
        event = api.get("events").json["data"][0]
        courier = Courier(places=2)
        with (tmp_path / "out").open("w+") as printed:
            receiver = subprocess.Popen([sys.executable, "-c", program], stdout=printed, stderr=subprocess.DEVNULL)
            try:
                wait_until(lambda: is_listening(port))
                while courier.round(now=clock.wall, wait_seconds=5) or courier.under_way or not printed_in(printed):
                    pass
                forged = Sender(places=1).post(
                    endpoint["url"], headers={"Stripe-Signature": "t=1,v1=00"}, body=b'{"object": "event"}'
                )
            finally:
                courier.close()
                receiver.kill()
                receiver.wait()
            lines = printed_in(printed)

        assert lines == [f"{event['id']} customer.created {customer['id']}"]
        assert (forged.outcome, forged.http_status) == ("http_error", 400)


def is_listening(port):
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def printed_in(file):
    file.seek(0)
    return file.read().splitlines()


def is_part(shown, whole):
    """Whether everything shown is in the true answer; an id stands for any of its kind."""
    if isinstance(shown, dict):
        return all(name in whole and is_part(value, whole[name]) for name, value in shown.items())
    if isinstance(shown, list):
        return len(shown) == len(whole) and all(is_part(*pair) for pair in zip(shown, whole, strict=True))
    if isinstance(shown, str) and re.fullmatch(r"[a-z]+_[0-9A-Za-z]{22}", shown):
        return bool(re.fullmatch(IDENTIFIER.format(shown.rpartition("_")[0] + "_"), whole))
    return shown == whole
