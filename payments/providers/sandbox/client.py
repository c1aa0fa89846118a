"""The sandbox acquirer as a provider: our side of the wire."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from payments.providers.port import Authorisation, Notice, NoticeRefused, RefundReport, Report, StatementLine
from payments.providers.sandbox import signing
from payments.providers.sandbox.wire import Refused, Wire

_REPORT = (
    "key account reference status amount_minor currency authorized_minor captured_minor refunded_minor sequence"
    " code decline_code challenge_url authentication network"
).split()
_REFUND = "key account reference payment_key status amount_minor currency sequence failure_reason".split()
_LINE = "reference key kind amount_minor currency".split()


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the issuer's page shows a payer."""

    payee: str
    amount_minor: int
    currency: str
    brand: str
    last4: str
    is_verification: bool
    return_url: str


class ChallengeOver(Exception):
    """There is no such challenge, or it was answered before, or its time is over."""


class Sandbox:
    """Implements payments.providers.port.Provider. `now` is a book's clock where the caller has one at hand."""

    name = "sandbox"
    serves_live = False

    def __init__(self) -> None:
        self._wire = Wire()

    @sensitive_variables()
    def authorise(self, question: Authorisation) -> Report:
        """Ask for the money; an amount of zero verifies the card alone."""
        card = question.card
        answer = self._wire.ask(
            "/v1/authorisations",
            {
                "key": question.key,
                "account": question.account,
                "amount_minor": question.amount_minor,
                "currency": question.currency,
                "card": {
                    "number": card.number,
                    "exp_month": card.exp_month,
                    "exp_year": card.exp_year,
                    "holder": card.holder,
                },
                "cvc": question.cvc,
                "captures": question.captures,
                "is_off_session": question.is_off_session,
                "payee": question.payee,
                "return_url": question.return_url,
                "challenge_url": f"{settings.PUBLIC_URL}/sandbox/challenge/",
                "notify_url": f"{settings.PUBLIC_URL}/hooks/{self.name}/{question.account}",
                "now": question.now.isoformat(),
            },
        )
        return _report(answer)

    def capture(
        self,
        *,
        key: str,
        account: str,
        reference: str,
        amount_minor: int,
        is_final: bool,
        now: datetime | None = None,
    ) -> Report:
        """Take what was held, or a part of it. A hold that ran out is reported as `voided`."""
        question = {
            **_about(key, account, now),
            "reference": reference,
            "amount_minor": amount_minor,
            "is_final": is_final,
        }
        return _report(self._wire.ask("/v1/captures", question))

    def void(self, *, key: str, account: str, reference: str, now: datetime | None = None) -> Report:
        """Release what was held."""
        return _report(self._wire.ask("/v1/voids", {**_about(key, account, now), "reference": reference}))

    def refund(
        self, *, key: str, account: str, reference: str, amount_minor: int, now: datetime | None = None
    ) -> RefundReport:
        """Give money back."""
        question = {**_about(key, account, now), "reference": reference, "amount_minor": amount_minor}
        return _refund_report(self._wire.ask("/v1/refunds", question))

    def query(self, *, key: str, account: str, now: datetime | None = None) -> Report | None:
        """What is known of the payment under our key; None: the question never arrived."""
        answer = self._ask_whether("/v1/queries", _about(key, account, now))
        return _report(answer) if answer else None

    def query_refund(self, *, key: str, account: str, now: datetime | None = None) -> RefundReport | None:
        """What is known of the refund under our key; None: the question never arrived."""
        answer = self._ask_whether("/v1/refund_queries", _about(key, account, now))
        return _refund_report(answer) if answer else None

    def read_notice(self, *, headers: Mapping[str, str], body: bytes) -> Notice:
        """Verify a notice and read it. Raises NoticeRefused."""
        signature = {name.lower(): value for name, value in headers.items()}.get(signing.HEADER.lower(), "")
        notice = self.parse_notice(body=body)
        try:
            signing.verify(
                settings.SANDBOX_ACQUIRER_SECRET,
                signature,
                method="NOTICE",
                path=notice.report.account,
                body=body,
                at=int(time.time()),
            )
        except signing.BadSignature as error:
            raise NoticeRefused(str(error)) from error
        return notice

    def parse_notice(self, *, body: bytes) -> Notice:
        """Read a notice without verifying it: one that was verified when it came. Raises NoticeRefused."""
        try:
            notice = orjson.loads(body)
            is_refund = notice["type"] == "refund"
            report = _refund_report(notice["object"]) if is_refund else _report(notice["object"])
            return Notice(id=str(notice["id"]), report=report)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise NoticeRefused("The notice cannot be read.") from error

    def statement(self, *, account: str, day: date) -> Sequence[StatementLine]:
        """Everything that moved for an account on a day (UTC)."""
        lines: list[StatementLine] = []
        after: int | None = 0
        while after is not None:
            answer = self._wire.ask("/v1/statements", {"account": account, "day": day.isoformat(), "after": after})
            lines += [
                StatementLine(**{name: line[name] for name in _LINE}, at=datetime.fromisoformat(line["at"]))
                for line in answer["lines"]
            ]
            after = answer["next"]
        return lines

    def read_challenge(self, token: str) -> Challenge:
        """What the issuer's page shows the payer. Raises ChallengeOver."""
        answer = self._ask_whether("/v1/challenges/read", {"token": token})
        if answer is None:
            raise ChallengeOver
        return Challenge(**answer)

    def answer_challenge(self, token: str, *, choice: str) -> str:
        """Tell the issuer what the payer chose: `approve`, `refuse` or `cannot`. Gives where the payer goes next.

        What comes of it is told in a notice, and to whoever asks. Raises ChallengeOver.
        """
        answer = self._ask_whether("/v1/challenges/answer", {"token": token, "choice": choice})
        if answer is None:
            raise ChallengeOver
        return answer["return_url"]

    def _ask_whether(self, path: str, question: Mapping[str, Any]) -> dict[str, Any] | None:
        try:
            return self._wire.ask(path, question)
        except Refused as refused:
            if refused.code in ("unknown_key", "unknown_challenge", "challenge_over"):
                return None
            raise


def _about(key: str, account: str, now: datetime | None) -> dict[str, Any]:
    told = {"now": now.isoformat()} if now else {}
    return {"key": key, "account": account, **told}


def _report(answer: Mapping[str, Any]) -> Report:
    expires_at = answer["expires_at"]
    return Report(
        **{name: answer[name] for name in _REPORT},
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
    )


def _refund_report(answer: Mapping[str, Any]) -> RefundReport:
    return RefundReport(**{name: answer[name] for name in _REFUND})
