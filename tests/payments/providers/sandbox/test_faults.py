"""Every named fault, over the wire: what the platform is told, what happened, and that asking again mends it."""

import re
import socket
import struct
import threading
import time
from contextlib import closing
from uuid import uuid4

import httpx
import pytest

from payments.providers import port
from payments.providers.port import NoticeRefused, Unanswered, Unreachable
from payments.providers.sandbox import signing
from payments.providers.sandbox.acquirer import faults
from payments.providers.sandbox.acquirer.faults import NOTICE_FAULTS, ROAD_FAULTS, Fault, Faults
from payments.providers.sandbox.client import Sandbox
from payments.providers.sandbox.wire import Refused
from tests.payments.providers.sandbox.asking import NOW, account, key, question

pytestmark = pytest.mark.requirement("A40")

BEFORE = [name for name in ROAD_FAULTS if name.endswith("_before_commit")]
AFTER = [name for name in ROAD_FAULTS if name.endswith("_after_commit")]


@pytest.fixture
def sandbox(acquirer, settings):
    settings.SANDBOX_ACQUIRER_TIMEOUT_SECONDS = 0.4
    return port.find("sandbox")


class TestRoadFaults:
    def test_are_all_tried_here(self):
        assert set(ROAD_FAULTS) == {*BEFORE, *AFTER, "slow"}

    @pytest.mark.parametrize("name", BEFORE)
    def test_before_the_commit_leave_nothing(self, sandbox, acquirer, name):
        asked = question()
        acquirer.fail(name, key=asked.key)

        with pytest.raises(Unanswered):
            sandbox.authorise(asked)

        assert sandbox.query(key=asked.key, account=asked.account) is None
        assert sandbox.authorise(asked).status == "captured"
        assert sum(line.amount_minor for line in sandbox.statement(account=asked.account, day=NOW.date())) == 1_200

    @pytest.mark.parametrize("name", AFTER)
    def test_after_the_commit_leave_one_payment_and_a_notice(self, sandbox, acquirer, name):
        asked = question()
        acquirer.fail(name, key=asked.key)

        with pytest.raises(Unanswered):
            sandbox.authorise(asked)

        known = sandbox.query(key=asked.key, account=asked.account)
        assert known.status == "captured"
        assert sandbox.authorise(asked) == known
        assert sum(line.amount_minor for line in sandbox.statement(account=asked.account, day=NOW.date())) == 1_200
        [notice] = acquirer.wait_for_notices(1)
        assert sandbox.read_notice(headers=notice.headers, body=notice.body).report == known

    @pytest.mark.parametrize("name", BEFORE + AFTER)
    @pytest.mark.parametrize("operation", ["capture", "void", "refund"])
    def test_strike_every_operation_and_asking_again_mends_it(self, sandbox, acquirer, name, operation):
        asked = question(captures=operation == "refund")
        paid = sandbox.authorise(asked)
        ask = {"key": key(), "account": asked.account, "reference": paid.reference}
        if operation != "void":
            ask["amount_minor"] = 700
        if operation == "capture":
            ask["is_final"] = True
        acquirer.fail(name, key=ask["key"], operation=operation)

        with pytest.raises(Unanswered):
            getattr(sandbox, operation)(**ask)
        again = getattr(sandbox, operation)(**ask)

        known = sandbox.query(key=asked.key, account=asked.account)
        figures = (known.status, known.captured_minor, known.refunded_minor)
        assert (
            figures
            == {
                "capture": ("captured", 700, 0),
                "void": ("voided", 0, 0),
                "refund": ("captured", 1_200, 700),
            }[operation]
        )
        assert again == (
            known if operation != "refund" else sandbox.query_refund(key=ask["key"], account=asked.account)
        )

    def test_slow_is_answered_all_the_same(self, sandbox, acquirer):
        asked = question()
        acquirer.fail("slow", key=asked.key, seconds=0.1)

        assert sandbox.authorise(asked).status == "captured"

    def test_too_slow_is_no_answer(self, sandbox, acquirer):
        asked = question()
        acquirer.fail("slow", key=asked.key, seconds=0.8)

        with pytest.raises(Unanswered):
            sandbox.authorise(asked)

        assert sandbox.query(key=asked.key, account=asked.account).status == "captured"

    def test_strike_where_they_are_told_to_and_as_often(self, sandbox, acquirer):
        mine, other = account(), account()
        acquirer.fail("error_before_commit", account=mine, count=2)

        assert sandbox.authorise(question(account=other)).status == "captured"
        for _ in range(2):
            with pytest.raises(Unanswered):
                sandbox.authorise(question(account=mine))
        assert sandbox.authorise(question(account=mine)).status == "captured"
        assert acquirer.faults() == []

    def test_of_an_unknown_name_are_refused(self, acquirer):
        with pytest.raises(Refused, match="no fault is called"):
            acquirer.fail("earthquake")


