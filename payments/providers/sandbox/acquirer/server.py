"""The acquirer's door: HTTP/1.1 with JSON, every request signed.

The standard library's server, because a fault here means holding or cutting the very
connection, which no WSGI server lets an application do.
"""

import json
import logging
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from payments.providers.sandbox import signing
from payments.providers.sandbox.acquirer import notices as sending
from payments.providers.sandbox.acquirer.bank import Bank, Refused
from payments.providers.sandbox.acquirer.faults import ROAD_FAULTS, Fault, Faults
from payments.providers.sandbox.acquirer.notices import Notices
from payments.providers.sandbox.acquirer.store import Store

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 64 * 1024
# How long a question that is not to be answered is held; it ends when the asker goes.
HELD_SECONDS_MAX = 120.0
Answerer = Callable[[Mapping[str, Any]], dict[str, Any]]


class Acquirer:
    """Everything together: what answers, what fails on purpose, what is sent."""

    def __init__(self, store: Store, *, secret: str, faults: list[Fault] | None = None) -> None:
        self.secret = secret
        self.faults = Faults()
        for fault in faults or []:
            self.faults.switch_on(fault)
        self.notices = Notices(store, self.faults, secret=secret)
        self.bank = Bank(store, secret=secret, tell=self.notices.tell)
        self._stopping = threading.Event()
        bank = self.bank
        self.questions: dict[str, tuple[str, Answerer]] = {
            "/v1/authorisations": ("authorise", bank.authorise),
            "/v1/captures": ("capture", bank.capture),
            "/v1/voids": ("void", bank.void),
            "/v1/refunds": ("refund", bank.refund),
            "/v1/queries": ("query", bank.query),
            "/v1/refund_queries": ("query_refund", bank.query_refund),
            "/v1/statements": ("statement", bank.statement),
            "/v1/challenges/read": ("read_challenge", bank.read_challenge),
            "/v1/challenges/answer": ("answer_challenge", bank.answer_challenge),
        }
        self.controls: dict[str, Answerer] = {
            "/control/faults": self._switch_on,
            "/control/faults/list": lambda _: {"faults": self.faults.shown()},
            "/control/faults/clear": self._clear,
            "/control/notices": self._redirect_notices,
            "/control/hurry": self._hurry,
            "/control/forget": self._forget,
        }

    def work(self) -> None:
        """Do what is due and send notices, until stopped: the body of one thread."""
        with httpx.Client(timeout=sending.TIMEOUT, follow_redirects=False, trust_env=False) as client:
            while not self._stopping.is_set():
                self.bank.do_what_is_due()
                if not self.notices.send_due(client):
                    self.notices.wait(self.bank.next_due())

    def stop(self) -> None:
        self._stopping.set()
        self.notices.wake()

    def _switch_on(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        try:
            self.faults.switch_on(Fault(**wish))
        except (TypeError, ValueError) as error:
            raise Refused(400, "unknown_fault", str(error)) from error
        return {"faults": self.faults.shown()}

    def _clear(self, _: Mapping[str, Any]) -> dict[str, Any]:
        self.faults.clear()
        return {"faults": []}

    def _redirect_notices(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        self.notices.everything_to = wish["to"]
        return {"to": wish["to"]}

    def _hurry(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Let what would happen later happen now: `refund`, `challenge`, or all of it."""
        done = self.bank.do_what_is_due(kind=wish.get("kind"), hurries=True)
        self.notices.hurry()
        return {"done": done}

    def _forget(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """Let nothing more happen of what would happen later, and send no notice that is still to be sent."""
        self.bank.forget_what_is_due()
        self.notices.forget()
        return {}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], acquirer: Acquirer) -> None:
        self.acquirer = acquirer
        super().__init__(address, Door)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An asker that went in the middle of a request is no trouble of ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            logger.exception("a connection failed")


class Door(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # A connection that nothing comes over is given up.
    timeout = 75

    def do_GET(self) -> None:
        if self.path == "/healthz":
            self._answer(200, {"status": "ok"})
        else:
            self._answer(404, {"code": "unknown_path", "message": "There is nothing here."})

    def do_POST(self) -> None:
        try:
            question = self._read()
            if self.path in self.server.acquirer.controls:
                self._answer(200, self.server.acquirer.controls[self.path](question))
            else:
                self._put_to_the_bank(question)
        except Refused as refused:
            self._answer(refused.status, {"code": refused.code, "message": refused.message})
        except (KeyError, TypeError, ValueError) as error:
            # The name of what is missing or wrong, never its value.
            self._answer(400, {"code": "malformed", "message": f"The question is malformed ({type(error).__name__})."})

    def _put_to_the_bank(self, question: Mapping[str, Any]) -> None:
        acquirer = self.server.acquirer
        operation, answer = acquirer.questions[self.path]
        account, key = str(question.get("account", "")), str(question.get("key", ""))
        where = {"account": account, "key": key, "operation": operation}
        fault = acquirer.faults.strikes(ROAD_FAULTS, **where)
        if fault and fault.name.endswith("_before_commit"):
            self._fail(fault)
            return
        known = answer(question)
        if fault and fault.name == "slow":
            time.sleep(fault.seconds)
        elif fault:
            # Nobody heard the answer, so it is told in a notice.
            acquirer.bank.echo(account, key)
            self._fail(fault)
            return
        if acquirer.faults.strikes(("echoed_notice",), **where):
            acquirer.bank.echo(account, key)
        if operation == "refund" or known.get("status") == "challenge":
            # Something may be due earlier than the thread that sends thinks.
            acquirer.notices.wake()
        self._answer(200, known)

    def _read(self) -> dict[str, Any]:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= BODY_BYTES_MAX:
            self.close_connection = True
            raise Refused(413 if length else 400, "bad_length", "The body is missing or too long.")
        body = self.rfile.read(length)
        if self.path not in self.server.acquirer.questions and self.path not in self.server.acquirer.controls:
            raise Refused(404, "unknown_path", "There is nothing here.")
        try:
            signing.verify(
                self.server.acquirer.secret,
                self.headers.get(signing.HEADER, ""),
                method="POST",
                path=self.path,
                body=body,
                at=int(time.time()),
            )
        except signing.BadSignature as error:
            raise Refused(401, "bad_signature", str(error)) from error
        question = json.loads(body)
        if not isinstance(question, dict):
            raise Refused(400, "malformed", "The question is not an object.")
        return question

    def _fail(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.name.startswith("error_"):
            self._answer(500, {"code": "error", "message": "On purpose."})
        elif fault.name.startswith("reset_"):
            # Zero seconds to linger: the kernel sends RST in the place of an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            # Until the asker gives up and goes.
            poll = select.poll()
            poll.register(self.connection, select.POLLIN)
            poll.poll(HELD_SECONDS_MAX * 1_000)

    def _answer(self, status: int, known: Mapping[str, Any]) -> None:
        body = json.dumps(known).encode()
        lines = [
            f"HTTP/1.1 {status} {self.responses[HTTPStatus(status)][0]}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *(["Connection: close"] if self.close_connection else []),
        ]
        # Head and body in one write: in two, the second would wait for the first one's acknowledgement.
        with suppress(ConnectionError):
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)

    def log_message(self, *_: Any) -> None:
        """Nothing of a request is logged: some carry card numbers."""