class TestUnreachable:
    def test_is_a_port_where_nobody_listens(self, settings):
        with socket.create_server(("127.0.0.1", 0)) as free:
            settings.SANDBOX_ACQUIRER_URL = f"http://127.0.0.1:{free.getsockname()[1]}"

        with pytest.raises(Unreachable):
            Sandbox().authorise(question())

    def test_is_a_name_that_nobody_has(self, settings):
        settings.SANDBOX_ACQUIRER_URL = "http://acquirer.invalid"

        with pytest.raises(Unreachable):
            Sandbox().authorise(question())


class TestUnanswered:
    def serve(self, settings, speak):
        server = socket.create_server(("127.0.0.1", 0))
        settings.SANDBOX_ACQUIRER_URL = f"http://127.0.0.1:{server.getsockname()[1]}"

        def answer():
            with closing(server), closing(server.accept()[0]) as connection:
                connection.recv(65_536)
                speak(connection)

        threading.Thread(target=answer, daemon=True).start()

    @pytest.mark.parametrize(
        "said",
        [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<p>",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\n{}",
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}",
            b"nonsense\r\n\r\n",
        ],
    )
    def test_is_everything_that_is_no_answer(self, settings, said):
        self.serve(settings, lambda connection: connection.sendall(said))

        with pytest.raises(Unanswered):
            Sandbox().authorise(question())

    def test_is_a_cut_connection(self, settings):
        self.serve(
            settings,
            lambda connection: connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
        )

        with pytest.raises(Unanswered):
            Sandbox().authorise(question())


class TestSignature:
    def test_is_wanted_of_every_request(self, acquirer, settings):
        settings.SANDBOX_ACQUIRER_SECRET = "somebody else's"

        with pytest.raises(Refused) as refused:
            Sandbox().query(key=key(), account=account())

        assert (refused.value.status, refused.value.code) == (401, "bad_signature")

    def test_is_of_the_time_the_path_and_the_body(self):
        header = signing.sign("s", method="POST", path="/a", body=b"{}", at=1_000)

        signing.verify("s", header, method="POST", path="/a", body=b"{}", at=1_300)
        for changed in (
            {"method": "GET"},
            {"path": "/b"},
            {"body": b"{ }"},
            {"at": 1_301},
            {"at": 699},
        ):
            with pytest.raises(signing.BadSignature):
                signing.verify("s", header, **({"method": "POST", "path": "/a", "body": b"{}", "at": 1_000} | changed))
        for malformed in ("", "t=1000", "v1=00", "t=x,v1=00", "t=1000,v1=" + "0" * 300, "t=1000,v1=é"):
            with pytest.raises(signing.BadSignature):
                signing.verify("s", malformed, method="POST", path="/a", body=b"{}", at=1_000)

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("/v1/authorisations", b"", 400),
            ("/v1/authorisations", b"x" * 70_000, 413),
            ("/v1/authorisations", b"{}", 400),
            ("/v1/authorisations", b"[]", 400),
            ("/v1/authorisations", b"{", 400),
            ("/nowhere", b"{}", 404),
        ],
    )
    def test_does_not_save_a_malformed_question(self, acquirer, settings, path, body, status):
        signature = signing.sign(
            settings.SANDBOX_ACQUIRER_SECRET, method="POST", path=path, body=body, at=int(time.time())
        )
        response = httpx.post(
            settings.SANDBOX_ACQUIRER_URL + path, content=body, headers={signing.HEADER: signature}, trust_env=False
        )

        assert response.status_code == status
        assert "4242" not in response.text


class TestNoticeFaults:
    def changed(self, sandbox, number="4000000000007726"):
        """A refund that will change without being asked."""
        asked = question(number)
        paid = sandbox.authorise(asked)
        return sandbox.refund(key=key("re"), account=asked.account, reference=paid.reference, amount_minor=100)

    def read(self, sandbox, received):
        return sandbox.read_notice(headers=received.headers, body=received.body)

    def test_are_all_tried_here(self):
        tried = "\n".join(name for name in dir(self) if name.startswith("test_"))

        assert [name for name in NOTICE_FAULTS if name not in tried] == []

    def test_duplicate_notice_comes_twice_with_one_id(self, sandbox, acquirer):
        refund = self.changed(sandbox)
        acquirer.fail("duplicate_notice", key=refund.key)
        acquirer.hurry("refund")

        first, second = acquirer.wait_for_notices(2)

        assert first.body == second.body
        assert self.read(sandbox, first).id == self.read(sandbox, second).id

    def test_reordered_notices_let_the_later_one_pass(self, sandbox, acquirer):
        early, late = self.changed(sandbox), self.changed(sandbox)
        acquirer.fail("reordered_notices", key=early.key)
        acquirer.hurry("refund")

        keys = [self.read(sandbox, each).report.key for each in acquirer.wait_for_notices(2)]

        assert keys == [late.key, early.key]

    def test_badly_signed_notice_is_refused_and_comes_again(self, sandbox, acquirer):
        refund = self.changed(sandbox)
        acquirer.fail("badly_signed_notice", key=refund.key)
        acquirer.refuse_notices(400)
        acquirer.hurry("refund")
        [bad] = acquirer.wait_for_notices(1)
        acquirer.take_notices()

        good = acquirer.wait_for_notices(2)[1]

        with pytest.raises(NoticeRefused, match="wrong"):
            self.read(sandbox, bad)
        assert self.read(sandbox, good).report.key == refund.key

    def test_lost_notice_never_comes_and_asking_tells(self, sandbox, acquirer):
        lost, told = self.changed(sandbox), self.changed(sandbox)
        acquirer.fail("lost_notice", key=lost.key)
        acquirer.hurry("refund")

        [only] = acquirer.wait_for_notices(1)

        assert self.read(sandbox, only).report.key == told.key
        assert sandbox.query_refund(key=lost.key, account=lost.account).status == "succeeded"

    def test_echoed_notice_tells_what_was_answered(self, sandbox, acquirer):
        asked = question()
        acquirer.fail("echoed_notice", key=asked.key)

        report = sandbox.authorise(asked)

        [notice] = acquirer.wait_for_notices(1)
        assert self.read(sandbox, notice).report == report

    def test_a_refused_notice_is_sent_again(self, sandbox, acquirer):
        acquirer.refuse_notices(500)
        refund = self.changed(sandbox)
        acquirer.hurry("refund")
        acquirer.wait_for_notices(1)
        acquirer.take_notices()
        acquirer.hurry("refund")

        first, second = acquirer.wait_for_notices(2)

        assert first.body == second.body
        assert self.read(sandbox, second).report.key == refund.key


class TestReadNotice:
    def test_refuses_what_is_changed_old_or_of_another_account(self, sandbox, acquirer, settings):
        asked = question()
        acquirer.fail("echoed_notice", key=asked.key)
        sandbox.authorise(asked)
        [notice] = acquirer.wait_for_notices(1)
        other = uuid4().hex.encode()

        bodies = [
            notice.body.replace(b"1200", b"1300"),
            notice.body.replace(asked.account.encode(), other),
            b"{}",
            b"[1]",
            b"\xff",
            b'{"type": "payment", "object": {}}',
        ]

        for body in bodies:
            with pytest.raises(NoticeRefused):
                sandbox.read_notice(headers=notice.headers, body=body)
        with pytest.raises(NoticeRefused):
            sandbox.read_notice(headers={}, body=notice.body)
        old = signing.sign(
            settings.SANDBOX_ACQUIRER_SECRET, method="NOTICE", path=asked.account, body=notice.body, at=1_000
        )
        with pytest.raises(NoticeRefused, match="too old"):
            sandbox.read_notice(headers={signing.HEADER: old}, body=notice.body)


class TestFault:
    def struck(self, seed):
        dice = Faults()
        dice.switch_on(Fault("slow", count=50, seed=seed, percent=50))
        where = {"account": "a", "key": "k", "operation": "authorise"}
        return [dice.strikes(ROAD_FAULTS, **where) is not None for _ in range(40)]

    def test_strikes_the_same_way_by_the_same_seed(self):
        assert self.struck(7) == self.struck(7)
        assert self.struck(7) != self.struck(8)
        assert 10 < sum(self.struck(7)) < 30

    def test_is_said_by_a_setting(self):
        read = faults.read("slow:count=3:seed=7:percent=10:seconds=0.1, timeout_after_commit:operation=capture")

        assert read == [
            Fault("slow", count=3, seed=7, percent=10, seconds=0.1),
            Fault("timeout_after_commit", operation="capture"),
        ]
        assert faults.read("") == []

    @pytest.mark.parametrize("text", ["earthquake", "slow:often=3", "slow:count=many"])
    def test_is_refused_where_it_means_nothing(self, text):
        with pytest.raises(ValueError, match=re.compile("fault|int")):
            faults.read(text)
